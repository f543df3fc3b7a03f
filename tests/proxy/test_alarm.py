"""
An end to calls that take too long.
"""

from __future__ import annotations

import signal
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy import alarm
from emperor.proxy.alarm import TookTooLong, within


def ring() -> None:
    """
    The time is over.
    """
    signal.raise_signal(signal.SIGALRM)


class AlarmTests(SynchronousTestCase):
    def tearDown(self) -> None:
        """
        No alarm is left over.
        """
        self.assertEqual(signal.getitimer(signal.ITIMER_REAL), (0, 0))

    def test_in_time(self) -> None:
        """
        A call in time is a call; one that comes back with a late ring is, too.
        """
        self.assertEqual(within(5, divmod, 7, 2), (3, 1))
        self.assertRaises(ZeroDivisionError, within, 5, divmod, 7, 0)
        ring()

    def test_armed(self) -> None:
        """
        The clock runs while the call does, and rings more than once.
        """
        left, again = within(5, signal.getitimer, signal.ITIMER_REAL)
        self.assertGreater(left, 4)
        self.assertGreater(again, 0)

    def test_endless(self) -> None:
        """
        What would never end is ended, also if it catches the first rings.
        """

        def forever(rings: list[None]) -> None:
            while len(rings) < 2:
                try:
                    while True:
                        pass
                except TookTooLong:
                    rings.append(None)
            while True:
                pass

        self.patch(alarm, "REPEAT", 0.001)
        rings: list[None] = []
        self.assertRaises(TookTooLong, within, 0.001, forever, rings)
        self.assertEqual(len(rings), 2)

    def test_at_the_end(self) -> None:
        """
        A ring in the last moment is one, and nothing worse.
        """
        self.assertRaises(TookTooLong, within, 5, ring)
        ring()

    def test_within_another(self) -> None:
        """
        The call within a call does not end the bound of the outer one.
        """

        def outer() -> None:
            within(5, len, "")
            ring()

        self.assertRaises(TookTooLong, within, 5, outer)

    def test_no_time(self) -> None:
        """
        No time at all is a moment, not for ever.
        """
        left, _ = within(0, signal.getitimer, signal.ITIMER_REAL)
        self.assertGreater(left, 0)

    def test_thread(self) -> None:
        """
        Another thread has no alarm.
        """
        found: list[tuple[float, float]] = []
        thread = Thread(
            target=lambda: found.append(within(5, signal.getitimer, signal.ITIMER_REAL))
        )
        thread.start()
        thread.join()
        self.assertEqual(found, [(0, 0)])
