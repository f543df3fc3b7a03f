"""
The program as the vassal of an Emperor above it.

It says that it is there when all its services have started, and that it is
loyal at once, as uWSGI's sub-Emperor does: whether its sites answer is known to
it alone.  Either order to stop is the usual end of the program: requests in
flight have C{shutdown-grace}.  So is the end of the Emperor above.

A reload that is refused leaves everything as it is, and the program says that it
accepts requests, which is so: an Emperor may kill who says nothing, and the sites
would be gone.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from enum import Enum
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from emperor.superior.asking import ProxyClient
from emperor.superior.pipe import Pipe
from emperor.superior.summons import Summons
from emperor.wire.vassal import Order, Said


class Outcome(Enum):
    """
    What came of a reload.
    """

    #: The configuration is the same; the vassals reload.
    SAME = "same"
    #: It has errors, and the one before goes on.
    REFUSED = "refused"
    #: The program ends and executes itself again.
    RENEWED = "renewed"


class Superior(Service):
    """
    Hears the Emperor above, and tells it what it wants to know.

    @ivar descriptor: of the pipe; -1: there is none.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        summons: Summons,
        heartbeat: float,
        *,
        stop: Callable[[], object],
        reload: Callable[[Callable[[Outcome], object]], object],
    ) -> None:
        """
        @param heartbeat: seconds between two beats; 0: it has no heart.
        @param stop: ends the program.
        @param reload: reads the configuration again, and tells what came of it
            if the program goes on.
        """
        self._reactor = reactor
        self._summons = summons
        self._heartbeat = heartbeat
        self._stop = stop
        self._reload = reload
        self._pipe: Pipe | None = None
        self._proxy: ProxyClient | None = None
        self._beat: IDelayedCall | None = None

    @property
    def descriptor(self) -> int:
        """
        Of the pipe; -1: there is none.
        """
        return self._pipe.fileno() if self._pipe is not None else -1

    def startService(self) -> None:
        """
        Present ourselves when everything has started.
        """
        Service.startService(self)
        self._reactor.callWhenRunning(self._begin)

    def stopService(self) -> None:
        """
        Nothing is left to tell.  The pipe stays open until the process has gone.
        """
        Service.stopService(self)
        if self._proxy is not None:
            self._proxy.stop()
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def _begin(self) -> None:
        if not self.running:
            return
        if self._summons.pipe is not None:
            self._present(self._summons.pipe)
        else:
            self._proxy = ProxyClient(self._reactor, self._summons.proxy, self._present)
            self._proxy.start()

    def _present(self, pipe: socket.socket) -> None:
        self._pipe = Pipe(self._reactor, pipe, self._hear, self._lost)
        self._pipe.say(Said.READY, Said.ACCEPTING, Said.LOYAL)
        if self._heartbeat:
            self._live(self._pipe)

    def _live(self, pipe: Pipe) -> None:
        pipe.say(Said.ALIVE)
        self._beat = self._reactor.callLater(self._heartbeat, self._live, pipe)

    def _hear(self, order: Order) -> None:
        if order is Order.RELOAD:
            self._log.info("The Emperor above asks for a reload")
            self._reload(self._tell)
        else:
            self._log.info("The Emperor above asks the program to stop")
            self._stop()

    def _tell(self, outcome: Outcome) -> None:
        if self._pipe is None or outcome is Outcome.RENEWED:
            return
        self._pipe.say(Said.ACCEPTING, Said.LOYAL)

    def _lost(self) -> None:
        self._log.error("The Emperor above has gone")
        self._stop()
