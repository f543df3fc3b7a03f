"""
A router as a service: it accepts, and at the end it lets requests finish.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from socket import socket

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import ListenAddress
from emperor.config.settings import HttpSettings
from emperor.interfaces import INetwork, IPort, IRouterState
from emperor.proxy.cheap import CheapMode
from emperor.proxy.farewell import Farewell
from emperor.proxy.fastrouter import UwsgiFrontend
from emperor.proxy.frontend import Frontend
from emperor.proxy.http import HttpFrontend
from emperor.proxy.listeners import remove_files
from emperor.proxy.router import Router
from emperor.proxy.site import HttpSite
from emperor.proxy.trust import Trust
from emperor.routing.pools import FixedStatistics
from emperor.routing.statistics import PoolStatistics, own_gauge, pool_statistics
from emperor.routing.subscribed import SubscribedPool
from emperor.wire.control import Counts, RefusalCount


class FrontendFactory(ServerFactory):
    """
    Makes the clients' connections and knows those that are open.

    @ivar accepted: how many there ever were.
    @ivar requests: see L{emperor.proxy.frontend.Connections}.
    """

    noisy = False

    def __init__(self, build: Callable[[], Frontend]) -> None:
        self._build = build
        self.accepted = self.requests = 0
        self._open: set[Frontend] = set()
        self._empty: Deferred[None] | None = None

    @property
    def open(self) -> int:
        """
        How many there are now.
        """
        return len(self._open)

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """
        A client has come.
        """
        frontend = self._build()
        frontend.factory = self
        self.accepted += 1
        self._open.add(frontend)
        return frontend

    def gone(self, frontend: Frontend) -> None:
        """
        A client has gone.
        """
        self._open.discard(frontend)
        if not self._open and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def drain(self) -> Deferred[None]:
        """
        Let every connection end with its request.

        @return: fires when the last one is closed.
        """
        empty = self.emptied()
        for frontend in list(self._open):
            frontend.drain()
        return empty

    def emptied(self) -> Deferred[None]:
        """
        Wait for the clients.

        @return: fires when there is no connection.
        """
        self._empty = empty = Deferred[None]()
        if not self._open:
            self._empty = None
            empty.callback(None)
        return empty

    def end(self, why: str) -> list[str]:
        """
        See L{emperor.proxy.farewell.Clients}.
        """
        ended = [frontend.end(why) for frontend in list(self._open)]
        return [host for host in ended if host is not None]

    def cut(self) -> None:
        """
        End what is left.
        """
        for frontend in list(self._open):
            frontend.cut()


def build_factory(router: Router, hostname: str) -> FrontendFactory:
    """
    The factory for a router's kind.
    """
    settings = router.settings
    if isinstance(settings, HttpSettings):
        site = HttpSite(router, settings, hostname)
        return FrontendFactory(lambda: HttpFrontend(site))
    trust = Trust(settings)
    return FrontendFactory(lambda: UwsgiFrontend(router, trust))


@implementer(IRouterState)
class RouterService(Service):
    """
    Serves one router on its sockets.

    @ivar kept: addresses whose files stay at the end.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        network: INetwork,
        router: Router,
        sockets: Sequence[socket],
        *,
        hostname: str,
        grace: float,
        cheap: CheapMode | None = None,
        subscribed: Callable[[], Collection[SubscribedPool]] = list,
        rejected: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        """
        @param sockets: one for each address of the router's settings, open; they
            are ours from now on.
        @param cheap: L{None}: it accepts always.
        @param subscribed: gives the pools of nodes that have subscribed.
        @param rejected: see L{IRouterState.rejected}.
        """
        self.name = router.settings.kind
        self.settings = router.settings
        self.subscribed = subscribed
        self.rejected = rejected
        self._clock = clock
        self._network = network
        self._router = router
        self._grace = grace
        self._factory = build_factory(router, hostname)
        self._sockets = sockets
        self._ports: Sequence[IPort] = ()
        self.kept: frozenset[ListenAddress] = frozenset()
        self._cheap = cheap
        self._farewell = Farewell(clock, self.name, self._factory)
        self._companions: list[Service] = []

    def accompany(self, service: Service) -> None:
        """
        Start C{service} before the first connection, and stop it after the last.
        """
        self._companions.append(service)

    @property
    def accepted(self) -> int:
        """
        How many connections were accepted.
        """
        return self._factory.accepted

    def counts(self) -> Counts:
        """
        See L{IRouterState.counts}.
        """
        factory = self._factory
        refusals = sorted(self._router.refusals.counts.items(), key=lambda item: item[0].value)
        return Counts(
            factory.accepted,
            tuple(RefusalCount(reason.value, count) for reason, count in refusals),
            factory.requests,
            factory.open,
        )

    def counts_by_process(self) -> dict[int, Counts]:
        """
        See L{IRouterState.counts_by_process}: there is one.
        """
        return {os.getpid(): self.counts()}

    def fixed(self) -> Sequence[FixedStatistics]:
        """
        See L{IRouterState.fixed}.
        """
        return self._router.fixed_nodes()

    def pools(self) -> Iterator[PoolStatistics]:
        """
        See L{IRouterState.pools}.
        """
        return pool_statistics(self.subscribed(), own_gauge(self._clock.seconds()))

    def startService(self) -> None:
        """
        Accept connections.
        """
        Service.startService(self)
        for companion in self._companions:
            companion.startService()
        self._router.deadlines.start()
        self._ports = [self._network.listen(each, self._factory) for each in self._sockets]
        for address in self._router.settings.listen:
            self._log.info("{kind} listens on {address}", kind=self.name, address=str(address))
        if self._cheap is not None:
            self._cheap.start(self._ports)

    async def stopService(self) -> None:
        """
        Accept nothing more, let requests finish within the grace, end the rest.
        """
        Service.stopService(self)
        self._router.draining = True
        if self._cheap is not None:
            self._cheap.stop()
        await gatherResults(
            [maybeDeferred(port.stopListening) for port in self._ports], consumeErrors=True
        )
        remove_files(set(self._router.settings.listen) - self.kept)
        drained = self._factory.drain()
        drained.addTimeout(self._grace, self._clock)
        await drained.addErrback(self._end)
        self._farewell.close()
        self._router.deadlines.stop()
        for companion in reversed(self._companions):
            await maybeDeferred(companion.stopService)

    def cut(self) -> None:
        """
        End the requests in flight now.
        """
        self._router.draining = True
        self._farewell.say("asked again to stop")

    def log_state(self) -> None:
        """
        Write a line into the log.
        """
        self._log.info(
            "{kind} has accepted {count} connections", kind=self.name, count=self.accepted
        )

    def _end(self, failure: Failure) -> Deferred[None]:
        self._farewell.say(f"after {self._grace:g} s")
        return self._factory.emptied()
