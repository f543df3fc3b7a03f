"""
Tests for L{emperor.vassals.backoff}.
"""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.backoff import OLD_AGE, RESPITE, STABLE, BackOff, Life, Sentence

SHORT = Life(age=1)


def delays(backoff: BackOff, deaths: int) -> Iterator[float]:
    """
    The waits of a vassal that dies again and again.
    """
    failures = 0
    for _ in range(deaths):
        sentence = backoff.judge(SHORT, failures)
        failures = sentence.failures
        yield sentence.delay


class BackOffTests(SynchronousTestCase):
    def test_doubles(self) -> None:
        """
        Each failure in a row doubles the wait, up to the longest.
        """
        self.assertEqual([1, 2, 4, 8, 10, 10], list(delays(BackOff(1, 10, lambda: 0), 6)))

    def test_jitter(self) -> None:
        """
        Chance takes off up to a quarter, but never less than the first wait is
        left.
        """
        self.assertEqual([1, 1.5, 3, 6, 7.5], list(delays(BackOff(1, 10, lambda: 1), 5)))

    def test_accident(self) -> None:
        """
        A vassal that served for a while comes back at once, each time.
        """
        life = Life(age=100, served=STABLE, silent=False)
        self.assertEqual(Sentence(0, 0), BackOff(1, 10, lambda: 0).judge(life, 5))

    def test_first_death_of_a_loyal_one(self) -> None:
        """
        A vassal that answered a request comes back at once, but one that dies
        of each request has to wait; not longer each time, for some are answered.
        """
        backoff = BackOff(1, 10, lambda: 0)
        life = Life(age=2, served=1, loyal=True, silent=False)
        self.assertEqual(Sentence(0, 1), backoff.judge(life, 0))
        self.assertEqual(Sentence(1, 1), backoff.judge(life, 1))
        self.assertEqual(Sentence(1, 1), backoff.judge(life, 7))

    def test_no_blacklist(self) -> None:
        """
        With emperor-no-blacklist nobody waits, except for the second in which it
        was started.
        """
        backoff = BackOff(1, 10, lambda: 0, waits=False)
        self.assertEqual(Sentence(0, 8), backoff.judge(Life(age=RESPITE), 7))
        self.assertEqual(RESPITE, backoff.judge(Life(age=0), 7).delay)

    def test_old_silent_program(self) -> None:
        """
        The failures of a program that never speaks are forgotten when it ran
        for a minute.
        """
        backoff = BackOff(1, 10, lambda: 0)
        self.assertEqual(Sentence(1, 1), backoff.judge(Life(age=OLD_AGE), 7))
        talking = Life(age=OLD_AGE, silent=False)
        self.assertEqual(Sentence(10, 8), backoff.judge(talking, 7))

    @given(
        st.floats(0.001, 100),
        st.floats(0.001, 1000),
        st.floats(0, 1),
        st.integers(0, 10_000),
    )
    def test_bounds(self, first: float, longest: float, chance: float, failures: int) -> None:
        """
        No wait is longer than the longest, nor shorter than the first one
        unless that is longer than the longest.
        """
        delay = BackOff(first, longest, lambda: chance).judge(SHORT, failures).delay
        self.assertLessEqual(delay, longest)
        self.assertGreaterEqual(delay, min(first, longest))

    @given(st.lists(st.floats(0, 1), min_size=8, max_size=8))
    def test_grows(self, chances: list[float]) -> None:
        """
        Whatever chance does, each wait is longer than the one before.
        """
        drawn = iter(chances)
        waits = list(delays(BackOff(1, 1000, lambda: next(drawn)), 8))
        self.assertEqual(sorted(set(waits)), waits)
