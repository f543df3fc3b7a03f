"""
How many lines a log can bear.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime


class Allowance:
    """
    Lets so many things of a kind be said in a second; the rest is counted.
    """

    def __init__(
        self, clock: IReactorTime, per_second: int, unsaid: Callable[[int], object]
    ) -> None:
        """
        @param unsaid: called at the end of a second with the count of what was
            not said, if there was any.
        """
        self._clock = clock
        self._per_second = per_second
        self._unsaid = unsaid
        self._end = float("-inf")
        self._said = self._left_out = 0
        self._timing = False

    def take(self) -> bool:
        """
        Whether one more may be said.
        """
        now = self._clock.seconds()
        if not self._timing and not 0 <= self._end - now <= 1:
            self._end, self._said = now + 1, 0
        if self._said < self._per_second:
            self._said += 1
            return True
        self._left_out += 1
        if not self._timing:
            self._timing = True
            self._clock.callLater(max(0.0, self._end - now), self._over)
        return False

    def _over(self) -> None:
        count, self._left_out = self._left_out, 0
        self._timing = False
        self._end = float("-inf")
        self._unsaid(count)
