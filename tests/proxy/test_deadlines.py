"""
The one timer for all time-outs.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.deadlines import Deadlines


class Patience:
    """
    Counts how often it was told that its time is over.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.times = 0
        self.error: Exception | None = None

    def timed_out(self) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error


class DeadlinesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100.5)
        self.deadlines = Deadlines(self.clock)
        self.deadlines.start()

    def test_never_early(self) -> None:
        """
        A deadline comes up to a second late and never early, also between looks.
        """
        self.clock.advance(0.9)
        item = Patience(self.deadlines.after(3))
        self.deadlines.watch(item)
        self.clock.pump([0.1] * 29)
        self.assertEqual(item.times, 0)
        self.clock.pump([0.1] * 12)
        self.assertEqual(item.times, 1)

    def test_again(self) -> None:
        """
        Who does nothing about it is told each second.
        """
        item = Patience(0)
        self.deadlines.watch(item)
        self.clock.pump([1] * 3)
        self.assertEqual(item.times, 3)

    def test_moved(self) -> None:
        """
        A deadline that is moved does not come.
        """
        item = Patience(self.deadlines.after(2))
        self.deadlines.watch(item)
        for _ in range(10):
            item.deadline = self.deadlines.after(2)
            self.clock.advance(1)
        self.assertEqual(item.times, 0)

    def test_forgotten(self) -> None:
        """
        Who is forgotten hears nothing; forgetting twice is no error.
        """
        item = Patience(0)
        self.deadlines.watch(item)
        self.deadlines.forget(item)
        self.deadlines.forget(item)
        self.clock.advance(1)
        self.assertEqual(item.times, 0)

    def test_forgotten_by_another(self) -> None:
        """
        A time-out that ends another watch is the last word on that.
        """
        items = [Patience(0), Patience(0)]
        for item, other in (items, items[::-1]):
            self.patch(item, "timed_out", lambda i=item, o=other: self.end(i, o))
            self.deadlines.watch(item)
        self.clock.advance(1)
        self.assertEqual(sum(item.times for item in items), 1)

    def end(self, item: Patience, other: Patience) -> None:
        item.times += 1
        self.deadlines.forget(other)

    def test_broken(self) -> None:
        """
        A time-out that breaks is logged and does not end the others.
        """
        broken, well = Patience(0), Patience(0)
        broken.error = ZeroDivisionError()
        self.deadlines.watch(broken)
        self.deadlines.watch(well)
        self.clock.pump([1, 1])
        self.assertEqual((broken.times, well.times), (2, 2))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_stop(self) -> None:
        """
        A stopped timer leaves nothing behind; stopping twice is no error.
        """
        self.deadlines.stop()
        self.deadlines.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_now(self) -> None:
        """
        The time is that of the last look.
        """
        self.assertEqual(self.deadlines.now, 100.5)
        self.clock.advance(1)
        self.assertEqual(self.deadlines.now, 101.5)
