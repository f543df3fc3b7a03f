"""
Statistics servers: C{http-stats} and C{fastrouter-stats}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from socket import socket

from twisted.application.service import Service
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Cooperator
from twisted.logger import Logger

from emperor.config.settings import RouterSettings
from emperor.interfaces import INetwork, IRouterState
from emperor.proxy.binding import open_listener
from emperor.proxy.listeners import close_listeners, remove_files
from emperor.status import stats
from emperor.status.reader import Reader
from emperor.status.snapshot import take

#: Readers of one router that there can be at once.
MOST_READERS = 32


@dataclass(frozen=True, slots=True)
class OpenStats:
    """
    The open sockets of one router's statistics server.

    @ivar sockets: one for each address of C{settings.stats}.
    """

    settings: RouterSettings
    sockets: tuple[socket, ...]

    def close(self) -> None:
        """
        Close them and remove their files.
        """
        close_listeners([self.sockets])
        remove_files(self.settings.stats)


def open_stats(routers: Iterable[RouterSettings]) -> list[OpenStats]:
    """
    Open the sockets of all statistics servers, or none.

    @return: for each router.
    @raise emperor.proxy.binding.CannotListen: an address is in use, forbidden,
        or not ours.
    """
    opened: list[OpenStats] = []
    try:
        for router in routers:
            opened.append(_open(router))
    except BaseException:
        close_stats(opened)
        raise
    return opened


def close_stats(opened: Iterable[OpenStats]) -> None:
    """
    Close all of these and remove their files.
    """
    for each in opened:
        each.close()


def _open(router: RouterSettings) -> OpenStats:
    sockets: list[socket] = []
    try:
        for address in router.stats:
            mode, owner = router.socket_mode, router.socket_owner
            sockets.append(open_listener(address, mode=mode, backlog=router.backlog, owner=owner))
    except BaseException:
        close_listeners([sockets])
        # Those behind are somebody else's, perhaps.
        remove_files(router.stats[: len(sockets)])
        raise
    return OpenStats(router, tuple(sockets))


class ReaderFactory(ServerFactory):
    """
    Makes the connections of readers and knows those that are open.
    """

    noisy = False
    _log = Logger()

    def __init__(self, clock: IReactorTime, router: IRouterState) -> None:
        self._clock = clock
        self._router = router
        self._open: set[Reader] = set()
        self._full = False
        self._cooperator = Cooperator(
            terminationPredicateFactory=lambda: lambda: True,
            scheduler=lambda work: clock.callLater(0, work),
        )

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """
        Somebody wants to read.

        @return: L{None}: there are too many already.
        """
        if len(self._open) >= MOST_READERS:
            self._complain()
            return None
        self._full = False
        http = self._router.settings.stats_http
        reader = Reader(self._clock, self._cooperator, self._pieces, http=http)
        reader.factory = self
        self._open.add(reader)
        return reader

    def gone(self, reader: Reader) -> None:
        """
        See L{emperor.status.reader.Readers}.
        """
        self._open.discard(reader)

    def cut(self) -> None:
        """
        End all that are open.
        """
        for reader in list(self._open):
            reader.cut()

    def _pieces(self) -> Iterator[bytes]:
        minified = self._router.settings.stats_minified
        return stats.pieces(take(self._router), self._router.pools(), minified=minified)

    def _complain(self) -> None:
        if not self._full:
            self._full = True
            self._log.warn(
                "{count} connections read the statistics of {kind}: no more at once",
                count=len(self._open),
                kind=self._router.settings.kind,
            )


class StatsService(Service):
    """
    Shows the state of one router to everybody who connects.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, network: INetwork, router: IRouterState, opened: OpenStats
    ) -> None:
        """
        @param opened: its sockets; they are ours from now on.
        """
        self.name = f"{router.settings.kind} statistics"
        self._network = network
        self._opened = opened
        self._factory = ReaderFactory(clock, router)
        self._ports: Sequence[IListeningPort] = ()

    def startService(self) -> None:
        """
        Accept connections.
        """
        Service.startService(self)
        self._ports = [self._network.listen(each, self._factory) for each in self._opened.sockets]
        for address in self._opened.settings.stats:
            self._log.info("{name} at {address}", name=self.name, address=str(address))

    async def stopService(self) -> None:
        """
        Accept nothing more and end what is open.
        """
        Service.stopService(self)
        await gatherResults(
            [maybeDeferred(port.stopListening) for port in self._ports], consumeErrors=True
        )
        remove_files(self._opened.settings.stats)
        self._factory.cut()
