"""
Tests for L{emperor.status.reader}.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock, Cooperator
from twisted.trial.unittest import SynchronousTestCase

from emperor.status.reader import ANSWER_TIMEOUT, HEAD_LIMIT, HEAD_TIMEOUT, Reader
from emperor.testing.proxy import FakeStream
from tests.wire.cutting import cuts

PIECES = (b'{"a":', b"1", b"}\n")
TEXT = b"".join(PIECES)

#: Seconds that a turn of the reactor takes here.
TURN = 0.001

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class ReaderCase(SynchronousTestCase):
    http = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.cooperator = Cooperator(
            terminationPredicateFactory=lambda: lambda: True,
            scheduler=lambda work: self.clock.callLater(TURN, work),
        )
        self.left: list[Reader] = []
        self.made = 0
        self.broken = False

    def gone(self, reader: Reader) -> None:
        self.left.append(reader)

    def pieces(self) -> Iterator[bytes]:
        for piece in PIECES:
            self.made += 1
            yield piece
        if self.broken:
            raise ZeroDivisionError

    def connect(self, *, full: bool = False) -> FakeStream:
        reader = Reader(self.clock, self.cooperator, self.pieces, http=self.http)
        reader.factory = self
        return FakeStream(reader, self.clock, full=full)

    def turn(self, times: int = 10) -> None:
        """
        Let the reactor turn.
        """
        self.clock.pump([TURN] * times)

    def assert_over(self) -> None:
        """
        Nothing is left of it.
        """
        self.turn()
        self.assertEqual(1, len(self.left))
        self.assertEqual([], self.clock.getDelayedCalls())


class RawTests(ReaderCase):
    def test_reads(self) -> None:
        """
        Who connects gets the text and the end.
        """
        stream = self.connect()
        self.turn()
        self.assertEqual(TEXT, stream.take())
        self.assertIsNotNone(stream.lost)
        self.assert_over()

    def test_in_turns(self) -> None:
        """
        In a turn of the reactor one piece is made, whoever reads.
        """
        one, two = self.connect(), self.connect()
        for number in range(1, 7):
            self.assertEqual(number - 1, self.made)
            self.turn(1)
            self.assertEqual(number, self.made)
        self.turn()
        self.assertEqual([TEXT, TEXT], [one.take(), two.take()])

    def test_half_closed(self) -> None:
        """
        C{nc} ends its half at once, and reads all the same.
        """
        stream = self.connect()
        stream.send_end()
        self.turn()
        self.assertEqual(TEXT, stream.take())
        self.assert_over()

    def test_talkative(self) -> None:
        """
        What it says does not matter.
        """
        stream = self.connect()
        stream.send(b"x" * 100000)
        self.turn()
        self.assertEqual(TEXT, stream.take())

    def test_slow(self) -> None:
        """
        For one that does not take what it gets nothing is made, and after a
        while it is cut.
        """
        stream = self.connect(full=True)
        stream.fill()
        self.turn()
        self.assertEqual(0, self.made)
        stream.drain()
        self.turn(1)
        stream.fill()
        self.turn()
        self.assertEqual(1, self.made)
        self.clock.advance(ANSWER_TIMEOUT - 1)
        self.assertFalse(stream.aborted)
        self.clock.advance(1)
        self.assertTrue(stream.aborted)
        self.assert_over()
        self.assertEqual(1, self.made)

    def test_slow_to_take_the_last_bytes(self) -> None:
        """
        Also if it only has to take what is sent already.
        """
        stream = self.connect()
        stream.full = True
        self.turn()
        self.assertIsNone(stream.lost)
        self.clock.advance(ANSWER_TIMEOUT)
        self.assert_over()

    def test_leaves(self) -> None:
        """
        One that leaves early leaves nothing behind.
        """
        stream = self.connect()
        self.turn(1)
        stream.lose()
        self.assert_over()
        self.assertEqual(1, self.made)

    def test_leaves_while_full(self) -> None:
        """
        So does one that was slow.
        """
        stream = self.connect()
        stream.fill()
        stream.break_off()
        self.assert_over()

    def test_broken(self) -> None:
        """
        If the text cannot be made the connection breaks off, so that it does
        not look complete.
        """
        self.broken = True
        stream = self.connect()
        self.turn()
        self.assertTrue(stream.aborted)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assert_over()

    def test_paused_twice(self) -> None:
        """
        A transport may say twice that it is full, or that it has room.
        """
        stream = self.connect()
        for _ in range(2):
            stream.fill()
        for _ in range(2):
            stream.drain()
        self.turn()
        self.assertEqual(TEXT, stream.take())


class HttpTests(ReaderCase):
    http = True

    def ask(self, *data: bytes) -> FakeStream:
        """
        Send a request in pieces, and wait.
        """
        stream = self.connect()
        for piece in data:
            stream.send(piece)
        self.turn()
        return stream

    def assert_status(self, stream: FakeStream, status: bytes) -> None:
        answer = stream.take()
        self.assertTrue(answer.startswith(b"HTTP/1.0 " + status + b" "), answer)
        self.assert_over()

    def test_answer(self) -> None:
        """
        The text comes as HTTP/1.0, with uWSGI's headers.
        """
        stream = self.ask(REQUEST)
        head, _, body = stream.take().partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.assertEqual(b"HTTP/1.0 200 OK", lines[0])
        self.assertIn(b"Content-Type: application/json", lines)
        self.assertIn(b"Access-Control-Allow-Origin: *", lines)
        self.assertIn(b"Connection: close", lines)
        self.assertEqual(TEXT, body)
        self.assert_over()

    @given(st.data(), st.sampled_from([REQUEST, b"GET / HTTP/1.0\n\n", b"x\r\n\r\nmore"]))
    def test_cut_anywhere(self, data: st.DataObject, request: bytes) -> None:
        """
        The request may come in any pieces.
        """
        self.setUp()
        stream = self.connect()
        for piece in data.draw(cuts(request)):
            if stream.lost is None:
                stream.send(piece)
        self.turn()
        self.assertTrue(stream.take().endswith(TEXT))
        self.assert_over()

    def test_head(self) -> None:
        """
        HEAD gets the head only.
        """
        stream = self.ask(REQUEST.replace(b"GET", b"HEAD"))
        self.assertTrue(stream.take().endswith(b"\r\n\r\n"))
        self.assertEqual(0, self.made)
        self.assert_over()

    def test_silent(self) -> None:
        """
        Nothing is made before it asks; one that does not ask is told so.
        """
        stream = self.ask(REQUEST[:-1])
        self.clock.advance(HEAD_TIMEOUT - 1)
        self.assertEqual(b"", stream.take())
        self.clock.advance(1)
        self.turn()
        self.assert_status(stream, b"408")
        self.assertEqual(0, self.made)

    def test_endless(self) -> None:
        """
        A head without an end is not kept.
        """
        stream = self.connect()
        for piece in (b"x" * HEAD_LIMIT, b"y", b"z" * HEAD_LIMIT):
            stream.send(piece)
        self.turn()
        self.assert_status(stream, b"431")

    def test_half_closed(self) -> None:
        """
        One may end its half behind its request, but not within it.
        """
        stream = self.connect()
        stream.send(REQUEST)
        stream.send_end()
        self.turn()
        self.assertTrue(stream.take().endswith(TEXT))
        self.assert_over()
        self.left.clear()
        stream = self.connect()
        stream.send(b"GET")
        stream.send_end()
        self.turn()
        self.assert_status(stream, b"400")

    def test_leaves(self) -> None:
        """
        One that leaves without asking leaves nothing behind.
        """
        self.connect().lose()
        self.assert_over()

    def test_cut(self) -> None:
        """
        At the end of the program it is cut.
        """
        stream = self.connect()
        reader = stream.protocol
        assert isinstance(reader, Reader)
        reader.cut()
        self.assert_over()
