"""
Tests for L{emperor.vassals.heartbeat}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.heartbeat import Heart

LIMIT = 30


class HeartTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.heart = Heart(self.clock, LIMIT)
        self.silences: list[float] = []

    def beat(self) -> None:
        self.heart.beat(lambda: self.silences.append(self.clock.seconds()))

    def test_no_heart(self) -> None:
        """
        Of one that has never beaten nothing is expected.
        """
        self.clock.advance(1000)
        self.assertEqual([], self.silences)
        self.assertEqual(0, self.heart.beat_at)

    def test_silence(self) -> None:
        """
        It is told once that the heart stands still, when the time is over.
        """
        self.clock.advance(7)
        self.beat()
        self.clock.advance(LIMIT - 1)
        self.assertEqual([], self.silences)
        self.clock.pump([1, LIMIT, LIMIT])
        self.assertEqual([7 + LIMIT], self.silences)
        self.assertEqual(7, self.heart.beat_at)

    def test_rest(self) -> None:
        """
        A heart at rest may be silent until it beats again.
        """
        self.beat()
        self.heart.rest()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.clock.advance(LIMIT)
        self.beat()
        self.clock.advance(LIMIT)
        self.assertEqual([2 * LIMIT], self.silences)

    @given(st.lists(st.floats(0.001, LIMIT - 1)))
    def test_many_beats(self, pauses: list[float]) -> None:
        """
        However many beats there are, there is one timer, and the silence is
        counted from the last one.
        """
        self.setUp()
        self.beat()
        for pause in pauses:
            self.clock.advance(pause)
            self.beat()
            self.assertEqual(1, len(self.clock.getDelayedCalls()))
        last = self.clock.seconds()
        self.clock.advance(LIMIT - 0.5)
        self.assertEqual([], self.silences)
        self.clock.pump([0.6, 0.1])
        self.assertEqual(1, len(self.silences))
        self.assertGreaterEqual(self.silences[0], last + LIMIT - 0.001)
