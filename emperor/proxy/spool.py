"""
A request's body that must be complete before a node can have it.

A uwsgi request tells the length of its body first; a chunked HTTP request does
not know it.  And C{post-buffering} spares the nodes slow clients.  Such a body
is kept: in memory while it is small, then in a temporary file without a name.
"""

from __future__ import annotations

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.protocols.basic import FileSender

from emperor.interfaces import IStream
from emperor.wire.http import CHUNK_OVERHEAD_LIMIT, BadRequest

#: Bytes that stay in memory.
IN_MEMORY = 64 * 1024


class BodyReader(Protocol):
    """
    Finds a request's body in what comes after its head.
    """

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Take the next bytes.

        @return: what they carry of the body; and what follows it, or L{None}:
            more of it is to come.
        @raise BadRequest: they are malformed.
        """


class SizedReader:
    """
    A body of known length.
    """

    def __init__(self, size: int) -> None:
        """
        @param size: bytes.
        """
        self._remaining = size

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        See L{BodyReader.feed}.
        """
        piece, rest = data[: self._remaining], data[self._remaining :]
        self._remaining -= len(piece)
        return piece, None if self._remaining else rest


class Spool:
    """
    Collects one body.

    @ivar size: bytes of the body so far.
    """

    def __init__(self, reader: BodyReader, limit: int, in_memory: int = IN_MEMORY) -> None:
        """
        @param limit: bytes of the body.
        @param in_memory: bytes that stay in memory.
        """
        self._reader = reader
        self._limit = limit
        self._received = self.size = 0
        self._file = cast(IO[bytes], SpooledTemporaryFile(max_size=in_memory))  # noqa: SIM115

    def feed(self, data: bytes) -> bytes | None:
        """
        Take the next bytes.

        @return: what follows the body; L{None}: it is not complete.
        @raise BadRequest: the chunks are malformed, or there are too many.
        """
        self._received += len(data)
        piece, rest = self._reader.feed(data)
        self.size += len(piece)
        if self.size > self._limit:
            raise BadRequest(413, f"a body without Content-Length may have {self._limit} bytes")
        if self._received > CHUNK_OVERHEAD_LIMIT + 8 * self.size:
            raise BadRequest(400, "the body is nearly all chunk headers")
        self._file.write(piece)
        return rest

    def send(self, stream: IStream, passed: Callable[[bytes], bytes]) -> Deferred[object]:
        """
        Send the body, as fast as C{stream} takes it.

        @param passed: called with every piece, which it returns.
        @return: fires at the end; fails if the connection ends before.
        """
        self._file.seek(0)
        sending: Deferred[object] = FileSender().beginFileTransfer(self._file, stream, passed)
        return sending

    def close(self) -> None:
        """
        Forget the body.
        """
        self._file.close()
