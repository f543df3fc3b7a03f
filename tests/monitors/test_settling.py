"""
Tests for L{emperor.monitors.settling}.
"""

from math import inf

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.monitors.pace import BURST, INTERVAL, KNOWN_LIMIT
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
        A file in writing is waited for until it is closed, but not for ever; other
        files do not wait for it.
        """
        self.assertEqual(10 + PATIENCE, self.settling.note("a", Change.WRITTEN, 10))
        self.assertEqual(10.1 + QUIET, self.settling.note("b", Change.COMPLETE, 10.1))
        self.assertEqual(10 + PATIENCE, self.settling.look(10.15))
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
        self.assertEqual(inf, self.settling.look(20))
        self.assertFalse(self.settling.is_in_writing("/a"))
        self.settling.note("/b", Change.WRITTEN, 30)
        self.settling.note("/b", Change.COMPLETE, 31)
        self.assertFalse(self.settling.is_in_writing("/b"))

    def exhaust(self, path: str, now: float) -> None:
        """
        Change a file as often as that counts at once.
        """
        for _ in range(BURST):
            self.assertEqual(now + QUIET, self.settling.note(path, Change.OTHER, now))
            self.settling.look(now)

    def test_busy_file(self) -> None:
        """
        A file that changes all the time causes a look a second, and none of others
        waits for it.
        """
        self.exhaust("a", 10)
        self.assertEqual(10 + INTERVAL, self.settling.note("a", Change.OTHER, 10.1))
        self.assertEqual(10 + INTERVAL, self.settling.note("a", Change.COMPLETE, 10.2))
        self.assertEqual(10.3 + QUIET, self.settling.note("b", Change.COMPLETE, 10.3))
        self.assertEqual(10.3 + QUIET, self.settling.note("a", Change.OTHER, 10.304))
        self.assertEqual(10 + INTERVAL, self.settling.look(10.4))
        self.assertEqual(inf, self.settling.look(10 + INTERVAL))
        self.assertEqual(10 + 2 * INTERVAL, self.settling.note("a", Change.OTHER, 11.1))

    def test_calm_again(self) -> None:
        """
        It is as any other one when it has been quiet for a while.
        """
        self.exhaust("a", 10)
        self.settling.look(20)
        self.exhaust("a", 20)

    def test_crowd(self) -> None:
        """
        However many files change, no more of them are remembered than is fixed, and
        each causes a look.
        """
        for number in range(KNOWN_LIMIT + 10):
            due = self.settling.note(str(number), Change.OTHER, 10)
        self.assertEqual(10 + QUIET, due)
        self.assertEqual(KNOWN_LIMIT, len(self.settling._heard))

    @given(st.lists(changes))
    def test_never_forgotten(self, events: list[tuple[str, Change, float]]) -> None:
        """
        However busy a directory is, it is looked at within the limit after each
        change that was not too much or not complete, and those have one, too.
        """
        settling, now, due = Settling(), 100.0, inf
        for path, change, pause in events:
            now += pause
            if due <= now:
                settling.look(now)
            before = due if due > now else inf
            due = settling.note(path, change, now)
            self.assertLessEqual(due, now + max(PATIENCE, INTERVAL))
            if settling._heard:
                self.assertLessEqual(due, settling._first + LIMIT)
            if change is Change.OTHER and before == inf:
                self.assertLessEqual(due, now + INTERVAL)
