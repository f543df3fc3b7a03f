"""
XML as a list of pairs, read by defusedxml: no document types, no entities.
"""

from __future__ import annotations

from typing import Any

from emperor.config.errors import fault
from emperor.config.pairs import DEFAULT_SECTIONS, NEEDS_EXTRA, Pair
from emperor.config.settings import Origin


class _XmlTarget:
    """
    Collects options as defusedxml's parser meets them.

    Options are the children of a C{<uwsgi>} root, or of the first C{<uwsgi>}
    below any other root whose C{id} is the section asked for, or absent.
    """

    def __init__(self, file: str, section: str) -> None:
        self._file = file
        by_tag = section in DEFAULT_SECTIONS
        self._tag = section if by_tag else DEFAULT_SECTIONS[0]
        self._id = None if by_tag else section
        self._path: list[str] = []
        self._depth = 0
        self._closed = False
        self._text = ""
        self._line = 0
        self.pairs: list[Pair] | None = None
        self.parser: Any = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        inside = self.pairs is not None and not self._closed
        if inside and len(self._path) > self._depth + 1:
            raise fault(f"<{tag}> inside an option", Origin(self._file, self._now()))
        if inside:
            self._text, self._line = "", self._now()
        elif self._wanted(tag, attributes):
            self.pairs, self._depth = [], len(self._path)

    def _wanted(self, tag: str, attributes: dict[str, str]) -> bool:
        if self.pairs is not None or tag != self._tag or len(self._path) > 2:
            return False
        if len(self._path) == 2 and self._path[0] in DEFAULT_SECTIONS:
            return False
        asked = self._id is None or len(self._path) == 1
        return asked or attributes.get("id", self._id) == self._id

    def _now(self) -> int:
        return int(self.parser.CurrentLineNumber)

    def data(self, text: str) -> None:
        self._text += text

    def end(self, tag: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if self.pairs is None or self._closed:
            return
        if depth == self._depth:
            self._closed = True
        else:
            self.pairs.append(Pair(tag, self._text or "1", Origin(self._file, self._line)))

    def close(self) -> None:
        pass


def parse_xml(text: str, file: str, section: str) -> list[Pair] | None:
    """
    The child elements of C{<uwsgi>}; an empty one has the value C{1}.

    @return: or L{None}: there is no such element.
    @raise ConfigurationError: it is no XML, or declares a document type.
    """
    try:
        from defusedxml.common import DefusedXmlException  # noqa: PLC0415 - an extra
        from defusedxml.ElementTree import DefusedXMLParser, ParseError  # noqa: PLC0415
    except ImportError:
        raise fault(f"XML {NEEDS_EXTRA}", Origin(file, 0)) from None
    target = _XmlTarget(file, section)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.parser = parser.parser
    try:
        parser.feed(text.encode("utf-8", "surrogateescape"))
        parser.close()
    except ParseError as error:
        raise fault(f"no XML: {error.msg}", Origin(file, error.position[0])) from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise fault(f"no XML: {error}", Origin(file, 0)) from error
    return target.pairs
