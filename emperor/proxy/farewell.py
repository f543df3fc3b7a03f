"""
The end of the requests that the program cannot wait for any longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: Seconds that clients get to take their last answer.
FAREWELL = 2.0

#: What they read.
WHY = "the program stops and cannot wait for the answer any longer"

#: Hosts that the log names, and characters of each.
NAMED = 3
_LENGTH = 100


class Clients(Protocol):
    """
    The connections of a router.
    """

    def end(self, why: str) -> Sequence[str]:
        """
        End every request, with an answer if none has begun.

        @return: the host of each.
        """

    def cut(self) -> None:
        """
        Close every connection.
        """


class Farewell:
    """
    Ends the requests of one router, and says how many there were.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, router: str, clients: Clients) -> None:
        """
        @param router: C{"http"} or C{"fastrouter"}.
        """
        self._clock = clock
        self._router = router
        self._clients = clients
        self._last: IDelayedCall | None = None

    def say(self, when: str) -> None:
        """
        End the requests now, and the connections soon.

        @param when: for the log, what was waited for.
        """
        hosts = self._clients.end(WHY)
        if hosts:
            self._log.info(
                "{router}: {when}: requests in flight are ended: {count} (hosts: {hosts})",
                router=self._router,
                when=when,
                count=len(hosts),
                hosts=some(hosts),
            )
        if self._last is None:
            self._last = self._clock.callLater(FAREWELL, self._cut)

    def _cut(self) -> None:
        self._last = None
        self._clients.cut()

    def close(self) -> None:
        """
        All connections are closed.
        """
        if self._last is not None:
            self._last.cancel()
            self._last = None


def some(hosts: Sequence[str]) -> str:
    """
    A few names, each of them once, and how many there are besides.
    """
    different = sorted({host[:_LENGTH] or "unknown" for host in hosts})
    more = len(different) - NAMED
    return ", ".join(different[:NAMED]) + (f" and {more} more" if more > 0 else "")
