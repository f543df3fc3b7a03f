"""
When a vassal can be told to reload.

uWSGI reads its pipe from when it is initialised, but an order that comes while its
workers come up is obeyed late or not at all: a worker between its fork and its
signal handlers does not hear that it should leave, and the first word of new workers
cannot be told from that of the old ones.  So a change that comes in that time is
kept until it is over; several are one.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, VassalStatus

#: Seconds from when a vassal accepts until all its workers are up.
SETTLING = 0.5

#: Seconds after which nothing is waited for: it may be one that never says that it
#: accepts.
LONGEST = 5.0

_COMING_UP = frozenset({Phase.READY, Phase.RELOADING})

#: Phases in which there is nobody who could be told later.
_LEAVING = frozenset({Phase.STOPPING, Phase.GONE})


class Moment:
    """
    Keeps the change of one vassal until it can be told.

    @ivar kept: what it is to be told.
    """

    def __init__(
        self, clock: IReactorTime, settling: float, tell: Callable[[VassalSpec], object]
    ) -> None:
        """
        @param settling: seconds from when it accepts; 0: nothing is ever kept.
        """
        self._clock = clock
        self._settling = settling
        self._tell = tell
        self._timer: IDelayedCall | None = None
        self.kept: VassalSpec | None = None

    def change(self, spec: VassalSpec, status: VassalStatus) -> None:
        """
        Tell it at the right moment.
        """
        self.cancel()
        pause = self._pause(status)
        if pause > 0:
            self.kept = spec
            self._timer = self._clock.callLater(pause, self._now)
        else:
            self._tell(spec)

    def saw(self, status: VassalStatus) -> None:
        """
        It has a new status.
        """
        if self.kept is None or status.phase in _COMING_UP:
            return
        if status.phase in _LEAVING:
            self.cancel()
        elif self._timer is not None:
            # In a later turn: it is in the middle of coming there.
            self._timer.reset(max(0.0, self._pause(status)))

    def cancel(self) -> None:
        """
        It is to be told nothing.
        """
        self.kept = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _now(self) -> None:
        spec = self.kept
        self.cancel()
        if spec is not None:
            self._tell(spec)

    def _pause(self, status: VassalStatus) -> float:
        if not self._settling:
            return 0
        now = self._clock.seconds()
        if status.phase in _COMING_UP:
            return status.since + LONGEST - now
        if status.phase is Phase.ACCEPTING:
            return status.accepted_at + self._settling - now
        return 0
