"""
What nodes are asked, and what their answers show.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import CheckKind, NodeCheck
from emperor.routing.checks import LOOKED_AT, Check, make_check
from emperor.wire.uwsgi import PacketReader, iterate_variables
from tests.routing.nodes import member

NODE = member(modifier1=5, modifier2=6)
OTHER = member("/x")

CONNECT = make_check(NodeCheck(CheckKind.CONNECT))
PING = make_check(NodeCheck(CheckKind.PING))
PAGE = make_check(NodeCheck(CheckKind.HTTP, "/up%20/../down?a=b"))


class AnyTests(SynchronousTestCase):
    @given(st.sampled_from([CONNECT, PING, PAGE]), st.binary(max_size=LOOKED_AT))
    def test_end(self, check: Check, answer: bytes) -> None:
        """
        At the end there is a verdict, whatever the node has sent; it is one
        printable line.
        """
        verdict = check.verdict(answer, True)
        assert verdict is not None
        self.assertTrue(verdict.isprintable(), verdict)

    @given(st.sampled_from([CONNECT, PING, PAGE]), st.binary(max_size=200), st.binary(max_size=200))
    def test_cut(self, check: Check, first: bytes, rest: bytes) -> None:
        """
        However an answer is cut, it is well or it is not.
        """
        early = check.verdict(first, False)
        if early is not None:
            self.assertEqual(not early, not check.verdict(first + rest, True))


class ConnectTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """
        Nothing is asked; a node is one, whichever pools it is in.
        """
        self.assertEqual(CONNECT.question("a", NODE), b"")
        self.assertEqual(CONNECT.topic("a", NODE), CONNECT.topic("b", OTHER))
        self.assertEqual(CONNECT.verdict(b"", True), "")


class PingTests(SynchronousTestCase):
    def test_question(self) -> None:
        """
        uWSGI's ping, whichever modifiers requests have.
        """
        self.assertEqual(PING.question("a", NODE), b"\x64\x00\x00\x00")
        self.assertEqual(PING.topic("a", NODE), PING.topic("b", OTHER))

    def test_well(self) -> None:
        """
        A node that is well says so in four bytes.
        """
        self.assertEqual(PING.verdict(b"\x64\x00\x00\x01", False), "")
        self.assertIsNone(PING.verdict(b"\x64\x00\x00", False))
        self.assertIsNone(PING.verdict(b"", False))

    def test_trouble(self) -> None:
        """
        One that is in trouble says what it is.
        """
        for ended in (False, True):
            verdict = PING.verdict(b"\x64\x03\x00\x00low", ended)
            self.assertEqual(verdict, "it answers the ping with 'low'")
        self.assertIsNone(PING.verdict(b"\x64\x03\x00\x00lo", False))
        self.assertIn("'lo'", PING.verdict(b"\x64\x03\x00\x00lo", True) or "")

    def test_unknown(self) -> None:
        """
        One that does not know pings is well: it accepts.
        """
        self.assertEqual(PING.verdict(b"", True), "")
        self.assertEqual(PING.verdict(b"HTTP/1.1 400 Bad Request\r\n", False), "")


class PageTests(SynchronousTestCase):
    def test_question(self) -> None:
        """
        A request as a web server would send it, for the pool's host and with the
        node's modifiers.
        """
        packet, rest = PacketReader().feed(PAGE.question("a.com", NODE))
        assert packet is not None
        self.assertEqual((packet.modifier1, packet.modifier2, rest), (5, 6, b""))
        variables = dict(iterate_variables(packet.payload))
        expected = {
            b"REQUEST_METHOD": b"GET",
            b"REQUEST_URI": b"/up%20/../down?a=b",
            b"PATH_INFO": b"/down",
            b"QUERY_STRING": b"a=b",
            b"HTTP_HOST": b"a.com",
            b"SERVER_NAME": b"a.com",
            b"SERVER_PROTOCOL": b"HTTP/1.1",
        }
        self.assertEqual(variables, {**variables, **expected})

    def test_topic(self) -> None:
        """
        A node is asked once for each host that it serves.
        """
        self.assertEqual(PAGE.topic("a.com/shop", NODE), PAGE.topic(".a.com", NODE))
        self.assertNotEqual(PAGE.topic("a.com", NODE), PAGE.topic("b.com", NODE))
        self.assertNotEqual(PAGE.topic("a.com", NODE), PAGE.topic("a.com", OTHER))

    def test_status(self) -> None:
        """
        The page may be missing or elsewhere, but the application must work.
        """
        for status in (200, 204, 301, 404, 499):
            self.assertEqual(PAGE.verdict(b"HTTP/1.1 %d Well" % status, False), "")
        for status in (500, 503, 599):
            verdict = PAGE.verdict(b"HTTP/1.0 %d No\r\n" % status, False)
            self.assertEqual(verdict, f"it answers with the status {status}")
        self.assertIsNone(PAGE.verdict(b"HTTP/1.1 200", False))

    def test_no_answer(self) -> None:
        """
        A node that says nothing, or no HTTP, is not well.
        """
        self.assertEqual(PAGE.verdict(b"", True), "it closes without an answer")
        self.assertEqual(PAGE.verdict(b"hello\n", True), "it answers with 'hello\\n'")
