"""
Asks a command of the administrator's about a vassal.

The name of a vassal may be anybody's; the shell gets it as a parameter and never
as text to read.
"""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

#: Seconds that a command has.
TIME_LIMIT = 10.0

#: Bytes that are taken of what it prints.
OUTPUT_LIMIT = 4096


class NoAnswer(Exception):
    """
    The command failed; the text says how.
    """


class CommandReactor(IReactorProcess, IReactorTime):
    """
    What is needed of a reactor.
    """


class _Answer(ProcessProtocol):
    def __init__(self, clock: IReactorTime) -> None:
        self.answer: Deferred[bytes] = Deferred(self._cancel)
        self._clock = clock
        self._output = b""
        self._timer: IDelayedCall | None = None
        self._late = False

    def connectionMade(self) -> None:
        self._timer = self._clock.callLater(TIME_LIMIT, self._give_up)

    def outReceived(self, data: bytes) -> None:
        self._output = (self._output + data)[:OUTPUT_LIMIT]

    def processEnded(self, reason: Failure) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self.answer.called:
            return
        if reason.check(ProcessDone):
            self.answer.callback(self._output)
        else:
            why = f"it took longer than {TIME_LIMIT:g} s" if self._late else str(reason.value)
            self.answer.errback(NoAnswer(why))

    def _give_up(self) -> None:
        self._late = True
        self._kill()

    def _cancel(self, answer: Deferred[bytes]) -> None:
        self._kill()

    def _kill(self) -> None:
        assert self.transport is not None
        try:
            self.transport.signalProcess("KILL")
        except ProcessExitedAlready:
            return
        # What it has started may hold its output; nobody waits for that.
        self.transport.loseConnection()


def ask(reactor: CommandReactor, command: str, name: str, cwd: str) -> Deferred[bytes]:
    """
    Run C{command NAME} by the shell.

    @param cwd: where it runs.
    @return: what it printed; fails with L{NoAnswer}.  Cancelled, it is killed.
    """
    asking = _Answer(reactor)
    words = ["/bin/sh", "-c", f'{command} "$1"', "sh", name]
    try:
        reactor.spawnProcess(
            asking, words[0], [os.fsencode(word) for word in words], env=None, path=cwd
        )
    except OSError as error:
        asking.answer.errback(NoAnswer(error.strerror or str(error)))
    return asking.answer
