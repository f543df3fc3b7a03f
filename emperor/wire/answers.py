"""
A node's answer, turned into what an HTTP/1 client gets.

A node answers with plain HTTP text and ends it by closing the connection.  The
client's connection is to stay open for its next request, so the end must be
visible in the answer itself: by its status (RFC 9112 section 6.3), by
Content-Length, by the chunks that the node sent, or by chunks made here.
Only where the client is too old for chunks is the end the closing.
"""

from __future__ import annotations

import re
from enum import Enum, auto

#: Bytes of an answer's head.
HEAD_LIMIT = 64 * 1024

_HEAD = re.compile(
    rb"HTTP/1\.[01] ([1-9][0-9][0-9])(?: [^\r\n\0]*)?\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*)\r\n"
)
_LENGTH = re.compile(rb"[0-9]{1,18}")
_FRAMING = re.compile(
    rb"^(content-length|transfer-encoding|connection|keep-alive|proxy-connection)"
    rb":[ \t]*([^\r]*?)[ \t]*\r\n",
    re.IGNORECASE | re.MULTILINE,
)


_FRAMING_NAMES = frozenset([b"content-length", b"transfer-encoding"])
_OVERRIDDEN = frozenset([b"content-length"])
_WITHOUT_BODY = frozenset([b"204", b"304"])
_NONE: frozenset[bytes] = frozenset()


class BadAnswer(ValueError):
    """
    The node sent something that is no HTTP answer: the node's fault.
    """


class Framing(Enum):
    """
    How an answer's end is known to the client.
    """

    #: The head has not been read.
    UNKNOWN = auto()
    #: There is no body, or its length is in the head.
    SIZED = auto()
    #: Chunks are made here, for a node that ends by closing.
    CHUNKED = auto()
    #: By the end of the connection.
    CLOSING = auto()


class AnswerWriter:
    """
    One answer on its way from a node to an HTTP client.

    It holds at most L{HEAD_LIMIT} bytes; what comes after the head passes
    straight through.

    @ivar framing: how the client knows the end.
    @ivar complete: whether all of it has been passed on.
    @ivar persistent: whether the client's connection can be used again.
    """

    __slots__ = (
        "_buffer",
        "_head_only",
        "_minor_version",
        "_remaining",
        "complete",
        "framing",
        "persistent",
    )

    def __init__(self, head_only: bool, minor_version: int, persistent: bool) -> None:
        self._head_only = head_only
        self._minor_version = minor_version
        self.persistent = persistent
        self.framing = Framing.UNKNOWN
        self.complete = False
        self._buffer = b""
        self._remaining = 0

    @property
    def started(self) -> bool:
        """
        Whether the client has got a part of it.
        """
        return self.framing is not Framing.UNKNOWN

    def feed(self, data: bytes) -> bytes:
        """
        Take the next bytes from the node.

        @return: what the client gets now.
        @raise BadAnswer: the head is malformed or too large.
        """
        if self.framing is Framing.UNKNOWN:
            return self._head(self._buffer + data if self._buffer else data)
        if self.framing is Framing.SIZED:
            return self._sized(data)
        if self.framing is Framing.CHUNKED:
            return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        return data

    def finish(self) -> bytes:
        """
        The node has closed the connection.

        @return: the last bytes for the client; look at C{complete} then.
        """
        if self.framing is Framing.CHUNKED:
            self.complete = True
            return b"0\r\n\r\n"
        self.complete = self.complete or self.framing is Framing.CLOSING
        return b""

    def _sized(self, data: bytes) -> bytes:
        if len(data) > self._remaining:
            data = data[: self._remaining]
        self._remaining -= len(data)
        self.complete = not self._remaining
        return data

    def _head(self, data: bytes) -> bytes:
        passed = b""
        while match := _HEAD.match(data):
            end = match.end()
            if end > HEAD_LIMIT + 4:
                break
            self._buffer = b""
            status, fields = match.groups()
            found = _FRAMING.findall(fields)
            if self._is_usual(status, found, data):
                self._size(int(found[0][1]))
                if len(data) - end <= self._remaining:
                    self._remaining -= len(data) - end
                    self.complete = not self._remaining
                    if not self.persistent:
                        data = b"%bConnection: close\r\n\r\n%b" % (data[: end - 2], data[end:])
                    return passed + data if passed else data
            if status >= b"200":
                head = self._final_head(data[:end], found, status)
                return passed + head + self.feed(data[end:])
            passed += self._interim(data[:end], status)
            data = data[end:]
        _check_part(data)
        self._buffer = data
        return passed

    def _is_usual(self, status: bytes, found: list[tuple[bytes, bytes]], data: bytes) -> bool:
        """
        Whether the length is all that concerns us in the head.
        """
        return (
            len(found) == 1
            and found[0][0].lower() == b"content-length"
            and _LENGTH.fullmatch(found[0][1]) is not None
            and status >= b"200"
            and status not in _WITHOUT_BODY
            and not self._head_only
            and data.startswith(b"HTTP/1.1")
        )

    def _interim(self, head: bytes, status: bytes) -> bytes:
        if status == b"101":
            raise BadAnswer("the answer switches protocols, which is not supported")
        return _without(head, _FRAMING_NAMES) if self._minor_version else b""

    def _final_head(self, head: bytes, found: list[tuple[bytes, bytes]], status: bytes) -> bytes:
        lengths, encodings, others = _framing_fields(found)
        if lengths and (len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0])):
            raise BadAnswer("the answer's Content-Length is malformed")
        added = b""
        dropped = _OVERRIDDEN if encodings else _NONE
        if status == b"204":
            self._size(0)
            dropped = _FRAMING_NAMES
        elif self._head_only or status == b"304":
            self._size(0)
        elif encodings:
            self._pass_encoded()
        elif lengths:
            self._size(int(lengths[0]))
        elif self._minor_version and self.persistent:
            self.framing, added = Framing.CHUNKED, b"Transfer-Encoding: chunked\r\n"
        else:
            self.framing, self.persistent = Framing.CLOSING, False
        if others or (dropped and (lengths or encodings)):
            head = _without(head, dropped)
        if not self.persistent:
            added += b"Connection: close\r\n"
        if self._minor_version and not head.startswith(b"HTTP/1.1"):
            head = b"HTTP/1.1" + head[8:]
        return b"%b%b\r\n" % (head[:-2], added) if added else head

    def _pass_encoded(self) -> None:
        """
        The node's own chunks end with the connection.
        """
        if not self._minor_version:
            raise BadAnswer("the answer is chunked, which an HTTP/1.0 client cannot read")
        self.framing, self.persistent = Framing.CLOSING, False

    def _size(self, length: int) -> None:
        self.framing, self._remaining = Framing.SIZED, length
        self.complete = not length


def _check_part(data: bytes) -> None:
    """
    @raise BadAnswer: C{data} is not the beginning of a head.
    """
    end = data.find(b"\r\n\r\n")
    # Three bytes more: a part of the head's end.
    if end > HEAD_LIMIT or (end < 0 and len(data) > HEAD_LIMIT + 3):
        raise BadAnswer(f"the answer's head is over {HEAD_LIMIT} bytes")
    if not b"HTTP/1."[: len(data)] == data[:7]:
        raise BadAnswer("the answer does not start with HTTP/1.")
    if end >= 0:
        raise BadAnswer("the answer's head is malformed")


def _framing_fields(found: list[tuple[bytes, bytes]]) -> tuple[list[bytes], list[bytes], bool]:
    """
    @return: the Content-Lengths, the Transfer-Encodings, and whether there are
        headers that concern the node's connection only.
    """
    lengths, encodings, others = [], [], False
    for name, value in found:
        kind = name.lower()
        if kind == b"content-length":
            lengths.append(value)
        elif kind == b"transfer-encoding":
            encodings.append(value)
        else:
            others = True
    return lengths, encodings, others


def _without(head: bytes, dropped: frozenset[bytes]) -> bytes:
    """
    The head without the headers of the node's connection.

    @param dropped: names of framing headers that go as well: both where there
        can be no body (RFC 9112 section 6.1), Content-Length where an encoding
        overrides it (section 6.3).
    """

    def kept(match: re.Match[bytes]) -> bytes:
        name = match[1].lower()
        return match[0] if name in _FRAMING_NAMES and name not in dropped else b""

    return _FRAMING.sub(kept, head)
