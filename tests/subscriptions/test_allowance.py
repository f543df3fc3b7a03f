"""
Tests for L{emperor.subscriptions.allowance}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.subscriptions.allowance import Allowance


class AllowanceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.unsaid: list[int] = []
        self.allowance = Allowance(self.clock, 3, self.unsaid.append)

    def take(self, count: int) -> int:
        return sum(self.allowance.take() for _ in range(count))

    def test_few(self) -> None:
        """
        What is seldom is always said, and costs no timer.
        """
        for _ in range(5):
            self.assertEqual(self.take(3), 3)
            self.clock.advance(1.1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.unsaid, [])

    def test_many(self) -> None:
        """
        Of many only the first are said in a second; the rest is told as a count.
        """
        for _ in range(3):
            self.assertEqual(self.take(10), 3)
            self.clock.advance(1)
        self.assertEqual(self.unsaid, [7, 7, 7])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clock_goes_back(self) -> None:
        """
        A clock that is set back does not keep it silent.
        """
        self.clock.rightNow = 1000
        self.assertEqual(self.take(3), 3)
        self.clock.rightNow = 10
        self.assertEqual(self.take(3), 3)
