"""
A vassal of which it cannot be told where to listen for it.

Started without its socket it would die, or open another one; so it waits, as after
a death, and then it is asked again.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.vassals.backoff import Life
from emperor.vassals.core import Court
from emperor.vassals.doors import Unclear
from emperor.vassals.spec import VassalId, VassalSpec, shown
from emperor.vassals.status import Phase, VassalStatus

_UNCLEAR = "it is unclear where to listen for it"

#: Nothing of it has lived.
_NO_LIFE = Life(age=0)


class Doubt:
    """
    When one that waits for an answer may ask again.

    @ivar failures: answers in a row that were none.
    """

    def __init__(self, id: VassalId, court: Court, ask: Callable[[], object]) -> None:
        """
        @param ask: asks again; nothing waits any more when it is called.
        """
        self._id = id
        self._court = court
        self._ask = ask
        self._timer: IDelayedCall | None = None
        self.failures = 0

    @property
    def holds(self) -> bool:
        """
        Whether the vassal waits.
        """
        return self._timer is not None

    def begin(self, why: str) -> VassalStatus:
        """
        Wait, longer each time.

        @return: how the vassal is.
        """
        self._cancel()
        now = self._court.clock.seconds()
        sentence = self._court.backoff.judge(_NO_LIFE, self.failures)
        self.failures = sentence.failures
        self._timer = self._court.clock.callLater(sentence.delay, self.hurry)
        return VassalStatus(
            self._id,
            Phase.HELD_BACK,
            since=now,
            retry_at=now + sentence.delay,
            failures=self.failures,
            ending=f"{_UNCLEAR}: {why}",
        )

    def hurry(self) -> None:
        """
        Ask now, if it waits.
        """
        if self.holds:
            self._cancel()
            self._ask()

    def end(self) -> None:
        """
        Wait no more, and forget what was.
        """
        self._cancel()
        self.failures = 0

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


def complain(log: Logger, spec: VassalSpec, failure: Failure) -> None:
    """
    Log why nobody knows where to listen for a vassal.
    """
    name = shown(spec.id.name)
    if failure.check(Unclear):
        problem = shown(str(failure.value))
        log.warn(
            "Vassal {vassal}: {unclear}: {problem}",
            vassal=name,
            unclear=_UNCLEAR,
            problem=problem,
        )
    else:
        log.failure("The door of {vassal} is unknown", failure, vassal=name)
