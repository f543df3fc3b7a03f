"""
One timer for all time-outs of all connections.

A timer object for each connection would cost more than parsing a request.
Here a connection sets an attribute, which costs nothing, and once a second
everything is looked at.  So a time-out comes up to a second late, never early.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

#: Seconds between two looks.
RESOLUTION = 1.0


class Perishable(Protocol):
    """
    Something that must go on before its deadline.

    @ivar deadline: in seconds of L{Deadlines.now}.
    """

    deadline: float

    def timed_out(self) -> None:
        """
        The deadline has passed; called again each second until it is moved
        or the watch is ended.
        """


class Deadlines:
    """
    Looks at everything that is watched, once a second.

    @ivar now: seconds, taken at the last look; good enough for deadlines and
        free of a system call.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._watched: set[Perishable] = set()
        self._clock = clock
        self.now = clock.seconds()
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def start(self) -> None:
        """
        Begin to look.
        """
        self.now = self._clock.seconds()
        self._loop.start(RESOLUTION, now=False)

    def stop(self) -> None:
        """
        Give the timer back.
        """
        if self._loop.running:
            self._loop.stop()

    def after(self, seconds: float) -> float:
        """
        A deadline that is at least C{seconds} from now.
        """
        return self.now + seconds + RESOLUTION

    def watch(self, item: Perishable) -> None:
        """
        Look at C{item} from now on.
        """
        self._watched.add(item)

    def forget(self, item: Perishable) -> None:
        """
        Look at C{item} no more.
        """
        self._watched.discard(item)

    def _look(self) -> None:
        self.now = self._clock.seconds()
        for item in [item for item in self._watched if item.deadline <= self.now]:
            if item in self._watched:
                self._end(item)

    def _end(self, item: Perishable) -> None:
        try:
            item.timed_out()
        except Exception:
            # One that breaks must not take the time-outs of all others along.
            self._log.failure("A time-out broke")
