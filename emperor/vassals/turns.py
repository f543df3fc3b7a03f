"""
The queue of the vassals that are to be started.

A start is a fork, and a fork of a large program takes milliseconds; so only a
few are made in one turn of the reactor, and requests are served in between.

And a vassal that comes up needs the processor for a while.  If all came up
together, all would be late; so only some do, and the first ones serve while the
last ones wait.  A vassal counts until it accepts or has died, but not for more
than L{PATIENCE} seconds: a slow one must not hold up the others, and a program
that is not uWSGI never says that it accepts.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: Starts in one turn of the reactor.
AT_ONCE = 2

#: Seconds for which a vassal counts as one that comes up.
PATIENCE = 5.0

#: Vassals that come up together, if the settings do not say it.
TOGETHER = 20


class StartQueue:
    """
    Gives each vassal its turn: first those that have served already, in the
    order in which they came, then the others.  One that fails does not keep
    the others.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, together: int = TOGETHER, at_once: int = AT_ONCE
    ) -> None:
        """
        @param together: how many vassals come up at the same time.
        @param at_once: how many are started in one turn of the reactor.
        """
        self._clock = clock
        self._together = together
        self._at_once = at_once
        self._ahead: dict[object, Callable[[], None]] = {}
        self._waiting: dict[object, Callable[[], None]] = {}
        # Until when each of them counts; the first one in it is the first over.
        self._coming: dict[object, float] = {}
        self._timer: IDelayedCall | None = None

    def enter(self, turn_came: Callable[[], None], ahead: bool = False) -> Callable[[], None]:
        """
        Join the queue; C{turn_came} is called in a later turn of the reactor.

        @param ahead: before all that are not.
        @return: call it to leave the queue, or to say that the vassal is up.
        """
        ticket = object()
        (self._ahead if ahead else self._waiting)[ticket] = turn_came
        self._schedule()
        return lambda: self._leave(ticket)

    def _leave(self, ticket: object) -> None:
        self._ahead.pop(ticket, None)
        self._waiting.pop(ticket, None)
        self._coming.pop(ticket, None)
        self._schedule()

    def _schedule(self) -> None:
        due = self._due() if self._ahead or self._waiting else None
        if self._timer is not None:
            if due is not None and self._timer.getTime() <= due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = self._clock.callLater(max(0.0, due - self._clock.seconds()), self._call)

    def _due(self) -> float:
        """
        When there may be a place for the next one.
        """
        if len(self._coming) < self._together:
            return self._clock.seconds()
        return next(iter(self._coming.values()))

    def _call(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for ticket in [each for each, until in self._coming.items() if until <= now]:
            del self._coming[ticket]
        for _ in range(self._at_once):
            queue = self._ahead or self._waiting
            if queue and len(self._coming) < self._together:
                ticket = next(iter(queue))
                self._coming[ticket] = now + PATIENCE
                self._take(ticket, queue.pop(ticket))
        self._schedule()

    def _take(self, ticket: object, turn_came: Callable[[], None]) -> None:
        try:
            turn_came()
        except Exception:
            self._log.failure("A start failed")
            self._coming.pop(ticket, None)
