"""
What both front ends do with a client's connection.
"""

from __future__ import annotations

import socket
from typing import cast

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import RouterSettings
from emperor.interfaces import IStream
from emperor.proxy.frontend import LINGER, Frontend, host_of, unsent
from emperor.proxy.refusals import Refusal
from emperor.testing.proxy import FakeStream
from tests.proxy.dialogue import FASTROUTER, Dialogue


class Plain(Frontend):
    """
    A front end that notes what it is asked.
    """

    def __init__(self, wire: Dialogue) -> None:
        super().__init__(wire.router)
        self.asked: list[object] = []
        self.factory = wire.factory

    def received(self, data: bytes) -> None:
        self.asked.append(data)

    def request_ended(self) -> None:
        self.asked.append("ended")

    def request_timed_out(self) -> None:
        self.asked.append("timed out")

    def send_refusal(self, refusal: Refusal) -> None:
        self.asked.append(refusal)


class FrontendTests(SynchronousTestCase):
    settings: RouterSettings = FASTROUTER

    def setUp(self) -> None:
        self.wire = Dialogue(self.settings)
        self.addCleanup(self.wire.router.deadlines.stop)
        self.front = Plain(self.wire)
        self.client = FakeStream(self.front, self.wire.clock)

    def test_first_request(self) -> None:
        """
        A request must follow in time; what nobody answers is asked again.
        """
        self.wire.wait(int(self.settings.headers_timeout))
        self.assertEqual(self.front.asked, [])
        self.wire.wait(2)
        self.assertEqual(self.front.asked[0], "timed out")

    def test_bytes(self) -> None:
        """
        Bytes are passed on until the connection is closing.
        """
        self.client.send(b"a")
        self.front.close(all_read=False)
        self.client.send(b"b")
        self.assertEqual(self.front.asked, [b"a"])

    def test_close(self) -> None:
        """
        A connection with nothing more to come closes at once.
        """
        self.front.close(all_read=True)
        self.wire.clock.advance(0)
        self.assertIsNotNone(self.client.lost)
        self.assertFalse(self.client.aborted)

    def test_linger(self) -> None:
        """
        One with more to come closes its half, reads on for a while, then ends.
        """
        self.front.reading.hold()
        self.front.close(all_read=False)
        self.wire.clock.advance(0)
        self.assertTrue(self.client.ended and self.client.reading)
        self.wire.wait(int(LINGER))
        self.assertIsNone(self.client.lost)
        self.wire.wait(2)
        self.assertIsNotNone(self.client.lost)
        self.assertFalse(self.client.aborted, "what the kernel still has would be lost")

    def test_linger_ends_with_client(self) -> None:
        """
        The client's own end is the end of that.
        """
        self.front.close(all_read=False)
        self.wire.clock.advance(0)
        self.client.send_end()
        self.assertIsNotNone(self.client.lost)
        self.assertFalse(self.client.aborted)

    def test_close_after_end(self) -> None:
        """
        Where the client has ended already nothing is waited for.
        """
        self.client.send_end()
        self.assertEqual(self.front.asked, ["ended"])
        self.front.close(all_read=False)
        self.wire.clock.advance(0)
        self.assertIsNotNone(self.client.lost)

    def test_client_that_takes_nothing(self) -> None:
        """
        A closing connection whose client takes nothing ends all the same.
        """
        self.client.fill()
        self.front.close(all_read=True)
        self.wire.wait(int(self.settings.timeout))
        self.assertIsNone(self.client.lost)
        self.wire.wait(2)
        self.assertTrue(self.client.aborted)

    def test_gone(self) -> None:
        """
        A connection that is over is not watched any more.
        """
        self.client.break_off()
        self.wire.wait(100)
        self.assertEqual(self.front.asked, [])
        self.assertTrue(self.front.closing)
        self.assertEqual(self.wire.router.deadlines._watched, set())


class HostTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        An IPv4 client has its own address through whatever socket it comes;
        one of a UNIX socket has none.
        """
        for address, host in (
            (IPv4Address("TCP", "192.0.2.1", 1), "192.0.2.1"),
            (IPv6Address("TCP", "::ffff:192.0.2.1", 1), "192.0.2.1"),
            (IPv6Address("TCP", "2001:db8::1", 1), "2001:db8::1"),
            (IPv6Address("TCP", "::ffff:0:1", 1), "::ffff:0:1"),
            (UNIXAddress(None), ""),
        ):
            self.assertEqual(host_of(address), host)


class UnsentTests(SynchronousTestCase):
    def test_kernel(self) -> None:
        """
        What a receiver has not taken from the kernel is known.
        """
        near, far = socket.socketpair()
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        stream = cast(IStream, near)
        self.assertEqual(unsent(stream), 0)
        near.send(b"x" * 1000)
        before = unsent(stream)
        self.assertGreaterEqual(before, 1000)
        far.recv(1000)
        self.assertLess(unsent(stream), before)

    def test_nothing_to_ask(self) -> None:
        """
        A stream that is closed, or has no descriptor, keeps nothing.
        """
        near, far = socket.socketpair()
        near.close()
        far.close()
        self.assertEqual(unsent(cast(IStream, near)), 0)
        self.assertEqual(unsent(cast(IStream, object())), 0)
