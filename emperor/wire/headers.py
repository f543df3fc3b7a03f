"""
Header lines of requests, each read once.

Clients say the same again and again: one browser's lines differ between its
requests in a cookie at most.  So what a line means is kept under its bytes, and
a head costs one look-up for each of its lines instead of reading them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emperor.wire.uwsgi import encode_variable

#: Lines that are kept, and the bytes a line may have to be kept: some 5 MB at
#: most.  A client may invent as many as it likes, so all are dropped when these
#: are full, and the next requests fill them anew.
KNOWN_LIMIT = 4096
LINE_LIMIT = 256

#: field-name and field-value of RFC 9110 section 5; no control character but
#: the tab.
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)")

#: Headers that decide where a request goes, where it ends or what comes after.
_DECIDING = frozenset([b"host", b"content-length", b"transfer-encoding", b"expect", b"connection"])

#: These say something else to a node than to us, or are dangerous: a C{Proxy}
#: header never becomes C{HTTP_PROXY} (CVE-2016-5385).
_WITHOUT_VARIABLE = frozenset([b"content-length", b"transfer-encoding", b"expect", b"proxy"])

_UNPREFIXED = {b"content-type": b"CONTENT_TYPE"}

_known: dict[bytes, Field] = {}


@dataclass(frozen=True, slots=True)
class Field:
    """
    What one header line says.

    @ivar name: in lower case.
    @ivar value: without the white space around it.
    @ivar variable: as a uwsgi packet has it, encoded; empty if it has not.
    @ivar decides: whether the reader of requests has to look at it.
    """

    name: bytes
    value: bytes
    variable: bytes
    decides: bool

    @property
    def ignored(self) -> bool:
        """
        Whether nobody may see it: behind a gateway, where every dash is an
        underscore, a name with an underscore is somebody else's.
        """
        return b"_" in self.name


def make_field(name: bytes, value: bytes) -> Field:
    """
    The field of a line C{NAME: VALUE}.

    @param name: in lower case.
    """
    decides = name in _DECIDING or b"_" in name
    variable = b"" if b"_" in name else encode_field(name, value)
    return Field(name, value, variable, decides)


def encode_field(name: bytes, value: bytes) -> bytes:
    """
    The encoded variable of a header.

    @return: empty: a node does not get this one.
    """
    if name in _WITHOUT_VARIABLE:
        return b""
    variable = _UNPREFIXED.get(name) or b"HTTP_" + name.upper().replace(b"-", b"_")
    return encode_variable(variable, value)


def read_fields(lines: list[bytes]) -> list[Field]:
    """
    Read the header lines of a request.

    @param lines: without their ends; none has over 65,535 bytes.
    @raise ValueError: one of them is malformed.
    """
    known = _known
    return [known.get(line) or _learn(line) for line in lines]


def _learn(line: bytes) -> Field:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("a header line is not NAME: VALUE")
    field = make_field(match[1].lower(), match[2].strip(b" \t"))
    # Cookies are a client's own and change.
    if len(line) <= LINE_LIMIT and field.name != b"cookie":
        if len(_known) >= KNOWN_LIMIT:
            _known.clear()
        _known[line] = field
    return field
