"""
A router process: C{python -m emperor.proxy.worker}, started by
L{emperor.proxy.processes} and of no use to anybody else.

Descriptor L{CONTROL} is the socket to the program; from L{FIRST_LISTENER} on
come the listening sockets.  It waits for L{Configure}, serves until it hears
L{Drain} or the program has gone, lets its requests end, and leaves.  What it
logs goes to the standard error, where the program reads it.

All signals that somebody may send to the whole group of processes are blocked
when it is started (L{emperor.proxy.processes}) and stay so: the program decides.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from socket import AF_UNIX, socket
from typing import Any, TextIO

from twisted.internet import reactor as _reactor  # noqa: TID251  # a program of its own
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import (
    FileLogObserver,
    LogEvent,
    Logger,
    eventAsText,
    globalLogBeginner,
)
from twisted.python.failure import Failure

from emperor.config.settings import Mapper, RouterSettings
from emperor.interfaces import INetwork
from emperor.program import Program, calm_garbage_collector
from emperor.proxy.cheap import make_cheap_mode
from emperor.proxy.controlling import ControlFactory, ControlLink
from emperor.proxy.keymappers import make_key_mappers
from emperor.proxy.networks import make_network
from emperor.proxy.nodes import make_dialer
from emperor.proxy.refusals import RefusalLog
from emperor.proxy.reporting import Reporter
from emperor.proxy.router import Router
from emperor.proxy.service import RouterService
from emperor.proxy.subscribed import Subscribed
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.copying import Copy
from emperor.subscriptions.ledger import make_registry
from emperor.vassals.news import Mirror
from emperor.vassals.spec import VassalId
from emperor.wire.control import (
    ORDER_LIMIT,
    Configure,
    Cut,
    Drain,
    Message,
    Ready,
    Subscriptions,
    Vassals,
    Wanted,
)

#: The descriptor of the socket to the program.
CONTROL = 3

#: That of the first listening socket.
FIRST_LISTENER = 4

#: Seconds between two reports; the program counts on them (L{emperor.proxy.watching}).
REPORT_INTERVAL = 1.0


class Worker:
    """
    One router, told what to do by messages.

    @ivar link: to the program.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        make_network: Callable[[str], INetwork],
        open_sockets: Callable[[int], Sequence[socket]],
    ) -> None:
        """
        @param make_network: from the option C{transport} to a network.
        @param open_sockets: gives the listening sockets, of which there are so
            many.
        """
        self._reactor = reactor
        self._make_network = make_network
        self._open_sockets = open_sockets
        self._refusals = RefusalLog(reactor)
        self._mirror = Mirror(reactor, self._ask_for)
        self._router: RouterService | None = None
        self._copy: Copy | None = None
        self._announced: list[Subscriptions] = []
        self._program = Program()
        self._draining = self._drained = False
        self._reporter = Reporter(list, list)
        self._reports = LoopingCall(self._report)
        self._reports.clock = reactor
        self.link = ControlLink(ORDER_LIMIT, self._hear, self._left_alone)

    def _hear(self, message: Message) -> None:
        match message:
            case Configure():
                self._serve(message)
            case Vassals():
                self._mirror.update(message)
            case Subscriptions():
                self._take(message)
            case Drain():
                self._leave_files()
                self._drain()
            case Cut() if self._router is not None:
                self._router.cut()

    def _take(self, news: Subscriptions) -> None:
        """
        What is heard before we know what we are is kept until then.
        """
        if self._copy is None:
            self._announced.append(news)
        else:
            self._copy.update(news)

    def _subscribed(self, settings: RouterSettings) -> Registry:
        """
        The nodes that have subscribed.
        """
        self._copy = Copy(self._reactor, make_registry(settings))
        for news in self._announced:
            self._copy.update(news)
        self._announced.clear()
        self._copy.start()
        return self._copy.registry

    def _serve(self, order: Configure) -> None:
        registry = self._subscribed(order.settings)
        network = self._make_network(order.transport)
        key_mappers = make_key_mappers(order.settings, self._reactor)
        mappers = dict(key_mappers.mappers)
        dialer = make_dialer(self._reactor, network, order.settings)
        subscribed = Subscribed(self._reactor, order.settings, registry, dialer, self._mirror)
        if order.subscribable:
            mappers[Mapper.SUBSCRIPTION] = subscribed.mapper
        router = Router(
            order.settings,
            clock=self._reactor,
            dialer=dialer,
            vassals=self._mirror,
            refusals=self._refusals,
            mappers=mappers,
            mark=order.mark,
        )
        sockets = self._open_sockets(len(order.settings.listen))
        self._router = RouterService(
            self._reactor,
            network,
            router,
            sockets,
            hostname=order.hostname,
            grace=order.grace,
            cheap=make_cheap_mode(order.settings, registry),
            subscribed=lambda: registry.pools,
        )
        self._reporter = Reporter(self._router.subscribed, self._router.fixed)
        for companion in (key_mappers, *subscribed.companions):
            self._router.accompany(companion)
        for service in (network, self._router):
            self._program.addService(service)
        self._program.startService()
        self._reports.start(REPORT_INTERVAL, now=False)
        self.link.tell(Ready())

    def _ask_for(self, id: VassalId) -> None:
        # Without room it is not lost: who waits asks again in a second.
        if self.link.room:
            self.link.tell(Wanted(id.monitor, id.name))

    def _left_alone(self) -> None:
        """
        The link is closed: by us at our end, or because the program has gone.
        """
        if self._drained:
            self._reactor.stop()
        elif not self._draining:
            self._log.info("The program has gone: requests in flight may finish")
            self._drain()

    def _leave_files(self) -> None:
        """
        The program is there, and knows whether somebody goes on to listen.
        """
        if self._router is not None:
            self._router.kept = frozenset(self._router.settings.listen)

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        if self._copy is not None:
            self._copy.stop()
        stopping = ensureDeferred(self._program.stopService())
        stopping.addErrback(self._failed).addCallback(self._leave)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("It did not stop cleanly", failure)

    def _leave(self, _: object) -> None:
        self._drained = True
        if self._reports.running:
            self._reports.stop()
        self._report()
        if self.link.up:
            self.link.hang_up()
        else:
            self._reactor.stop()

    def _report(self) -> None:
        # What waits for room is not lost: it is told with the next report.
        if self._router is None or not self.link.room:
            return
        self.link.tell(self._router.counts())
        for progress in self._reporter.report(self._reactor.seconds()):
            self.link.tell(progress)


def adopt(count: int) -> list[socket]:
    """
    The listening sockets that the program has left us.
    """
    return [socket(fileno=FIRST_LISTENER + place) for place in range(count)]


def begin_log(output: TextIO) -> None:
    """
    Log lines for the program, which adds the time and our name.
    """

    def line(event: LogEvent) -> str:
        return eventAsText(event, includeTimestamp=False, includeSystem=False) + "\n"

    globalLogBeginner.beginLoggingTo([FileLogObserver(output, line)], redirectStandardIO=False)


def main() -> None:
    """
    Run until the program wants no more, or is no more.
    """
    reactor: Any = _reactor
    begin_log(sys.stderr)
    worker = Worker(reactor, partial(make_network, reactor), adopt)
    with socket(fileno=CONTROL) as control:
        control.setblocking(False)
        reactor.adoptStreamConnection(CONTROL, AF_UNIX, ControlFactory(worker.link))
    calm_garbage_collector()
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
