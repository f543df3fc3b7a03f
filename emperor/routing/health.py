"""
How a node that does not accept is spared, and how it comes back.

Rules:

  - A node that did not accept is in quarantine: it gets no requests for a
    while, twice as long each time in a row.  Some of the time is left to
    chance, so that router processes do not all try it in the same moment.

  - After that it is tried by a single request.  If it accepts, it is well and
    all is forgotten; if not, the next quarantine begins.

  - Requests that were on their way when a quarantine began and fail in it
    are the same failure: they do not lengthen it.

  - Where nodes are checked, no request tries it: a check that it passes ends
    the quarantine, and nothing else does.  A check that it does not pass is a
    failure like any other.

  - What a node says of itself changes nothing: a server whose port is broken
    announces itself like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: The part of a quarantine that is left to chance.
JITTER = 0.25

#: Seconds after which a trying request that nobody heard of again is forgotten.
TRIAL = 5.0

#: Doublings beyond this one make no difference to any sane limit.
_MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class Quarantine:
    """
    The rules with their numbers.

    @ivar random: gives a number from 0 to 1.
    @ivar first: seconds after the first failure.
    @ivar longest: seconds after many.
    @ivar checked: nodes are checked, so that no request need try one.
    """

    random: Callable[[], float]
    first: float = 1
    longest: float = 30
    checked: bool = False

    def duration(self, failures: int) -> float:
        """
        Seconds without requests.

        @param failures: in a row, at least 1.
        """
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
        return full * (1 - JITTER * self.random())


@dataclass(slots=True)
class Health:
    """
    What one node's connections tell of it.

    @ivar failures: quarantines in a row; 0: it is well.
    @ivar until: when the last of them ends.
    """

    failures: int = 0
    until: float = 0
    _trial_until: float = 0
    _checked: bool = False

    def may_serve(self, now: float) -> bool:
        """
        Whether a request may go to the node.
        """
        return not self.failures or (
            not self._checked and now >= self.until and now >= self._trial_until
        )

    def picked(self, now: float) -> None:
        """
        A request goes to the node; if its quarantine is over, this one tries it
        and no other.
        """
        if self.failures and now >= self.until:
            self._trial_until = now + TRIAL

    def failed(self, now: float, quarantine: Quarantine) -> None:
        """
        The node did not accept.
        """
        if self.failures and now < self.until:
            return
        self.failures += 1
        self.until = now + quarantine.duration(self.failures)
        self._trial_until = 0
        self._checked = quarantine.checked

    def accepted(self) -> None:
        """
        The node accepted a request: it is well, unless that takes a check.
        """
        if not self._checked:
            self.passed()

    def passed(self) -> None:
        """
        The node is well.
        """
        self.failures = 0
        self.until = self._trial_until = 0
