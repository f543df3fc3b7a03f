"""
How long a vassal that died has to wait before it may try again.

Rules:

  - A vassal that fails again and again waits twice as long each time, from
    C{emperor-throttle} to C{emperor-max-throttle}.  Up to a quarter is taken
    off at random, so that vassals that failed for one reason do not all come
    back in the same moment.

  - One that served well (it accepted for L{STABLE} seconds) and then dies had
    an accident: it comes back at once.

  - One that answered a request in a shorter life is loyal: its wait does not
    grow.  It comes back at once, and if it dies again in a row, after
    C{emperor-throttle}: it may die of the request that clients repeat.

  - A program that never says a word is judged by its age alone: after
    L{OLD_AGE} seconds its earlier failures are forgotten.

  - A changed configuration starts a new record; the caller sees to that.

  - With C{emperor-no-blacklist} nobody waits, but no vassal is started twice
    within L{RESPITE} seconds: that would leave no time for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: Seconds of accepting after which earlier failures are forgotten.
STABLE = 10.0

#: Seconds of life after which those of a silent program are forgotten.
OLD_AGE = 60.0

#: Seconds between two starts of a vassal that never has to wait.
RESPITE = 1.0

#: The part of a wait that is left to chance.
JITTER = 0.25

#: Doublings beyond this one make no difference to any sane limit.
_MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class Life:
    """
    How a vassal did until it died.

    @ivar age: seconds since its process was started.
    @ivar served: seconds that it accepted requests at the end of its life.
    @ivar loyal: whether it has answered a request.
    @ivar silent: whether it never said anything.
    """

    age: float
    served: float = 0
    loyal: bool = False
    silent: bool = True


@dataclass(frozen=True, slots=True)
class Sentence:
    """
    What follows from a death.

    @ivar delay: seconds until the vassal may start again; 0 for at once.
    @ivar failures: deaths in a row, to be given to the next judgement.
    """

    delay: float
    failures: int


@dataclass(frozen=True, slots=True)
class BackOff:
    """
    The rules with their numbers.

    @ivar first: seconds after the first failure.
    @ivar longest: seconds after many.
    @ivar random: gives a number from 0 to 1.
    @ivar waits: L{False} for C{emperor-no-blacklist}.
    """

    first: float
    longest: float
    random: Callable[[], float]
    waits: bool = True

    def judge(self, life: Life, failures: int) -> Sentence:
        """
        Decide about a vassal that died after C{life} and C{failures} earlier
        deaths in a row.
        """
        if life.served >= STABLE:
            return Sentence(0, 0)
        if not self.waits:
            return Sentence(max(0.0, RESPITE - life.age), failures + 1)
        if life.loyal:
            return Sentence(self._delay(0) if failures else 0, 1)
        if life.silent and life.age >= OLD_AGE:
            failures = 0
        return Sentence(self._delay(failures), failures + 1)

    def _delay(self, failures: int) -> float:
        full = min(self.longest, self.first * 2.0 ** min(failures, _MOST_DOUBLINGS))
        return max(min(self.first, self.longest), full * (1 - JITTER * self.random()))
