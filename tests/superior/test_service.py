"""
Tests for L{emperor.superior.service}.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from emperor.superior.service import Outcome, Superior
from emperor.superior.summons import Summons
from emperor.wire.vassal import Order, Said
from tests.superior.descriptors import Descriptors

PRESENT = bytes([Said.READY, Said.ACCEPTING, Said.LOYAL])


class SuperiorTests(SynchronousTestCase):
    """
    The program and the Emperor above it.
    """

    def setUp(self) -> None:
        self.emperor, self.ours = socket.socketpair()
        self.emperor.setblocking(False)
        self.addCleanup(self.emperor.close)
        self.addCleanup(self.ours.close)
        self.reactor = Descriptors()
        self.calls: list[str] = []
        self.outcome = Outcome.SAME

    def start(self, heartbeat: float = 0) -> Superior:
        self.service = Superior(
            self.reactor,
            Summons(self.ours),
            heartbeat,
            stop=lambda: self.calls.append("stop"),
            reload=self._reload,
        )
        self.service.startService()
        return self.service

    def _reload(self, tell: Callable[[Outcome], object]) -> None:
        self.calls.append("reload")
        tell(self.outcome)

    def order(self, order: Order) -> None:
        self.emperor.send(bytes([order]))
        self.reactor.read()

    def heard(self) -> bytes:
        """
        What the Emperor has heard since.
        """
        try:
            return self.emperor.recv(99)
        except BlockingIOError:
            return b""

    def test_presents_itself(self) -> None:
        """
        It is there, accepts and is loyal, in this order.
        """
        service = self.start()
        self.assertEqual(self.heard(), PRESENT)
        self.assertEqual(service.descriptor, self.ours.fileno())

    def test_stopped_before_it_ran(self) -> None:
        """
        A program that ends before the reactor runs says nothing.
        """
        later: list[Callable[[], object]] = []
        self.patch(self.reactor, "callWhenRunning", later.append)
        service = self.start(1)
        service.stopService()
        for call in later:
            call()
        self.assertEqual((self.heard(), service.descriptor), (b"", -1))

    def test_heart(self) -> None:
        """
        It beats until the end, but not before it has presented itself, and not
        without the option.
        """
        service = self.start(5)
        self.assertEqual(self.heard(), PRESENT + bytes([Said.ALIVE]))
        self.reactor.pump([5, 5])
        self.assertEqual(self.heard(), bytes([Said.ALIVE, Said.ALIVE]))
        service.stopService()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.start()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """
        Both orders end the program.
        """
        self.start()
        for order in (Order.STOP, Order.STOP_GENTLY):
            self.order(order)
        self.assertEqual(self.calls, ["stop", "stop"])

    def test_emperor_dies(self) -> None:
        """
        The end of the Emperor is the end of the program.
        """
        self.start()
        self.emperor.close()
        self.reactor.read()
        self.assertEqual(self.calls, ["stop"])

    def test_reload(self) -> None:
        """
        One that came back and one that was refused accept requests; for one that is
        to come the next program will speak.
        """
        self.start()
        self.heard()
        for outcome, said in (
            (Outcome.SAME, bytes([Said.ACCEPTING, Said.LOYAL])),
            (Outcome.REFUSED, bytes([Said.ACCEPTING, Said.LOYAL])),
            (Outcome.RENEWED, b""),
        ):
            self.outcome = outcome
            self.order(Order.RELOAD)
            self.assertEqual(self.heard(), said)
        self.assertEqual(self.calls, ["reload"] * 3)
