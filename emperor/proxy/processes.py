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
from contextlib import suppress

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.deafness import deaf_children
from emperor.interfaces import ISubscriptionNews, IVassalNews
from emperor.proxy.controlling import ControlFactory, ControlLink
from emperor.proxy.listeners import close_listeners, remove_files
from emperor.subscriptions.copying import Backlog
from emperor.vassals.launcher import Spawner
from emperor.vassals.output import Lines
from emperor.wire.control import (
    REPORT_LIMIT,
    Configure,
    Counts,
    Cut,
    Drain,
    Message,
    Ready,
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


class RouterProcess(ProcessProtocol):
    """
    One process, from its start to its end.

    @ivar ended: fires when it has gone.
    @ivar ready: whether it accepts connections.
    @ivar counts: what it has done.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        order: Configure,
        news: IVassalNews,
        subscriptions: ISubscriptionNews,
    ) -> None:
        self.name = name
        self.ended: Deferred[None] = Deferred()
        self.ready = False
        self.counts = Counts(0)
        self._order = order
        self._news = news
        self._subscriptions = subscriptions
        self._missed = False
        self._backlog = Backlog()
        self._output = Lines(self._log_line)
        self.link = ControlLink(REPORT_LIMIT, self._hear, self._link_lost, self._relieved)

    @property
    def pid(self) -> int:
        """
        The number of the process; 0 if there is none.
        """
        return int(self.transport.pid or 0) if self.transport is not None else 0

    def connectionMade(self) -> None:
        """
        It was started: tell it all it needs.  It knows of the vassals and the
        nodes before it accepts the first connection.
        """
        self.link.tell(self._news.whole())
        for message in self._subscriptions.whole():
            self.link.tell(message)
        self.link.tell(self._order)

    def update(self, news: Vassals) -> None:
        """
        Tell it what is new, now or when it listens again.
        """
        if self.link.room:
            self.link.tell(news)
        else:
            self._missed = True

    def announce(self, news: Subscriptions) -> None:
        """
        Tell it what was announced, now or when it listens again.
        """
        if self.link.room:
            self.link.tell(news)
        else:
            self._backlog.add(news)

    def kill(self) -> None:
        """
        End it now.
        """
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess("KILL")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It logged something.
        """
        self._output.feed(data)

    def processEnded(self, reason: Failure) -> None:
        """
        It has gone.
        """
        self._output.finish()
        self.link.hang_up()
        self.ended.callback(None)

    def _hear(self, message: Message) -> None:
        if isinstance(message, Ready):
            self.ready = True
        elif isinstance(message, Counts):
            self.counts = message

    def _relieved(self) -> None:
        if self._missed:
            self._missed = False
            self.link.tell(self._news.whole())
        for message in self._backlog.take(self._subscriptions):
            self.link.tell(message)

    def _link_lost(self) -> None:
        """
        It leaves by itself then; the end of the process is what counts.
        """

    def _log_line(self, line: str) -> None:
        self._log.info("{process}: {line}", process=self.name, line=line)


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


class RouterProcesses(Service):
    """
    One router in several processes; from outside as
    L{emperor.proxy.service.RouterService}.
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
    ) -> None:
        """
        @param order: what each process is told to be.
        @param rows: for each process the sockets it listens on, open.
        @param environ: what the processes inherit; usually C{os.environ}.
        """
        self.name = order.settings.kind
        self._order = order
        self._rows = rows
        self._news = news
        self._subscriptions = subscriptions
        self._places = [
            Place(reactor, row, self._maker(number), environ)
            for number, row in enumerate(rows, start=1)
        ]

    def _maker(self, number: int) -> Callable[[], RouterProcess]:
        name = f"{self.name} process {number}"
        return lambda: RouterProcess(name, self._order, self._news, self._subscriptions)

    @property
    def processes(self) -> list[RouterProcess]:
        """
        Those that run now.
        """
        return [place.process for place in self._places if place.process is not None]

    def startService(self) -> None:
        """
        Start all processes.
        """
        Service.startService(self)
        self._news.watch(self._pass_on)
        self._subscriptions.watch(self._announce)
        for place in self._places:
            place.fill()

    async def stopService(self) -> None:
        """
        Accept nothing more, let requests finish within the grace, end the rest.
        """
        Service.stopService(self)
        gone = [place.empty(self._order.grace) for place in self._places]
        close_listeners(self._rows)
        remove_files(self._order.settings.listen)
        await gatherResults(gone)

    def cut(self) -> None:
        """
        End the requests in flight now.
        """
        for process in self.processes:
            process.link.tell(Cut())

    def log_state(self) -> None:
        """
        Write a line per process into the log.
        """
        for process in self.processes:
            self._log.info(
                "{process} is {state} (pid {pid}, {connections} connections)",
                process=process.name,
                state="ready" if process.ready else "starting",
                pid=process.pid,
                connections=process.counts.connections,
            )

    def _pass_on(self, news: Vassals) -> None:
        for process in self.processes:
            process.update(news)

    def _announce(self, news: Subscriptions) -> None:
        for process in self.processes:
            process.announce(news)
