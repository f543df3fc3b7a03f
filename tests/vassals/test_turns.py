"""
Tests for L{emperor.vassals.turns}.
"""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.turns import StartQueue


class StartQueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.queue = StartQueue(self.clock, at_once=2)
        self.started: list[int] = []

    def turn(self) -> None:
        """
        One turn of a reactor; a clock would run what comes after it as well.
        """
        (call,) = self.clock.getDelayedCalls()
        start = call.func  # type: ignore[attr-defined]
        call.cancel()
        start()

    def test_slices(self) -> None:
        """
        Only a few start in one turn of the reactor, in their order.
        """
        for number in range(5):
            self.queue.enter(lambda number=number: self.started.append(number))  # type: ignore[misc]
        self.assertEqual([], self.started)
        for expected in ([0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
            self.turn()
            self.assertEqual(expected, self.started)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_failure(self) -> None:
        """
        A start that fails is logged, and the next ones have their turn.
        """
        self.queue.enter(lambda: self.fail("as the test wants"))
        for number in range(3):
            self.queue.enter(lambda number=number: self.started.append(number))  # type: ignore[misc]
        self.clock.pump([0] * 3)
        self.assertEqual([0, 1, 2], self.started)
        self.assertEqual(1, len(self.flushLoggedErrors(self.failureException)))

    def test_leave(self) -> None:
        """
        Who has left is not started, and nothing is scheduled for nobody.
        """
        leave = self.queue.enter(lambda: self.started.append(0))
        leave()
        leave()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_leave_in_the_same_turn(self) -> None:
        """
        One vassal's start may make the next one leave.
        """
        self.queue.enter(lambda: leave())  # noqa: PLW0108
        leave = self.queue.enter(lambda: self.started.append(1))
        self.clock.advance(0)
        self.assertEqual([], self.started)
