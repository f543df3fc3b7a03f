"""
Tests for L{emperor.monitors.noise}.
"""

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from emperor.monitors.noise import EVENTS_A_SECOND, EVENTS_AT_ONCE, PAUSE, BoundedWatch
from emperor.monitors.settling import Change
from tests.monitors.worlds import MemoryWatch


class BoundedWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.heard: list[tuple[str, Change]] = []
        self.inner: list[MemoryWatch] = []
        self.watch = BoundedWatch(self.clock, lambda *event: self.heard.append(event), self.make)
        self.watch.directories(frozenset({"/v"}))

    def make(self, reactor: object, hear: object) -> MemoryWatch:
        """
        Remember the watch that is bounded.
        """
        self.inner.append(MemoryWatch(reactor, hear))  # type: ignore[arg-type]
        return self.inner[-1]

    def make_noise(self, events: int = EVENTS_AT_ONCE + 1) -> None:
        """
        Change a file so many times.
        """
        for _ in range(events):
            self.inner[0].hear("/v/a.ini", Change.OTHER)

    def test_told(self) -> None:
        """
        What happens is told as it is, however long it goes on; much at once is, too.
        """
        self.make_noise(EVENTS_AT_ONCE - EVENTS_A_SECOND)
        for _ in range(30):
            self.make_noise(EVENTS_A_SECOND)
            self.clock.advance(1)
        self.assertEqual(EVENTS_AT_ONCE + 29 * EVENTS_A_SECOND, len(self.heard))
        self.assertEqual({("/v/a.ini", Change.OTHER)}, set(self.heard))
        self.assertEqual({"/v"}, self.inner[0].wanted)

    def test_sustained(self) -> None:
        """
        Who makes noise all the time is listened to no more than is fixed.
        """
        self.make_noise()
        self.heard.clear()
        for _ in range(10):
            self.clock.advance(PAUSE)
            self.make_noise()
        self.assertApproximates(10 * EVENTS_A_SECOND * PAUSE, len(self.heard), 20)

    def test_noise(self) -> None:
        """
        When it is too much nothing is heard for a while, and what was wanted
        meanwhile is watched then; all of it may have changed.
        """
        self.make_noise()
        self.assertTrue(self.inner[0].closed)
        self.heard.clear()
        self.make_noise()
        self.watch.directories(frozenset({"/v", "/w"}))
        self.assertEqual({"/v"}, self.inner[0].wanted)
        self.assertEqual([], self.heard)
        self.clock.advance(PAUSE)
        self.assertEqual({"/v", "/w"}, self.inner[0].wanted)
        self.assertEqual([("/v", Change.OTHER), ("/w", Change.OTHER)], sorted(self.heard, key=str))
        self.make_noise(1)
        self.assertEqual(3, len(self.heard))

    def test_complaint(self) -> None:
        """
        That is told once.
        """
        with capturedLogs() as events:
            for _ in range(3):
                self.make_noise()
                self.clock.advance(PAUSE)
        self.assertEqual(1, len(events))

    def test_close(self) -> None:
        """
        After C{close} nothing is left, also while it does not listen.
        """
        self.make_noise()
        self.watch.close()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertTrue(self.inner[0].closed)
