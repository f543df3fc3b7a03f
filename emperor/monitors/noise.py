"""
A watch that does not listen where there is too much noise.

Each event costs us more than it costs whoever causes it, and the events of others
wait behind it.  So where there are more than L{EVENTS_A_SECOND} all the time, nothing
is listened to for L{PAUSE} seconds, and what the kernel has kept is dropped.  Then all
directories count as changed, since something may have happened in each.  An
administrator who changes all his vassals at once makes no noise: that many
(L{EVENTS_AT_ONCE}) may come at any speed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from emperor.monitors.inotify import Hear, Watch, make_watch
from emperor.monitors.settling import Change

#: More of them, all the time, are noise.
EVENTS_A_SECOND = 1000

#: So are more than these, if they come at once.
EVENTS_AT_ONCE = 10_000

#: Seconds.
PAUSE = 1.0


class BoundedWatch:
    """
    Tells of changes in directories as long as they are not too many.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, hear: Hear, make: Callable[[Any, Hear], Watch] = make_watch
    ) -> None:
        """
        @param make: the watch that this one bounds.
        """
        self._reactor = reactor
        self._hear = hear
        self._watch = make(reactor, self._heard)
        self._wanted: frozenset[str] = frozenset()
        # Of the events until then, those that were too many for the time.
        self._excess = 0.0
        self._until = 0.0
        self._deaf: IDelayedCall | None = None
        self._complained = False

    def directories(self, wanted: frozenset[str]) -> None:
        """
        Watch exactly these from now on, or from when we listen again.
        """
        self._wanted = wanted
        if self._deaf is None:
            self._watch.directories(wanted)

    def close(self) -> None:
        """
        Watch nothing any more.
        """
        deaf, self._deaf = self._deaf, None
        if deaf is not None:
            deaf.cancel()
        self._watch.close()

    def _heard(self, path: str, change: Change) -> None:
        if self._deaf is not None:  # What had been read already.
            return
        now = self._reactor.seconds()
        self._excess = 1 + max(0.0, self._excess - EVENTS_A_SECOND * (now - self._until))
        self._until = now
        if self._excess > EVENTS_AT_ONCE:
            self._stop_listening()
        else:
            self._hear(path, change)

    def _stop_listening(self) -> None:
        if not self._complained:
            self._complained = True
            self._log.warn(
                "There are more than {limit} file changes in a second: while that is so they "
                "are seen {pause} s later",
                limit=EVENTS_A_SECOND,
                pause=PAUSE,
            )
        self._watch.close()
        self._deaf = self._reactor.callLater(PAUSE, self._listen)

    def _listen(self) -> None:
        self._deaf = None
        self._watch.directories(self._wanted)
        for path in self._wanted:
            self._hear(path, Change.OTHER)
