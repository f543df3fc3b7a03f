"""
The heart of a vassal that asked to be watched.

A uWSGI with the option C{heartbeat} says every few seconds that it lives.  From
its first beat on it must go on, or something holds all of its workers.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Heart:
    """
    Notices when a vassal that has beaten does not beat any more.

    @ivar beat_at: when it did the last time; 0 if it never did.
    """

    def __init__(self, clock: IReactorTime, limit: float) -> None:
        """
        @param limit: seconds between two beats, C{emperor-required-heartbeat}.
        """
        self._clock = clock
        self._limit = limit
        self._timer: IDelayedCall | None = None
        self.beat_at = 0.0

    def beat(self, fell_silent: Callable[[], object]) -> None:
        """
        It lives.  Workers beat in turn, so this costs next to nothing: the timer
        stays as it is, and looks at the time when it is due.

        @param fell_silent: called once if it does not go on.
        """
        self.beat_at = self._clock.seconds()
        if self._timer is None:
            self._timer = self._clock.callLater(self._limit, self._look, fell_silent)

    def rest(self) -> None:
        """
        Nothing is expected until the next beat.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, fell_silent: Callable[[], object]) -> None:
        self._timer = None
        left = self.beat_at + self._limit - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.callLater(left, self._look, fell_silent)
        else:
            fell_silent()
