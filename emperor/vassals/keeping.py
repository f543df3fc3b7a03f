"""
The keeper of the vassals' processes as the program sees it
(L{emperor.keeper}).

A start waits for the keeper's answer, which is a fork away; nothing else waits.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.process import reapProcessHandlers
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.protocol import Protocol as PipeProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.deafness import deaf_children
from emperor.keeper.__main__ import NEWS, ORDERS
from emperor.keeper.family import kill_children
from emperor.keeper.kernel import adopt_orphans
from emperor.keeper.orders import receive, send
from emperor.vassals.keptprocess import CouldNotBecome, KeptProcess
from emperor.vassals.output import Lines
from emperor.vassals.pipes import adopt
from emperor.wire.keeping import (
    MOST,
    Answer,
    BadKeeping,
    Left,
    NotStarted,
    Order,
    Over,
    Reader,
    Signal,
    Start,
    Started,
    decode,
    encode,
)

#: Seconds that the keeper has to answer an order; it is killed if it takes longer.
ANSWER_LIMIT = 10.0

#: Seconds that the keeper has to leave at the end, before it is killed.
LATENESS = 10.0

#: Seconds between two looks for what a keeper that was killed has left behind.
ORPHAN_INTERVAL = 0.05


class NotKept(Exception):
    """
    The keeper could not start a process; the text says why.
    """


class Starter(Protocol):
    """
    Who makes processes.
    """

    def start(self, process: ProcessProtocol, order: Start, descriptors: Sequence[int]) -> None:
        """
        Start a process; it is over when nothing that came from it is left.

        @param descriptors: what become its descriptors 0, 3, 4 and so on: the
            process itself reads what it prints to 1 and 2.
        @raise NotKept: there is no process.
        """


class _KeeperProtocol(ProcessProtocol):
    """
    The keeper itself.
    """

    def __init__(
        self,
        hear: Callable[[Any], object],
        log_line: Callable[[str], object],
        misunderstood: Callable[[], object],
        ended: Callable[[], object],
    ) -> None:
        self._hear = hear
        self._messages = Reader()
        self._output = Lines(log_line)
        self._misunderstood = misunderstood
        self._ended = ended

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It tells news, or complains.
        """
        if childFD != NEWS:
            self._output.feed(data)
            return
        try:
            for message in self._messages.feed(data):
                self._hear(message)
        except BadKeeping:
            self._misunderstood()

    def processEnded(self, reason: Failure) -> None:
        """
        It has gone.
        """
        self._output.finish()
        self._ended()


class Keeper(Service):
    """
    Has vassals' processes started by a keeper, which is started when it is
    needed, and again when it has died.

    @cvar arguments: of the Python that is the keeper.
    """

    _log = Logger()
    arguments: Sequence[str] = ("-P", "-m", "emperor.keeper")

    def __init__(
        self,
        reactor: Any,
        environ: Mapping[str, str],
        made: Callable[[int], object] = lambda pid: None,
    ) -> None:
        """
        @param reactor: for processes, descriptors and time.
        @param environ: what the keeper inherits; usually C{os.environ}.
        @param made: is told the number of each keeper's process, before it starts
            anything.
        """
        self._reactor = reactor
        self._environ = environ
        self._made = made
        self._numbers = count(1)
        self._kept: dict[int, KeptProcess] = {}
        self._orders: socket.socket | None = None
        self._transport: Any = None
        self._ended: list[Deferred[None]] = []

    def startService(self) -> None:
        """
        Have a keeper ready.
        """
        super().startService()  # type: ignore[no-untyped-call]
        with suppress(NotKept):  # The first vassal will say so.
            self._be_ready()

    def stopService(self) -> Deferred[None]:
        """
        Let the keeper end all that is left and leave.

        @return: fires when it has gone.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        if self._transport is None:
            return succeed(None)
        self._hang_up()
        late = self._reactor.callLater(LATENESS, self._give_up)
        waiting: Deferred[None] = Deferred()
        waiting.addBoth(lambda _: late.cancel() if late.active() else None)
        self._ended.append(waiting)
        return waiting

    def adopt(self, end: socket.socket, protocol: PipeProtocol) -> None:
        """
        See L{emperor.vassals.launcher.PipeStarter.adopt}.
        """
        adopt(self._reactor, end, protocol)

    def start(self, process: ProcessProtocol, order: Start, descriptors: Sequence[int]) -> None:
        """
        See L{Starter.start}.
        """
        order = replace(order, number=next(self._numbers))
        with ExitStack() as ours, ExitStack() as theirs:
            outputs = {name: _pipe(ours, theirs) for name in (1, 2)}
            stdin, *others = descriptors
            given = (stdin, *(write for _, write in outputs.values()), *others)
            if len(given) > MOST:
                raise NotKept(f"{len(given)} descriptors for it; {MOST} can be passed on")
            answer = self._ask(order, given)
            if not isinstance(answer, Started):
                raise NotKept(answer.reason if isinstance(answer, NotStarted) else "a wrong answer")
            ours.pop_all()
        self._kept[order.number] = KeptProcess(
            self._reactor,
            process,
            answer.pid,
            {name: read for name, (read, _) in outputs.items()},
            partial(self._signal, order.number),
        )

    def _signal(self, number: int, name: int) -> None:
        if self._orders is not None:  # Else its end will be told soon.
            with suppress(NotKept):
                self._ask(Signal(number, name))

    def _ask(self, order: Order, descriptors: Sequence[int] = ()) -> Answer:
        orders = self._be_ready()
        try:
            send(orders, encode(order), descriptors)
            body, _ = receive(orders)
            answer: Answer = decode(body)
        except (OSError, EOFError, BadKeeping) as error:
            self._give_up()
            raise NotKept(f"the keeper of processes does not answer: {error}") from error
        return answer

    def _be_ready(self) -> socket.socket:
        """
        Start a keeper if there is none.

        @raise NotKept: it cannot be started, or not yet.
        """
        if self._orders is None:
            if self._transport is not None:
                raise NotKept("the keeper of processes is about to leave")
            try:
                adopt_orphans()
                self._orders = self._spawn()
            except OSError as error:
                raise NotKept(f"no keeper of processes: {error.strerror}") from error
        return self._orders

    def _spawn(self) -> socket.socket:
        protocol = _KeeperProtocol(self._hear, self._log_line, self._give_up, self._keeper_ended)
        ours, theirs = socket.socketpair()
        ours.settimeout(ANSWER_LIMIT)
        with (
            ExitStack() as failure,
            theirs,
            open(os.devnull, "rb") as nothing,
            deaf_children(),
        ):
            failure.callback(ours.close)
            self._transport = self._reactor.spawnProcess(
                protocol,
                sys.executable,
                [sys.executable, *self.arguments],
                {**self._environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                childFDs={0: nothing.fileno(), 1: "r", 2: "r", ORDERS: theirs.fileno(), NEWS: "r"},
            )
            self._made(self._transport.pid)
            failure.pop_all()
        return ours

    def _hear(self, news: Any) -> None:
        process = self._kept.get(getattr(news, "number", 0))
        if process is None:
            raise BadKeeping("news of an unknown process")
        if isinstance(news, Left):
            process.left(_reason(news))
        elif isinstance(news, Over):
            del self._kept[news.number]
            process.over()

    def _give_up(self) -> None:
        """
        This keeper is of no use any more.
        """
        if self._transport is not None:
            with suppress(ProcessExitedAlready):
                self._transport.signalProcess("KILL")
        self._hang_up()

    def _hang_up(self) -> None:
        orders, self._orders = self._orders, None
        if orders is not None:
            orders.close()

    def _keeper_ended(self) -> None:
        self._transport = None
        if self.running or self._kept:
            self._log.error("The keeper of processes has died, and all vassals with it")
        self._hang_up()
        kept, self._kept = self._kept, {}
        self._end_orphans(kept)

    def _end_orphans(self, kept: Mapping[int, KeptProcess]) -> None:
        """
        End what the keeper could not end any more: its children are ours now.
        """
        roots = kill_children(os.getpid(), reapProcessHandlers)
        for root in roots:
            with suppress(ChildProcessError):
                os.waitpid(root, os.WNOHANG)
        if roots:
            self._reactor.callLater(ORPHAN_INTERVAL, self._end_orphans, kept)
            return
        for process in kept.values():
            if process.pid is not None:
                process.left(Failure(ProcessTerminated(signal=signal.SIGKILL)))
            process.over()
        ended, self._ended = self._ended, []
        for waiting in ended:
            adopt_orphans(False)
            waiting.callback(None)

    def _log_line(self, line: str) -> None:
        self._log.warn("Keeper of processes: {line}", line=line)


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """
    A pipe whose ends are closed by two different stacks.
    """
    read, write = os.pipe()
    ours.callback(os.close, read)
    theirs.callback(os.close, write)
    return read, write


def _reason(news: Left) -> Failure:
    if news.trouble:
        return Failure(CouldNotBecome(news.trouble))
    if news.code or news.signal:
        return Failure(ProcessTerminated(None if news.signal else news.code, news.signal or None))
    return Failure(ProcessDone(0))
