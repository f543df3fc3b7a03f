"""
A router whose connections are taken by processes of their own.

The listening sockets stay open here as well.  So when a process dies its port
never refuses: clients wait in the socket's queue, which the next process finds
when it is there.  One that dies is replaced at once, unless the last one did
not live for L{STEADY} seconds either: then after a wait that doubles.

The processes decide about requests themselves, with a copy of the rules and
with what they are told of the vassals (L{emperor.vassals.news}) and of the nodes
that have subscribed (L{emperor.subscriptions.copying}).  A process that does not
read what it is told costs little memory: it gets the whole when it reads again.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from emperor.addresses import ListenAddress
from emperor.deafness import deaf_children
from emperor.interfaces import IRouterState, ISubscriptionNews, IVassalNews
from emperor.proxy.controlling import ControlFactory
from emperor.proxy.listeners import close_listeners, remove_files
from emperor.proxy.process import RouterProcess
from emperor.proxy.tallies import Pools, Tally
from emperor.proxy.watching import LOOK
from emperor.vassals.launcher import Spawner
from emperor.wire.control import (
    Configure,
    Counts,
    Cut,
    Drain,
    Subscriptions,
    Vassals,
)

#: Seconds of life after which a death is an accident and not a habit.
STEADY = 10.0

#: Seconds before the second attempt in a row, and at most.
FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0

#: Seconds beyond the grace after which a process that does not leave is killed.
LATENESS = 5.0

_COMMAND = ("-P", "-m", "emperor.proxy.worker")


class Place:
    """
    One of the processes that there should be, whichever runs in it.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Spawner,
        sockets: Sequence[socket.socket],
        make: Callable[[], RouterProcess],
        environ: Mapping[str, str],
    ) -> None:
        """
        @param sockets: what the process listens on; they stay open.
        @param make: the next process, not yet started.
        """
        self._reactor = reactor
        self._sockets = sockets
        self._make = make
        self._environ = environ
        self._failures = 0
        self._born = 0.0
        self._retry: IDelayedCall | None = None
        self._leaving = False
        self.process: RouterProcess | None = None

    def fill(self) -> None:
        """
        Start a process, now or when the system has room for one.
        """
        self._retry = None
        process = self._make()
        self._born = self._reactor.seconds()
        try:
            self._spawn(process)
        except OSError as error:
            self._log.error(
                "{process} cannot be started: {reason}",
                process=process.name,
                reason=error.strerror,
            )
            process.link.hang_up()
            self._fill_later()
        else:
            self.process = process
            process.ended.addCallback(self._vacant)

    def empty(self, grace: float) -> Deferred[None]:
        """
        Let the process finish its requests and leave; start none any more.

        @return: fires when it has gone.
        """
        self._leaving = True
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self.process is None:
            return succeed(None)
        process = self.process
        process.link.tell(Drain())
        late = self._reactor.callLater(grace + LATENESS, process.kill)
        return process.ended.addCallback(lambda _: late.cancel() if late.active() else None)

    def _spawn(self, process: RouterProcess) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs, open(os.devnull, "rb") as nothing, deaf_children():
            ours.setblocking(False)
            self._reactor.adoptStreamConnection(
                ours.fileno(), socket.AF_UNIX, ControlFactory(process.link)
            )
            given = [theirs, *self._sockets]
            descriptors: dict[int, int | str] = {0: nothing.fileno(), 1: "r", 2: "r"}
            descriptors.update((3 + place, each.fileno()) for place, each in enumerate(given))
            self._reactor.spawnProcess(
                process,
                sys.executable,
                [sys.executable, *_COMMAND],
                {**self._environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                childFDs=descriptors,
            )

    def _vacant(self, _: None) -> None:
        process, self.process = self.process, None
        if self._leaving:
            return
        seconds = self._reactor.seconds() - self._born
        name = process.name if process is not None else ""
        self._log.error(
            "{process} died after {seconds:.1f} s; another one takes its place",
            process=name,
            seconds=seconds,
        )
        if seconds >= STEADY:
            self._failures = 0
        self._fill_later()

    def _fill_later(self) -> None:
        wait = FIRST_WAIT * 2.0 ** (self._failures - 1) if self._failures else 0
        self._failures += 1
        self._retry = self._reactor.callLater(min(wait, LONGEST_WAIT), self.fill)


@implementer(IRouterState)
class RouterProcesses(Service):
    """
    One router in several processes; from outside as
    L{emperor.proxy.service.RouterService}.

    What it has done is the sum over the processes that run and those that they
    replaced (L{emperor.proxy.tallies}).

    @ivar kept: addresses whose files stay at the end.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Spawner,
        order: Configure,
        rows: Sequence[Sequence[socket.socket]],
        news: IVassalNews,
        environ: Mapping[str, str],
        *,
        subscriptions: ISubscriptionNews,
        registry: Pools,
        rejected: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        """
        @param order: what each process is told to be.
        @param rows: for each process the sockets it listens on, open.
        @param environ: what the processes inherit; usually C{os.environ}.
        @param registry: the program's own, of which the processes have copies.
        @param rejected: see L{IRouterState.rejected}.
        """
        self.name = order.settings.kind
        self.settings = order.settings
        self._tally = tally = Tally(order.settings.to, registry)
        self.counts, self.fixed, self.pools = tally.counts, tally.fixed, tally.pools
        self.rejected = rejected
        self._watching = LoopingCall(self._look)
        self._watching.clock = reactor
        self._order = order
        self._rows = rows
        self.kept: frozenset[ListenAddress] = frozenset()
        self._news = news
        self._subscriptions = subscriptions
        self._places = [
            Place(reactor, row, self._maker(number), environ)
            for number, row in enumerate(rows, start=1)
        ]

    def _maker(self, number: int) -> Callable[[], RouterProcess]:
        name = f"{self.name} process {number}"
        return lambda: RouterProcess(
            name, self._order, self._news, self._subscriptions, self._tally
        )

    @property
    def processes(self) -> list[RouterProcess]:
        """
        Those that run now.
        """
        return [place.process for place in self._places if place.process is not None]

    def counts_by_process(self) -> dict[int, Counts]:
        """
        See L{IRouterState.counts_by_process}.
        """
        return {process.pid: process.counts for process in self.processes}

    def startService(self) -> None:
        """
        Start all processes.
        """
        Service.startService(self)
        self._watching.start(LOOK, now=False)
        self._news.watch(self._pass_on)
        self._subscriptions.watch(self._announce)
        for place in self._places:
            place.fill()

    async def stopService(self) -> None:
        """
        Accept nothing more, let requests finish within the grace, end the rest.
        """
        Service.stopService(self)
        if self._watching.running:
            self._watching.stop()
        gone = [place.empty(self._order.grace) for place in self._places]
        close_listeners(self._rows)
        remove_files(set(self._order.settings.listen) - self.kept)
        await gatherResults(gone)

    def cut(self) -> None:
        """
        End the requests in flight now.
        """
        for process in self.processes:
            process.link.tell(Cut())

    def log_state(self) -> None:
        """
        Write a line per process into the log, and their sum.
        """
        for process in self.processes:
            self._log.info(
                "{process} is {state} (pid {pid}, {connections} connections)",
                process=process.name,
                state="ready" if process.ready else "starting",
                pid=process.pid,
                connections=process.counts.connections,
            )
        self._log.info(
            "{kind} has accepted {count} connections",
            kind=self.name,
            count=self.counts().connections,
        )

    def _look(self) -> None:
        for process in self.processes:
            process.watch.look()

    def _pass_on(self, news: Vassals) -> None:
        for process in self.processes:
            process.update(news)

    def _announce(self, news: Subscriptions) -> None:
        for process in self.processes:
            process.announce(news)
