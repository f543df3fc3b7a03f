"""
Connections to nodes that have a name.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import TimeoutError
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import NamedAddress, TcpAddress
from emperor.proxy.backends import explain, is_absent, is_timeout
from emperor.proxy.named import NamedDialer
from emperor.proxy.names import OLD, PATIENCE, Names
from emperor.testing.proxy import FakeDialer
from tests.proxy.naming import FakeResolver

A, B = TcpAddress("192.0.2.1", 3031), TcpAddress("192.0.2.2", 3031)


class NamedDialerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.resolver = FakeResolver()
        self.sockets = FakeDialer(self.clock)
        names = Names(self.resolver, self.clock, 5)
        self.dialer = NamedDialer(self.clock, self.sockets, names)
        self.protocol = Protocol()
        self.failures: list[Failure] = []

    def dial(self, timeout: float = 4) -> Callable[[], None]:
        address = NamedAddress("app", 3031)
        return self.dialer.dial(address, self.protocol, self.failures.append, timeout)

    def know(self, *hosts: str) -> None:
        self.resolver.known["app"] = hosts

    def assert_over(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_connected(self) -> None:
        """
        The name is looked up, and its address dialed.
        """
        self.dial()
        self.assertEqual(self.sockets.dials, [])
        self.resolver.answer(A.host)
        (dial,) = self.sockets.dials
        self.assertEqual((dial.address, dial.timeout), (A, 4))
        dial.accept()
        self.assertIsNotNone(self.protocol.transport)
        self.assert_over()
        self.assertEqual(self.failures, [])

    def test_all_in_turn(self) -> None:
        """
        If an address does not accept the next one is tried, and the last
        failure is told.
        """
        self.know(A.host, B.host)
        self.dial()
        self.sockets.dials[0].refuse()
        self.assertEqual(self.failures, [])
        self.assertEqual({each.address for each in self.sockets.dials}, {A, B})
        self.sockets.dials[1].refuse()
        (failure,) = self.failures
        self.assertTrue(is_absent(failure))
        self.assertEqual(len(self.sockets.dials), 2)
        self.assert_over()

    def test_time_is_shared(self) -> None:
        """
        One that is silent leaves time for the others.
        """
        self.know(A.host, B.host)
        self.dial(timeout=4)
        self.assertEqual(self.sockets.dials[0].timeout, 2)
        self.clock.advance(2)
        self.sockets.dials[0].tell(TimeoutError())
        self.assertEqual(self.sockets.dials[1].timeout, 2)

    def test_a_dead_one_is_tried_last(self) -> None:
        """
        The next requests do not begin with the address that did not accept.
        """
        self.know(A.host, B.host)
        self.dial()
        dead = self.sockets.dials[0].address
        self.sockets.dials[0].refuse()
        for _ in range(3):
            self.dial()
            self.assertNotEqual(self.sockets.dials[-1].address, dead)

    def test_no_address(self) -> None:
        """
        A name without an address is a failure, but not before dialing returns.
        """
        self.know()
        self.dial()
        self.assertEqual(self.failures, [])
        self.clock.advance(0)
        (failure,) = self.failures
        self.assertEqual(explain(failure), "the name app has no address")
        self.assertFalse(is_absent(failure))
        self.assert_over()

    def test_silent_resolver(self) -> None:
        """
        A resolver that does not answer is a time-out.
        """
        self.dial(timeout=4)
        self.clock.pump([0.5] * 7)
        self.assertEqual(self.failures, [])
        self.clock.advance(0.5)
        (failure,) = self.failures
        self.assertTrue(is_timeout(failure))
        self.assert_over()
        self.resolver.answer(A.host)
        self.assertEqual(self.sockets.dials, [])

    def test_slow_resolver(self) -> None:
        """
        One that needs some seconds is waited for.
        """
        self.dial(timeout=4)
        self.clock.advance(PATIENCE)
        self.clock.advance(1)
        self.resolver.answer(A.host)
        self.assertEqual(self.sockets.dials[0].timeout, 4 - PATIENCE - 1)
        self.assert_over()

    def test_last_known(self) -> None:
        """
        Where there is an old answer nobody waits long for a new one.
        """
        self.dial()
        self.resolver.answer(A.host)
        self.clock.advance(OLD + 1)
        self.dial()
        self.assertEqual(len(self.sockets.dials), 1)
        self.clock.advance(PATIENCE)
        self.assertEqual(self.sockets.dials[1].address, A)

    def test_given_up(self) -> None:
        """
        Who gives up hears nothing: while the name is looked up, while an
        address is dialed, and when there is none.
        """
        self.dial()()
        self.resolver.answer(A.host)
        self.assertEqual(self.sockets.dials, [])
        give_up = self.dial()
        give_up()
        give_up()
        self.assertTrue(self.sockets.dials[0].cancelled)
        self.know()
        self.clock.advance(OLD)
        self.dial()()
        self.clock.advance(100)
        self.assertEqual(self.failures, [])
        self.assert_over()
