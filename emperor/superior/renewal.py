"""
The reload of the whole program.

The configuration is read again first, in a thread, for it may run commands and look
names up.  If it has errors, or asks for what cannot be had, they are logged, and
nothing changes.  If it says what it said before, all vassals reload.  Else the
program stops as always, and then executes itself again; its listening sockets stay
open meanwhile (L{emperor.superior.heritage}).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.config.errors import ConfigurationError
from emperor.config.loading import Loaded
from emperor.config.settings import Settings
from emperor.proxy.binding import CannotListen
from emperor.proxy.tlsnodes import BadAuthorities
from emperor.superior.execution import CannotStart
from emperor.superior.service import Outcome
from emperor.vassals.program import NoProgram

Tell = Callable[[Outcome], object]
InThread = Callable[[Callable[[], bool]], Deferred[bool]]

#: What may be wrong with a configuration.
REASONS = (BadAuthorities, CannotListen, CannotStart, ConfigurationError, NoProgram)


class _State(Enum):
    """
    What a renewal is doing.
    """

    IDLE = auto()
    #: The configuration is read.
    READING = auto()
    #: It is read, and was changed again, perhaps.
    BEHIND = auto()
    #: The program ends, and will execute itself again.
    LEAVING = auto()
    #: The program ends for good.
    OVER = auto()


def fingerprint(loaded: Loaded) -> Hashable:
    """
    What a configuration says, wherever that is written.
    """
    return tuple((pair.key, pair.value) for pair in loaded.pairs)


class Renewal:
    """
    Decides what a reload is, and sees to it.
    """

    _log = Logger()

    def __init__(
        self,
        loaded: Loaded,
        *,
        load: Callable[[], Loaded],
        prepare: Callable[[Settings], object],
        in_thread: InThread,
        refresh: Callable[[], object],
        renew: Callable[[], object],
        abandon: Callable[[], object],
    ) -> None:
        """
        @param loaded: the configuration that the program runs with.
        @param load: reads it again, in a thread.
        @param prepare: makes sure that another one can be had, in a thread.
        @param refresh: reloads all vassals.
        @param renew: ends the program, which is executed again then.
        @param abandon: it is not, after all.
        """
        self._before = fingerprint(loaded)
        self._load = load
        self._prepare = prepare
        self._in_thread = in_thread
        self._refresh = refresh
        self._renew = renew
        self._abandon = abandon
        self._state = _State.IDLE

    def reload(self, tell: Tell) -> None:
        """
        Read the configuration again; if that is being done, once more after it.

        @param tell: is told what came of it.
        """
        if self._state is _State.IDLE:
            self._read(tell)
        elif self._state is _State.READING:
            self._state = _State.BEHIND

    def end(self) -> bool:
        """
        The program is to end for good.

        @return: whether it ends already, and was to come back.
        """
        was, self._state = self._state, _State.OVER
        if was is _State.LEAVING:
            self._abandon()
        return was is _State.LEAVING

    def _read(self, tell: Tell) -> None:
        self._state = _State.READING
        examining = self._in_thread(self._examine)
        examined: Deferred[Outcome] = examining.addCallbacks(self._accept, self._refuse)
        finished = examined.addCallback(self._finish, tell)
        finished.addErrback(lambda failure: self._log.failure("The reload failed", failure))

    def _examine(self) -> bool:
        """
        @return: whether the configuration is another one; it can be had then.
        """
        loaded = self._load()
        if fingerprint(loaded) == self._before:
            return False
        self._prepare(loaded.settings)
        return True

    def _accept(self, changed: bool) -> Outcome:
        return Outcome.RENEWED if changed else Outcome.SAME

    def _refuse(self, failure: Failure) -> Outcome:
        if not failure.check(*REASONS):
            self._log.failure("The configuration cannot be read again", failure)
        for line in _lines(failure):
            self._log.error("{problem}", problem=line)
        self._log.error("The reload is refused; the program goes on with what it had")
        return Outcome.REFUSED

    def _finish(self, outcome: Outcome, tell: Tell) -> None:
        if self._state is _State.BEHIND:
            self._read(tell)
            return
        if self._state is not _State.READING:
            self._abandon()
            return
        self._state = _State.IDLE
        if outcome is Outcome.SAME:
            self._log.info("The configuration is the same: all vassals reload")
            self._refresh()
        elif outcome is Outcome.RENEWED:
            self._log.info("The configuration is another one: the program starts again")
            self._state = _State.LEAVING
            self._renew()
        tell(outcome)


def _lines(failure: Failure) -> Iterable[str]:
    error = failure.value
    if isinstance(error, ConfigurationError):
        return map(str, error.problems)
    return [str(error)]
