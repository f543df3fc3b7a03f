"""
Tests for L{emperor.monitors.settling}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.monitors.settling import ABSENCE, LIMIT, LONGEST, PATIENCE, QUIET, Change, Settling

changes = st.tuples(st.sampled_from("abc"), st.sampled_from(Change), st.floats(0, 1))


class SettlingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.settling = Settling()

    def test_complete(self) -> None:
        """
        A file that was moved here is looked at soon.
        """
        self.assertEqual(10 + QUIET, self.settling.note("a", Change.COMPLETE, 10))

    def test_burst(self) -> None:
        """
        Each further change of a burst puts the look off a little.
        """
        self.settling.note("a", Change.COMPLETE, 10)
        self.assertEqual(10.004 + QUIET, self.settling.note("b", Change.COMPLETE, 10.004))

    def test_writer(self) -> None:
        """
        A file in writing is waited for until it is closed, but not for ever.
        """
        self.assertEqual(10 + PATIENCE, self.settling.note("a", Change.WRITTEN, 10))
        self.assertEqual(10 + PATIENCE, self.settling.note("b", Change.COMPLETE, 10.1))
        self.assertEqual(10.2 + QUIET, self.settling.note("a", Change.COMPLETE, 10.2))

    def test_vanished(self) -> None:
        """
        A file that vanished may come back in a moment.
        """
        self.assertEqual(10 + ABSENCE, self.settling.note("a", Change.VANISHED, 10))

    def test_clear(self) -> None:
        """
        A look begins a new account.
        """
        self.settling.note("a", Change.WRITTEN, 10)
        self.settling.look(10.5)
        self.assertEqual(11 + QUIET, self.settling.note("b", Change.OTHER, 11))

    def test_slow_writer(self) -> None:
        """
        What is being written is left alone by every look until it is closed, or
        its writer was quiet for a while; and not for ever.
        """
        for now in range(10, 19):
            self.settling.note("/a", Change.WRITTEN, now)
            self.assertEqual(min(now + PATIENCE, 10 + LONGEST), self.settling.look(now + 0.5))
            self.assertTrue(self.settling.is_in_writing("/a"))
        self.settling.note("/a", Change.WRITTEN, 19)
        self.assertIsNone(self.settling.look(20))
        self.assertFalse(self.settling.is_in_writing("/a"))
        self.settling.note("/b", Change.WRITTEN, 30)
        self.settling.note("/b", Change.COMPLETE, 31)
        self.assertFalse(self.settling.is_in_writing("/b"))

    @given(st.lists(changes))
    def test_never_forgotten(self, events: list[tuple[str, Change, float]]) -> None:
        """
        However busy a directory is, it is looked at within the limit.
        """
        settling, now = Settling(), 100.0
        for path, change, pause in events:
            now += pause
            self.assertLessEqual(
                settling.note(path, change, now), 100 + sum(e[2] for e in events) + LIMIT
            )
            self.assertLessEqual(settling.note(path, change, now), settling._first + LIMIT)
