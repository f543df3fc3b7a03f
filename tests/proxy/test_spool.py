"""
Bodies that must be complete before a node can have them.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.spool import IN_MEMORY, SizedReader, Spool
from emperor.testing.proxy import FakeStream
from emperor.wire.http import CHUNK_OVERHEAD_LIMIT, BadRequest, ChunksReader
from tests.wire.cutting import cuts


def spool(limit: int = 10**9) -> Spool:
    return Spool(ChunksReader(), limit)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class SpoolTests(SynchronousTestCase):
    def sent(self, body: Spool) -> bytes:
        clock = Clock()
        stream = FakeStream(Protocol(), clock)
        passed: list[bytes] = []

        def keep(data: bytes) -> bytes:
            passed.append(data)
            return data

        done = body.send(stream, keep)
        clock.advance(0)
        self.successResultOf(done)
        body.close()
        data = stream.take()
        self.assertEqual(b"".join(passed), data)
        return data

    @given(st.lists(st.binary(min_size=1, max_size=50), max_size=5))
    def test_round_trip(self, pieces: list[bytes]) -> None:
        """
        What came in chunks is sent as one body, with its size known.
        """
        body = spool()
        for piece in pieces:
            self.assertIsNone(body.feed(chunk(piece)))
        self.assertIsNotNone(body.feed(b"0\r\n\r\n"))
        self.assertEqual(body.size, len(b"".join(pieces)))
        self.assertEqual(self.sent(body), b"".join(pieces))

    def test_larger_than_memory(self) -> None:
        """
        A body that does not fit into memory is sent whole.
        """
        data = bytes(range(256)) * (IN_MEMORY // 128)
        body = spool()
        body.feed(chunk(data))
        body.feed(b"0\r\n\r\n")
        self.assertEqual(self.sent(body), data)

    def test_limit(self) -> None:
        """
        A body may have as many bytes as the limit says.
        """
        body = spool(limit=4)
        self.addCleanup(body.close)
        body.feed(chunk(b"abcd"))
        error = self.assertRaises(BadRequest, body.feed, chunk(b"e"))
        self.assertEqual(error.status, 413)

    def test_overhead(self) -> None:
        """
        Endless trailers and chunk headers with hardly a byte are refused.
        """
        for piece in (b"1;a=%b\r\na\r\n" % (b"b" * 100), b"0\r\n" + b"X: y\r\n" * 100):
            body = spool()
            self.addCleanup(body.close)
            feeds = CHUNK_OVERHEAD_LIMIT // len(piece) + 200
            error = self.assertRaises(
                BadRequest, lambda b=body, p=piece, n=feeds: [b.feed(p) for _ in range(n)]
            )
            self.assertEqual(error.status, 400)

    def test_small_chunks(self) -> None:
        """
        Chunks of a single byte are no attack.
        """
        body = spool()
        self.addCleanup(body.close)
        for _ in range(100):
            body.feed(chunk(b"a") * 200)
        self.assertEqual(body.size, 20000)


class SizedTests(SynchronousTestCase):
    @given(st.data(), st.binary(min_size=1, max_size=40), st.binary(max_size=9))
    def test_any_cut(self, data: st.DataObject, body: bytes, behind: bytes) -> None:
        """
        A body of known length ends where it says, wherever it is cut; what
        follows comes back.
        """
        reader, found = SizedReader(len(body)), b""
        pieces = data.draw(cuts(body + behind))
        rest: bytes | None = None
        for piece in pieces:
            if rest is not None:
                rest += piece
                continue
            more, rest = reader.feed(piece)
            found += more
        self.assertEqual((found, rest), (body, behind))
