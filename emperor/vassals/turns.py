"""
The queue of the vassals that are to be started.

A start is a fork, and a fork of a large program takes milliseconds; so only a
few are made in one turn of the reactor, and requests are served in between.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: Starts in one turn of the reactor.
AT_ONCE = 2


class StartQueue:
    """
    Gives each vassal its turn, in the order in which they came; one that
    fails does not keep the others.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, at_once: int = AT_ONCE) -> None:
        self._clock = clock
        self._at_once = at_once
        self._waiting: dict[object, Callable[[], None]] = {}
        self._timer: IDelayedCall | None = None

    def enter(self, turn_came: Callable[[], None]) -> Callable[[], None]:
        """
        Join the queue; C{turn_came} is called in a later turn of the reactor.

        @return: call it to leave the queue.
        """
        ticket = object()
        self._waiting[ticket] = turn_came
        self._schedule()
        return lambda: self._leave(ticket)

    def _leave(self, ticket: object) -> None:
        self._waiting.pop(ticket, None)
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = self._clock.callLater(0, self._call)

    def _call(self) -> None:
        self._timer = None
        for ticket in list(self._waiting)[: self._at_once]:
            turn_came = self._waiting.pop(ticket, None)
            if turn_came is not None:
                self._take(turn_came)
        self._schedule()

    def _take(self, turn_came: Callable[[], None]) -> None:
        try:
            turn_came()
        except Exception:
            self._log.failure("A start failed")
