"""
The processes of one vassal, from the fork to the last one's end.

A vassal is over when its first process has exited, nobody holds its end of
the pipe and its output is read.  Whoever still is in its process group, or holds
the pipe, after the first process has gone is killed
(L{emperor.vassals.survivors}); whoever only holds the output has L{OUTPUT_GRACE}
seconds, then we stop listening to it.
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

from emperor.vassals.link import Link
from emperor.vassals.output import Output
from emperor.wire.vassal import Order, Said

#: Seconds until, and between, looks for processes that hold a dead vassal's
#: pipe.  Its end is usually read within this time, and no look is needed.
SURVIVOR_INTERVAL = 0.05

#: Seconds that the output of an ended vassal is waited for.
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
    """

    def __init__(
        self,
        clock: IReactorTime,
        listener: Listener,
        log_line: Callable[[str], object],
        *,
        kill_holders: Callable[[int], object],
        kill_group: Callable[[int], object],
        inode: int,
    ) -> None:
        self._clock = clock
        self._listener = listener
        self._kill_holders = kill_holders
        self._kill_group = kill_group
        self._output = Output(clock, log_line, self._pause_output, self._resume_output)
        self._ending: Ending | None = None
        self._group = 0
        self._read_all = False
        self._timers: list[IDelayedCall] = []
        self.inode = inode
        self.silent = True
        self.link = Link(clock, self._hear, self._end_if_over)

    @property
    def pid(self) -> int:
        """
        Of the first process.
        """
        return int(self.transport.pid or 0) if self.transport is not None else 0

    def connectionMade(self) -> None:
        """
        It was started; the transport forgets the number before we need it last.
        """
        self._group = self.pid

    def reload(self) -> bool:
        """
        Ask for a reload.

        @return: whether the vassal can have heard it.
        """
        return not self.silent and self.link.tell(Order.RELOAD)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """
        What it printed last.
        """
        return tuple(self._output.last)

    def stop(self, gently: bool = False) -> None:
        """
        Ask it to leave.  A program that never spoke may not read the pipe at
        all, so it gets SIGTERM too.

        @param gently: after the requests in flight.
        """
        order = Order.STOP_GENTLY if gently else Order.STOP
        if not self.link.tell(order) or self.silent:
            self._signal("TERM")

    def kill(self) -> None:
        """
        End it, its process group and everybody who holds its pipe.
        """
        if self._ending is None:
            self._kill_group(self._group)  # Its number cannot be another one's yet.
        self._signal("KILL")
        self._kill_holders(self.inode)

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
        Its first process has left; now, before another process can get its
        number, those of its group follow.
        """
        self._kill_group(self._group)
        self._ending = _ending(reason)
        self._output.read_to_the_end()
        self.link.read_to_the_end()
        self._listener.exited(self._ending)
        self._later(SURVIVOR_INTERVAL, self._kill_survivors)
        self._later(OUTPUT_GRACE, self._stop_reading)

    def processEnded(self, reason: Failure) -> None:
        """
        It has left and its output is closed.
        """
        self._read_all = True
        self._output.finish()
        self._end_if_over()

    def _pause_output(self) -> None:
        if self.transport is not None:
            cast(IPushProducer, self.transport).pauseProducing()

    def _resume_output(self) -> None:
        if self.transport is not None:
            cast(IPushProducer, self.transport).resumeProducing()

    def _hear(self, word: Said) -> None:
        self.silent = False
        self._listener.said(word)

    def _signal(self, name: str) -> None:
        if self._ending is None and self.transport is not None:
            with suppress(ProcessExitedAlready, OSError):
                self.transport.signalProcess(name)

    def _kill_survivors(self) -> None:
        if self.link.up:
            self._kill_holders(self.inode)
            self._later(SURVIVOR_INTERVAL, self._kill_survivors)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.active()]
        self._timers.append(self._clock.callLater(seconds, call))

    def _stop_reading(self) -> None:
        if not self._read_all and self.transport is not None:
            self.transport.loseConnection()

    def _end_if_over(self) -> None:
        if self._ending is None or not self._read_all or self.link.up:
            return
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._listener.over(self._ending)


def _ending(reason: Failure) -> Ending:
    error = reason.value
    if not isinstance(error, ProcessTerminated):
        return Ending()
    return Ending(code=error.exitCode or 0, signal=error.signal or 0)


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
