"""
Tests for L{emperor.monitors.pace}.
"""

from math import inf

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.monitors.pace import BURST, INTERVAL, KNOWN_LIMIT, REST, Allowance, Pace


class AllowanceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.allowance = Allowance()

    def test_burst(self) -> None:
        """
        The first few times wait for nothing, the next ones for each other; other
        things have an allowance of their own.
        """
        for _ in range(BURST):
            self.assertLessEqual(self.allowance.ready("a", 10), 10)
            self.allowance.charge("a", 10)
        self.assertEqual(10 + INTERVAL, self.allowance.ready("a", 10))
        self.assertLessEqual(self.allowance.ready("b", 10), 10)

    def test_recovery(self) -> None:
        """
        Who was quiet for long enough has all of it again, and no more.
        """
        for _ in range(BURST):
            self.allowance.charge("a", 10)
        self.allowance.forget(10 + BURST * INTERVAL)
        for _ in range(BURST):
            self.assertLessEqual(self.allowance.ready("a", 50), 50)
            self.allowance.charge("a", 50)
        self.assertGreater(self.allowance.ready("a", 50), 50)

    def test_forget(self) -> None:
        """
        What is not whole is not forgotten.
        """
        for _ in range(BURST):
            self.allowance.charge("a", 10)
        self.allowance.forget(10)
        self.assertGreater(self.allowance.ready("a", 10), 10)

    def test_bounded(self) -> None:
        """
        Of more things than are known none waits.
        """
        for number in range(KNOWN_LIMIT + 1):
            for _ in range(BURST):
                self.allowance.charge(str(number), 10)
        self.assertGreater(self.allowance.ready(str(KNOWN_LIMIT - 1), 10), 10)
        self.assertLessEqual(self.allowance.ready(str(KNOWN_LIMIT), 10), 10)

    @given(st.lists(st.floats(0, 2)))
    def test_rate(self, pauses: list[float]) -> None:
        """
        However often somebody asks, in no time there is more than the allowance;
        and who waits as long as told gets it.
        """
        allowance, now, happened = Allowance(), 100.0, 0
        for pause in pauses:
            now += pause
            allowance.forget(now)
            ready = allowance.ready("a", now)
            self.assertLessEqual(ready, now + INTERVAL)
            if ready <= now:
                allowance.charge("a", now)
                happened += 1
        self.assertLessEqual(happened, BURST + (now - 100) / INTERVAL + 1e-6)


class PaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pace = Pace()

    def test_rest(self) -> None:
        """
        After a look that a hint has caused the next one waits a multiple of what
        it took; one that was due otherwise counts for nothing.
        """
        self.pace.begin(10, hinted=False)
        self.pace.end(10.5)
        self.assertEqual(10.6, self.pace.not_before(10.6))
        self.pace.begin(11, hinted=True)
        self.pace.end(11.5)
        self.assertEqual(11.5 + REST * 0.5, self.pace.not_before(11.6))
        self.assertEqual(20, self.pace.not_before(20))

    def test_busy_vassal(self) -> None:
        """
        One that changes too often is left for later, and it is known when.
        """
        for _ in range(BURST):
            self.pace.begin(10, hinted=True)
            self.assertTrue(self.pace.may_act("a.ini"))
        self.assertEqual(inf, self.pace.again)
        self.pace.begin(10, hinted=True)
        self.assertFalse(self.pace.may_act("a.ini"))
        self.assertTrue(self.pace.may_act("b.ini"))
        self.assertEqual(10 + INTERVAL, self.pace.again)
        self.pace.begin(self.pace.again, hinted=True)
        self.assertTrue(self.pace.may_act("a.ini"))
        self.assertEqual(inf, self.pace.again)

    def test_truth(self) -> None:
        """
        A look that no hint has caused takes all there is.
        """
        for _ in range(BURST + 2):
            self.pace.begin(10, hinted=False)
            self.assertTrue(self.pace.may_act("a.ini"))
