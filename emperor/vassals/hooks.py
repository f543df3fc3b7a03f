"""
Commands that the Emperor runs when a vassal has started, or has gone.

Each has its time, and nobody waits for it but the command that comes after it
for the same vassal.  Names are in its environment, or one argument of it; a shell
sees no text that is not the operator's own.  The keeper makes their processes, so
nothing of a command is left when it has ended or was killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred, gatherResults
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.vassals.keeping import NotKept, Starter
from emperor.vassals.output import Output
from emperor.vassals.process import OUTPUT_GRACE
from emperor.vassals.spec import shown
from emperor.wire.hooks import Command
from emperor.wire.keeping import Start

#: Commands that run at the same time; those of other vassals wait.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Occasion:
    """
    The vassal that a command is run for.

    @ivar pid: of its first process; 0 if it has gone.
    @ivar context: what the command is about besides; empty: nothing.
    """

    name: str
    directory: str
    uid: int
    gid: int
    pid: int = 0
    context: str = ""

    def variables(self) -> dict[str, str]:
        """
        What a command finds in its environment.
        """
        found = {
            "UWSGI_VASSALS_DIR": self.directory,
            "UWSGI_VASSAL_CONFIG": self.name,
            "UWSGI_VASSAL_UID": str(self.uid),
            "UWSGI_VASSAL_GID": str(self.gid),
        }
        if self.pid:
            found["UWSGI_VASSAL_PID"] = str(self.pid)
        return {**found, "UWSGI_HOOK_CONTEXT": self.context} if self.context else found


class IHooks(Protocol):
    """
    Who runs commands for the Emperor.
    """

    def run(self, commands: Sequence[Command], occasion: Occasion) -> None:
        """
        Run one after the other, as long as they end well.
        """


class NoHooks:
    """
    There is nothing to run.
    """

    def run(self, commands: Sequence[Command], occasion: Occasion) -> None:
        """
        Run nothing.
        """


#: For those who have none.
NO_HOOKS = NoHooks()


class CommandProcess(ProcessProtocol):
    """
    One command that runs.

    @ivar ended: fires with C{True} if it ended well.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, command: Command, name: str, limit: float) -> None:
        self._clock = clock
        self._command = command
        self._name = shown(name)
        self._limit = limit
        self._output = Output(clock, self._log_line, self._pause, self._resume)
        self.ended: Deferred[bool] = Deferred()

    def connectionMade(self) -> None:
        """
        It runs: give it its time.
        """
        self._timer = self._clock.callLater(self._limit, self._kill)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It printed something.
        """
        self._output.feed(childFD, data)

    def childConnectionLost(self, childFD: int) -> None:
        """
        It closed one of its outputs.
        """
        self._output.close(childFD)

    def processExited(self, reason: Failure) -> None:
        """
        It has gone; what it has left in the background goes too, and is not
        waited for.
        """
        self._output.read_to_the_end()
        if self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(OUTPUT_GRACE, self._stop_reading)

    def processEnded(self, reason: Failure) -> None:
        """
        It has gone and is read.
        """
        self._output.finish()
        if self._timer.active():
            self._timer.cancel()
        well = reason.check(ProcessDone) is not None
        if not well:
            self.complain(str(reason.value))
        self.ended.callback(well)

    def _stop_reading(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def _kill(self) -> None:
        self.complain(f"killed, it took longer than {self._limit:g} s")
        if self.transport is not None:
            with suppress(ProcessExitedAlready, OSError):
                self.transport.signalProcess("KILL")

    def complain(self, why: str) -> None:
        """
        Say what went wrong.
        """
        self._log.error(
            "{vassal}: {command}: {why}", vassal=self._name, command=self._command.name, why=why
        )

    def _log_line(self, line: str) -> None:
        self._log.info(
            "{vassal}: {command}: {line}",
            vassal=self._name,
            command=self._command.name,
            line=line,
        )

    def _pause(self) -> None:
        if self.transport is not None:
            cast(IPushProducer, self.transport).pauseProducing()

    def _resume(self) -> None:
        if self.transport is not None:
            cast(IPushProducer, self.transport).resumeProducing()


class Hooks(Service):
    """
    Runs commands, a few at a time.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, starter: Starter, environ: Mapping[str, str], limit: float
    ) -> None:
        """
        @param environ: what commands inherit; usually C{os.environ}.
        @param limit: seconds that each may take.
        """
        self._clock = clock
        self._starter = starter
        self._environ = environ
        self._limit = limit
        self._places = DeferredSemaphore(AT_ONCE)
        self._running: set[Deferred[None]] = set()

    def stopService(self) -> Deferred[list[None]]:
        """
        Wait for those that run, and those that wait.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        return gatherResults(self._running)

    def run(self, commands: Sequence[Command], occasion: Occasion) -> None:
        """
        See L{IHooks.run}.
        """
        if commands:
            running = ensureDeferred(self._run_all(commands, occasion))
            self._running.add(running)
            running.addBoth(lambda _: self._running.discard(running))

    async def _run_all(self, commands: Sequence[Command], occasion: Occasion) -> None:
        for command in commands:
            if not await self._places.run(self._start, command, occasion):
                return

    def _start(self, command: Command, occasion: Occasion) -> Deferred[bool]:
        process = CommandProcess(self._clock, command, occasion.name, self._limit)
        program, *words = command.argv
        order = Start(
            number=0,
            name=f"hook-{occasion.name}",
            directory=occasion.directory,
            programs=(program,),
            argv=tuple(words),
            environ=tuple({**self._environ, **occasion.variables()}.items()),
        )
        try:
            with open(os.devnull, "r+b", buffering=0) as nothing:
                self._starter.start(process, order, [nothing.fileno()] * 2)
        except (NotKept, OSError) as error:
            process.complain(str(error))
            process.ended.callback(False)
        return process.ended
