"""
JSON as a list of pairs: duplicates are kept, numbers stay the texts they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from emperor.config.errors import fault
from emperor.config.pairs import Pair
from emperor.config.settings import Origin


class _Object(list[tuple[str, Any]]):
    """
    A JSON object with its duplicates.
    """


def parse_json(text: str, file: str, section: str) -> list[Pair] | None:
    """
    The options in the object under one key; nested objects are passed over.

    @return: or L{None}: there is no such object.
    @raise ConfigurationError: it is no JSON.
    """
    lines = _Lines(text, file)
    for key, value in _json_root(text, Origin(file, 0)):
        lines.of(key)
        if key == section and isinstance(value, _Object):
            return [
                Pair(name, item, origin)
                for name, any_ in value
                for origin in [lines.of(name)]
                for item in _json_texts(any_)
            ]
    return None


class _Lines:
    """
    Tells in which line a key stands, asked in the order of the text.
    """

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._position = 0
        self._line = 1

    def of(self, key: str) -> Origin:
        """
        The next place of C{key}, or where the last key was.
        """
        name = re.compile(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:")
        found = name.search(self._text, self._position)
        if found is not None:
            self._line += self._text.count("\n", self._position, found.start())
            self._position = found.start() + 1
        return Origin(self._file, self._line)


def _json_root(text: str, origin: Origin) -> _Object:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON number")

    try:
        root = json.loads(
            text,
            object_pairs_hook=_Object,
            parse_int=str,
            parse_float=str,
            parse_constant=refuse,
        )
    except json.JSONDecodeError as error:
        raise fault(f"no JSON: {error.msg}", Origin(origin.file, error.lineno)) from error
    except (ValueError, RecursionError) as error:
        raise fault(f"no JSON: {error}", origin) from error
    return root if isinstance(root, _Object) else _Object()


def _json_texts(value: Any) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        yield "1" if value else "0"
    elif isinstance(value, str):
        yield value
    elif not isinstance(value, _Object):
        for item in value:
            if not isinstance(item, list):
                yield from _json_texts(item)
