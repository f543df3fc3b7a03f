"""
JSON text that is made in pieces, each when it is asked for: ten thousand pools
hold up nobody, and are never all in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: Characters of a piece, at least, but for the last one; so many take about 1 ms.
#: Smaller ones would need more turns of the reactor, each of which is as long as
#: the requests' work in it.
PIECE = 16 * 1024

_encode = json.JSONEncoder().encode


def pieces(shown: Mapping[str, Any], *, minified: bool) -> Iterator[bytes]:
    """
    The JSON text of an object; lists in it may be iterators, which are read as
    far as the pieces are.

    @param minified: without blanks and line ends.
    """
    held: list[str] = []
    size = 0
    for text in write(shown, "" if minified else "\n"):
        held.append(text)
        size += len(text)
        if size >= PIECE:
            yield "".join(held).encode("ascii")
            held, size = [], 0
    held.append("" if minified else "\n")
    yield "".join(held).encode("ascii")


def readable(text: str) -> str:
    """
    A path without what is no Unicode: bytes that are no UTF-8 are shown as
    C{\\xff}, since JSON has no bytes and many readers refuse half a surrogate.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def write(value: Any, line: str) -> Iterator[str]:
    """
    JSON text of a value in which lists may be iterators.

    @param line: what comes before each item, one tab less than it needs; empty
        for no lines.
    """
    if isinstance(value, Mapping):
        parts = ((f"{_encode(key)}:", item) for key, item in value.items())
        yield from _enclosed("{}", parts, line)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        yield from _enclosed("[]", (("", item) for item in value), line)
    else:
        yield _encode(value)


def _enclosed(brackets: str, parts: Iterable[tuple[str, Any]], line: str) -> Iterator[str]:
    inner = line and line + "\t"
    comma = ""
    yield brackets[0]
    for name, item in parts:
        yield comma + inner + name
        if type(item) is int:  # nearly all are
            yield str(item)
        else:
            yield from write(item, inner)
        comma = ","
    if comma:
        yield line
    yield brackets[1]
