"""
Statistics servers: C{http-stats}, C{fastrouter-stats} and C{emperor-stats}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from socket import socket
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Cooperator
from twisted.logger import Logger

from emperor.config.statssettings import StatsSettings
from emperor.interfaces import INetwork
from emperor.proxy.binding import open_listener
from emperor.proxy.listeners import close_listeners, remove_files
from emperor.status.jsontext import pieces
from emperor.status.reader import Reader

#: Gives what is shown as it is now; lists in it may be iterators.
Describe = Callable[[], Mapping[str, Any]]

#: Readers of one router, or of the Emperor, that there can be at once.
MOST_READERS = 32


@dataclass(frozen=True, slots=True)
class OpenStats:
    """
    The open sockets of one statistics server.

    @ivar sockets: one for each address of C{settings}.
    """

    settings: StatsSettings
    sockets: tuple[socket, ...]

    def close(self) -> None:
        """
        Close them and remove their files.
        """
        close_listeners([self.sockets])
        remove_files(self.settings.addresses)


def open_stats(servers: Iterable[StatsSettings]) -> list[OpenStats]:
    """
    Open the sockets of all statistics servers, or none.

    @return: for each of them.
    @raise emperor.proxy.binding.CannotListen: an address is in use, forbidden,
        or not ours.
    """
    opened: list[OpenStats] = []
    try:
        for server in servers:
            opened.append(_open(server))
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


def _open(server: StatsSettings) -> OpenStats:
    sockets: list[socket] = []
    try:
        for address in server.addresses:
            mode, owner = server.mode, server.owner
            sockets.append(open_listener(address, mode=mode, backlog=server.backlog, owner=owner))
    except BaseException:
        close_listeners([sockets])
        # Those behind are somebody else's, perhaps.
        remove_files(server.addresses[: len(sockets)])
        raise
    return OpenStats(server, tuple(sockets))


class ReaderFactory(ServerFactory):
    """
    Makes the connections of readers and knows those that are open.
    """

    noisy = False
    _log = Logger()

    def __init__(
        self, clock: IReactorTime, whose: str, describe: Describe, settings: StatsSettings
    ) -> None:
        """
        @param whose: whose state it is, for the log.
        """
        self._clock = clock
        self._whose = whose
        self._describe = describe
        self._settings = settings
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
        http = self._settings.http
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
        return pieces(self._describe(), minified=self._settings.minified)

    def _complain(self) -> None:
        if not self._full:
            self._full = True
            self._log.warn(
                "{count} connections read the statistics of {kind}: no more at once",
                count=len(self._open),
                kind=self._whose,
            )


class StatsService(Service):
    """
    Shows the state of one router, or of the Emperor, to everybody who connects.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        network: INetwork,
        whose: str,
        describe: Describe,
        opened: OpenStats,
    ) -> None:
        """
        @param whose: whose state it is, for the log.
        @param opened: its sockets; they are ours from now on.
        """
        self.name = f"{whose} statistics"
        self._network = network
        self._opened = opened
        self._factory = ReaderFactory(clock, whose, describe, opened.settings)
        self._ports: Sequence[IListeningPort] = ()

    def startService(self) -> None:
        """
        Accept connections.
        """
        Service.startService(self)
        self._ports = [self._network.listen(each, self._factory) for each in self._opened.sockets]
        for address in self._opened.settings.addresses:
            self._log.info("{name} at {address}", name=self.name, address=str(address))

    async def stopService(self) -> None:
        """
        Accept nothing more and end what is open.
        """
        Service.stopService(self)
        await gatherResults(
            [maybeDeferred(port.stopListening) for port in self._ports], consumeErrors=True
        )
        remove_files(self._opened.settings.addresses)
        self._factory.cut()
