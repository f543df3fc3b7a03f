"""
How a node that does not accept is spared.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.health import JITTER, TRIAL, Health, Quarantine

PLAIN = Quarantine(lambda: 0, first=1, longest=30)


class QuarantineTests(SynchronousTestCase):
    def test_growing(self) -> None:
        """
        Each failure in a row doubles the quarantine, up to the longest.
        """
        self.assertEqual([PLAIN.duration(count) for count in range(1, 8)], [1, 2, 4, 8, 16, 30, 30])

    @given(st.integers(1, 10**9), st.floats(0, 1))
    def test_chance(self, failures: int, chance: float) -> None:
        """
        A part of it is left to chance; it is never longer than the longest.
        """
        duration = Quarantine(lambda: chance).duration(failures)
        self.assertLessEqual((1 - JITTER) * PLAIN.duration(failures), duration)
        self.assertLessEqual(duration, PLAIN.duration(failures))


class HealthTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.health = Health()

    def refuse(self, now: float) -> None:
        self.health.failed(now, PLAIN)

    def test_well(self) -> None:
        """
        A node that nothing is known of may serve any number of requests.
        """
        for _ in range(3):
            self.assertTrue(self.health.may_serve(0))
            self.health.picked(0)

    def test_quarantine(self) -> None:
        """
        A node that failed gets no request for a second.
        """
        self.refuse(10)
        self.assertFalse(self.health.may_serve(10.9))
        self.assertTrue(self.health.may_serve(11))

    def test_one_tries(self) -> None:
        """
        After the quarantine one request tries the node, and no other until it
        is known how that went.
        """
        self.refuse(10)
        self.health.picked(11)
        self.assertFalse(self.health.may_serve(11))
        self.health.accepted()
        self.assertTrue(self.health.may_serve(11))

    def test_longer(self) -> None:
        """
        If the one that tried fails as well, the next quarantine is longer.
        """
        self.refuse(10)
        self.health.picked(11)
        self.refuse(12)
        self.assertFalse(self.health.may_serve(13.9))
        self.assertTrue(self.health.may_serve(14))

    def test_lost(self) -> None:
        """
        If nobody heard how it went, another one tries after a while.
        """
        self.refuse(10)
        self.health.picked(11)
        self.assertFalse(self.health.may_serve(11 + TRIAL - 0.1))
        self.assertTrue(self.health.may_serve(11 + TRIAL))

    def test_same_failure(self) -> None:
        """
        Failures in a quarantine do not lengthen it.
        """
        for now in (10, 10.1, 10.9):
            self.refuse(now)
        self.assertEqual(self.health.failures, 1)
        self.assertTrue(self.health.may_serve(11))

    def test_desperate(self) -> None:
        """
        A request that goes there within the quarantine, because there is no
        other node, does not count as the one that tries.
        """
        self.refuse(10)
        self.health.picked(10.5)
        self.refuse(10.6)
        self.assertTrue(self.health.may_serve(11))

    def test_forgotten(self) -> None:
        """
        A node that accepts has a clean record.
        """
        for now in (10, 20, 30):
            self.refuse(now)
        self.health.accepted()
        self.assertTrue(self.health.may_serve(30))
        self.refuse(40)
        self.assertTrue(self.health.may_serve(41))


class CheckedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.health = Health()
        self.checked = Quarantine(lambda: 0, first=1, longest=30, checked=True)

    def test_no_request_tries(self) -> None:
        """
        Where nodes are checked no request tries one, and one that it accepts
        proves nothing.
        """
        self.health.failed(10, self.checked)
        self.health.picked(12)
        self.health.accepted()
        self.assertFalse(self.health.may_serve(1000))

    def test_passed(self) -> None:
        """
        A check that it passes ends its quarantine, and all is forgotten.
        """
        for now in (10, 11, 13):
            self.health.failed(now, self.checked)
        self.assertEqual(self.health.until, 17)
        self.health.passed()
        self.assertTrue(self.health.may_serve(13))
        self.health.failed(20, self.checked)
        self.assertEqual(self.health.until, 21)
