"""
An end to calls that take too long, for code that is not ours and runs in the
thread of all requests.

The kernel's alarm clock rings, and its signal's handler raises L{TookTooLong}
where the code is.  It rings again and again, since what it raises can be caught,
or get lost in a destructor.  What holds the interpreter's lock without coming
back, as some regular expressions do, cannot be ended so.

The handler stays when a call is over: a ring that was on its way must find it,
and not the end of the program that a signal without a handler is.  It does
nothing then.  Twisted has no use for this signal, and looks for children that
have died when it hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from signal import ITIMER_REAL, SIGALRM, setitimer, signal
from threading import get_ident, main_thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds from one ring to the next.
REPEAT = 0.5

#: Seconds that a call has at least; none would be no bound.
LEAST = 0.001


class TookTooLong(BaseException):
    """
    The time is over.  No C{Exception}, which code handles that goes on.
    """


class _Alarm:
    """
    There is one in a process.

    @ivar installed: whether its signal is handled.
    @ivar running: whether a call is bounded now; only then a ring means it.
    """

    installed = False
    running = False

    def ring(self, number: int, frame: object) -> None:
        """
        The handler.
        """
        if self.running:
            raise TookTooLong


_alarm = _Alarm()


def within(seconds: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Call C{call}.  In another thread than the main one there is no bound, and
    within a bounded call only the bound of that.

    @raise TookTooLong: it was ended.
    """
    if _alarm.running or get_ident() != main_thread().ident:
        return call(*args, **kwargs)
    if not _alarm.installed:
        signal(SIGALRM, _alarm.ring)
        _alarm.installed = True
    try:
        _alarm.running = True
        setitimer(ITIMER_REAL, max(seconds, LEAST), REPEAT)
        return call(*args, **kwargs)
    finally:
        # First of all: a signal may be handled at the end of any call.
        _alarm.running = False
        setitimer(ITIMER_REAL, 0)
