"""
How much of the time goes into what is heard of.

Somebody who may change one file may change it as often as he likes, and each
time the directory is looked at and the file is read.  He must slow down nobody
else.  So of each thing the first few changes act at once and the further ones
once a second (L{Allowance}); and after a look that a hint has caused the next
such look waits for so long that looks take a small part of the time only.

A look whose time has come, or that somebody has asked for, waits for nothing
and takes all there is.
"""

from __future__ import annotations

from math import inf

#: Changes of one file that act at once.
BURST = 3

#: Seconds between two further ones.
INTERVAL = 1.0

#: How long a look rests the next one, as many times as it took itself.
REST = 10

#: Things of which is known how often they changed; the others wait for nothing.
KNOWN_LIMIT = 10_000


class Allowance:
    """
    Lets each of many things happen L{BURST} times at once, and then every
    L{INTERVAL} seconds.
    """

    def __init__(self) -> None:
        # When each will have all of its allowance again.
        self._whole: dict[str, float] = {}

    def ready(self, key: str, now: float) -> float:
        """
        When it may happen, which may be in the past.
        """
        return self._whole.get(key, now) - (BURST - 1) * INTERVAL

    def charge(self, key: str, now: float) -> None:
        """
        It happens.
        """
        if key in self._whole or len(self._whole) < KNOWN_LIMIT:
            self._whole[key] = max(now, self._whole.get(key, now)) + INTERVAL

    def forget(self, now: float) -> None:
        """
        Know no more of what has all of its allowance.
        """
        self._whole = {key: whole for key, whole in self._whole.items() if whole > now}


class Pace:
    """
    When a monitor looks, and what it may act on, because of a hint.

    @ivar again: when to look for what this look has left for later; C{inf}: it
        has left nothing.
    """

    def __init__(self) -> None:
        self._vassals = Allowance()
        self._now = 0.0
        self._hinted = False
        self._rested = 0.0
        self.again = inf

    def begin(self, now: float, hinted: bool) -> None:
        """
        A look begins.

        @param hinted: it comes because of something that was heard.
        """
        self._now, self._hinted = now, hinted
        self._vassals.forget(now)
        self.again = inf

    def end(self, now: float) -> None:
        """
        All has been looked at.
        """
        if self._hinted:
            self._rested = now + REST * (now - self._now)

    def come_back(self, when: float) -> None:
        """
        This look is not enough.
        """
        self.again = min(self.again, when)

    def may_act(self, name: str) -> bool:
        """
        Whether the change of a vassal counts in this look; if not, it will in
        a later one.
        """
        ready = self._vassals.ready(name, self._now)
        if self._hinted and ready > self._now:
            self.come_back(ready)
            return False
        self._vassals.charge(name, self._now)
        return True

    def not_before(self, due: float) -> float:
        """
        When a look that a hint asks for at C{due} may come.
        """
        return max(due, self._rested)
