"""
Vassals that have to wait until a TCP address is free.

A file that is renamed is a vassal that leaves and one that comes, with the same
socket.  The file of a UNIX socket can be replaced; but who finds its TCP port
taken dies, and is held back, while the old one is long gone.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from emperor.vassals.spec import VassalSpec


class Vacancies:
    """
    Knows who waits; but nobody waits for ever.
    """

    def __init__(
        self, clock: IReactorTime, limit: float, taken: Callable[[VassalSpec], bool]
    ) -> None:
        """
        @param limit: seconds after which a vassal starts all the same.
        @param taken: whether somebody who leaves still has what a vassal needs.
        """
        self._clock = clock
        self._limit = limit
        self._taken = taken
        self._waiting: dict[IDelayedCall, tuple[VassalSpec, Callable[[], object]]] = {}

    def wait(self, spec: VassalSpec, free: Callable[[], object]) -> Callable[[], None]:
        """
        Call C{free} as soon as a vassal may be started: perhaps now.

        @return: waits no more.
        """
        if not self._taken(spec):
            free()
            return _nothing
        timer = self._clock.callLater(self._limit, lambda: self._give_up(timer))
        self._waiting[timer] = (spec, free)
        return lambda: self._leave(timer)

    def look(self) -> None:
        """
        Somebody is gone.
        """
        for timer, (spec, free) in list(self._waiting.items()):
            if timer in self._waiting and not self._taken(spec):
                self._leave(timer)
                free()

    def _give_up(self, timer: IDelayedCall) -> None:
        _, free = self._waiting.pop(timer)
        free()

    def _leave(self, timer: IDelayedCall) -> None:
        if self._waiting.pop(timer, None) is not None:
            timer.cancel()


def _nothing() -> None:
    """
    Nobody waits.
    """
