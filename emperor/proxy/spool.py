"""
A request's body that must be complete before a node can have it.

A uwsgi request tells the length of its body first; a chunked HTTP request does
not know it.  So such a body is kept: in memory while it is small, then in a
temporary file without a name.
"""

from __future__ import annotations

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from twisted.internet.defer import Deferred
from twisted.protocols.basic import FileSender

from emperor.interfaces import IStream
from emperor.wire.http import CHUNK_OVERHEAD_LIMIT, BadRequest, ChunksReader

#: Bytes that stay in memory.
IN_MEMORY = 64 * 1024


class Spool:
    """
    Collects one chunked body.

    @ivar size: bytes of the body so far.
    """

    def __init__(self, limit: int) -> None:
        self._reader = ChunksReader()
        self._limit = limit
        self._received = self.size = 0
        self._file = cast(IO[bytes], SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115

    def feed(self, data: bytes) -> bool:
        """
        Take the next bytes.

        @return: whether the body is complete.
        @raise BadRequest: the chunks are malformed, or there are too many.
        """
        self._received += len(data)
        piece, complete = self._reader.feed(data)
        self.size += len(piece)
        if self.size > self._limit:
            raise BadRequest(413, f"a body without Content-Length may have {self._limit} bytes")
        if self._received > CHUNK_OVERHEAD_LIMIT + 8 * self.size:
            raise BadRequest(400, "the body is nearly all chunk headers")
        self._file.write(piece)
        return complete

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
