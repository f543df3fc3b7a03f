"""
One check of one node.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.config.settings import CheckKind, NodeCheck
from emperor.proxy.probing import TAKEN, Probe
from emperor.routing.checks import make_check
from emperor.testing.proxy import Dial, FakeDialer, FakeStream
from tests.routing.nodes import member

ADDRESS = parse_address("/n")
HELLO = b"HTTP/1.1 200 OK\r\n\r\n"


class ProbeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.dialer = FakeDialer(self.clock)
        self.found: list[str] = []

    def dial(self, kind: CheckKind = CheckKind.HTTP) -> Dial:
        """
        A check whose node has not accepted yet.
        """
        check = make_check(NodeCheck(kind, "/"))
        question = check.question("a", member())
        self.probe = Probe(self.clock, check, question, 5, self.found.append)
        self.probe.start(self.dialer, ADDRESS, 2)
        (dial,) = self.dialer.dials
        self.assertEqual((dial.address, dial.timeout), (ADDRESS, 2))
        return dial

    def node(self, kind: CheckKind = CheckKind.HTTP) -> FakeStream:
        """
        A check whose node has accepted.
        """
        return self.dial(kind).accept()

    def assert_over(self, *found: str) -> None:
        """
        This was found, and nothing is left behind.
        """
        self.assertEqual(self.found, list(found))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_connect(self) -> None:
        """
        If it is enough that the node accepts, it is left in peace.
        """
        node = self.node(CheckKind.CONNECT)
        self.assertEqual(node.take(), b"")
        self.assertFalse(node.aborted)
        self.assert_over("")

    def test_ping(self) -> None:
        """
        The node is asked, answers and closes.
        """
        node = self.node(CheckKind.PING)
        self.assertEqual(node.take(), b"\x64\0\0\0")
        node.send(b"\x64\0")
        node.send(b"\0\1")
        self.assertEqual(self.found, [])
        node.lose()
        self.assert_over("")

    def test_page(self) -> None:
        """
        The whole page is taken, though its beginning is enough.
        """
        node = self.node()
        node.send(HELLO)
        node.send(b"x" * 1000)
        self.assertFalse(node.aborted)
        node.lose()
        self.assert_over("")

    def test_endless(self) -> None:
        """
        A page that does not end is not taken for ever.
        """
        node = self.node()
        node.send(HELLO)
        for _ in range(TAKEN // 1024):
            node.send(b"x" * 1024)
        self.assertTrue(node.aborted)
        self.assert_over("")

    def test_endless_nonsense(self) -> None:
        """
        Nor is what is no page.
        """
        node = self.node()
        node.send(b"x" * 2 * TAKEN)
        self.assertEqual(len(self.found), 1)
        self.assertIn("it answers with 'xxx", self.found[0])

    def test_slow_end(self) -> None:
        """
        A page that began in time is one, however late it ends.
        """
        node = self.node()
        node.send(HELLO)
        self.clock.pump([5, 0])
        self.assertTrue(node.aborted)
        self.assert_over("")

    def test_silent(self) -> None:
        """
        A node that does not answer is not waited for long.
        """
        node = self.node(CheckKind.PING)
        self.clock.pump([5, 0])
        self.assertTrue(node.aborted)
        self.assert_over("it does not answer within 5 s")

    def test_closes(self) -> None:
        """
        A node that closes at once does not know pings; that it has no page
        counts.
        """
        self.node(CheckKind.PING).lose()
        self.dialer.dials.clear()
        self.node(CheckKind.HTTP).lose()
        self.assert_over("", "it closes without an answer")

    def test_breaks(self) -> None:
        """
        A node that resets the connection is not well.
        """
        self.node(CheckKind.PING).break_off()
        self.assert_over("it breaks the connection off")

    def test_breaks_late(self) -> None:
        """
        After the answer it may do what it likes.
        """
        node = self.node()
        node.send(HELLO)
        node.break_off()
        self.assert_over("")

    def test_not_accepted(self) -> None:
        """
        A node that does not accept is not well.
        """
        self.dial().refuse()
        self.dialer.dials.clear()
        self.dial().time_out()
        self.assertIn("it cannot be reached", self.found[0])
        self.assert_over(self.found[0], "it does not accept within 2 s")

    def test_cancel(self) -> None:
        """
        A check that nobody wants any more ends without a word, before and after
        the node has accepted.
        """
        dial = self.dial()
        self.probe.cancel()
        self.assertTrue(dial.cancelled)
        self.dialer.dials.clear()
        node = self.node()
        self.probe.cancel()
        self.clock.advance(0)
        self.assertTrue(node.aborted)
        self.assert_over()
