"""
The end of all vassals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from emperor.vassals.spec import shown
from emperor.vassals.subject import Subject

#: Seconds after C{emperor-curse-tolerance} in which killed vassals must be gone.
LAST_GRACE = 5.0


class Farewell:
    """
    Waits until nothing of any vassal is left, but not for ever: a program that
    cannot be stopped is worse than a process that is left behind.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, tolerance: float, left: Callable[[], Iterable[Subject]]
    ) -> None:
        """
        @param tolerance: seconds until vassals that do not leave are killed.
        @param left: the vassals that are not gone yet.
        """
        self._clock = clock
        self._seconds = tolerance + LAST_GRACE
        self._left = left
        self._waiting: list[Deferred[None]] = []
        self._timer: IDelayedCall | None = None

    def wait(self) -> Deferred[None]:
        """
        Fires when the last vassal is gone, or given up.
        """
        if not list(self._left()):
            return succeed(None)
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._give_up)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def one_is_gone(self) -> None:
        """
        One vassal less; perhaps it was the last one.
        """
        if not list(self._left()):
            self._fire()

    def _give_up(self) -> None:
        left = list(self._left())
        for vassal in left:
            try:
                vassal.kill()
            except Exception:
                self._log.failure("A vassal cannot be killed")
        names = ", ".join(sorted(shown(vassal.spec.id.name) for vassal in left))
        self._log.error("Given up, and killed once more: {names}", names=names)
        self._fire()

    def _fire(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)
