"""
The processes of one vassal, from the fork to the last one's end.

A vassal is over when nothing of it is left, which the keeper sees to
(L{emperor.keeper}), and its pipe and its output are read.  Somebody else may have
got hold of them; so we stop listening L{OUTPUT_GRACE} seconds after the first
process has gone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from signal import Signals
from typing import Protocol, cast

from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from emperor.vassals.configpipe import Configuration, OfFile
from emperor.vassals.keptprocess import CouldNotBecome
from emperor.vassals.link import Link
from emperor.vassals.output import Output
from emperor.vassals.spec import VassalSpec
from emperor.wire.vassal import Order, Said

#: Seconds that the output and the pipe of an ended vassal are waited for.
OUTPUT_GRACE = 0.5

#: The exit code with which a vassal asks not to be started again.
EXILE = 26


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How a vassal ended.

    @ivar code: the exit code; 0 if a signal ended it.
    @ivar signal: the signal's number; 0 for none.
    @ivar trouble: why it could not even start; empty if it did.
    """

    code: int = 0
    signal: int = 0
    trouble: str = ""

    @property
    def is_exile(self) -> bool:
        """
        Whether the vassal asked not to be started again.
        """
        return self.code == EXILE

    def __str__(self) -> str:
        if self.trouble:
            return self.trouble
        if self.signal:
            return f"killed by {_signal_name(self.signal)}"
        return f"exit code {self.code}"


class Listener(Protocol):
    """
    Who is told about a vassal's process.
    """

    def said(self, word: Said) -> None:
        """
        It said something.
        """

    def exited(self, ending: Ending) -> None:
        """
        Its first process has left; others may go on.
        """

    def over(self, ending: Ending) -> None:
        """
        Nothing of it is left.  Called once, after L{exited}.
        """


class VassalProcess(ProcessProtocol):
    """
    One vassal's process, its output and its pipe.

    @ivar silent: whether it never said a word.
    @ivar inode: of the vassal's end of the pipe.
    @ivar config: how it gets its configuration.
    """

    def __init__(
        self,
        clock: IReactorTime,
        listener: Listener,
        log_line: Callable[[str], object],
        inode: int,
        *,
        is_same: Callable[[VassalSpec], bool] = lambda spec: True,
        config: Configuration | None = None,
        is_proxy: bool = False,
    ) -> None:
        """
        @param inode: of the vassal's end of the pipe.
        @param is_same: whether a vassal as it is wanted now would be started as
            this one was.
        @param config: its configuration, if it has no file.
        @param is_proxy: whether it hands its pipe on to others, and what is said
            on it is heard by them alone.
        """
        self._clock = clock
        self._listener = listener
        self._is_same = is_same
        self.config = config or OfFile()
        self._is_proxy = is_proxy
        self._output = Output(clock, log_line, self._pause_output, self._resume_output)
        self._ending: Ending | None = None
        self._is_gone = self._is_late = False
        self._timer: IDelayedCall | None = None
        self.inode = inode
        self.silent = True
        self.link = Link(clock, self._hear, self._end_if_over)

    @property
    def pid(self) -> int:
        """
        Of the first process.
        """
        return int(self.transport.pid or 0) if self.transport is not None else 0

    def reload(self, spec: VassalSpec) -> bool:
        """
        Ask for a reload.

        @param spec: what it is to be.
        @return: whether the vassal can have heard it, and it is enough.
        """
        if self.silent or not self._is_same(spec):
            return False
        self.config.change(spec.config)
        return self.link.tell(Order.RELOAD)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """
        What it printed last.
        """
        return self._output.last

    def stop(self, gently: bool = False) -> None:
        """
        Ask it to leave.  A program that never spoke may not read the pipe at
        all, so it gets SIGTERM too; and a proxy does not, so it gets what makes a
        uWSGI leave now.

        @param gently: after the requests in flight.
        """
        order = Order.STOP_GENTLY if gently else Order.STOP
        if not self.link.tell(order) or self.silent:
            self._signal("TERM")
        elif self._is_proxy and not gently:  # With it would go who answers requests yet.
            self._signal("INT")

    def kill(self) -> None:
        """
        End it and everything that came from it.
        """
        self._signal("KILL")

    def close(self) -> None:
        """
        There will be no vassal: give the descriptors back.
        """
        self.config.close()
        self.link.close()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It printed something.
        """
        self._output.feed(childFD, data)

    def childConnectionLost(self, childFD: int) -> None:
        """
        One of its outputs is closed.
        """
        self._output.close(childFD)

    def processExited(self, reason: Failure) -> None:
        """
        Its first process has left; the keeper ends the others.
        """
        self._ending = _ending(reason)
        self.config.close()
        self._output.read_to_the_end()
        self.link.read_to_the_end()
        self._listener.exited(self._ending)
        self._timer = self._clock.callLater(OUTPUT_GRACE, self._stop_reading)

    def processEnded(self, reason: Failure) -> None:
        """
        Nothing of it is left, and its output is closed.
        """
        self._is_gone = True
        self._output.finish()
        if self._is_late:
            self.link.close()
        self._end_if_over()

    def _pause_output(self) -> None:
        if self.transport is not None:
            cast(IPushProducer, self.transport).pauseProducing()

    def _resume_output(self) -> None:
        if self.transport is not None:
            cast(IPushProducer, self.transport).resumeProducing()

    def _hear(self, word: Said) -> None:
        self.silent = False
        if word is Said.CONFIGURATION:
            self.config.push()
        self._listener.said(word)

    def _signal(self, name: str) -> None:
        if self._ending is None and self.transport is not None:
            with suppress(ProcessExitedAlready, OSError):
                self.transport.signalProcess(name)

    def _stop_reading(self) -> None:
        self._is_late = True
        if self._is_gone:
            self.link.close()
        elif self.transport is not None:
            self.transport.loseConnection()

    def _end_if_over(self) -> None:
        if self._ending is None or not self._is_gone or self.link.up:
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._listener.over(self._ending)


def _ending(reason: Failure) -> Ending:
    error = reason.value
    if isinstance(error, CouldNotBecome):
        return Ending(code=1, trouble=str(error))
    if not isinstance(error, ProcessTerminated):
        return Ending()
    return Ending(code=error.exitCode or 0, signal=error.signal or 0)


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
