"""
When to look after something has happened in a watched directory.

A writer that truncates a file and fills it in several steps causes many
events, and what is in between is no configuration.  So a file that is written
to is left alone until it is closed.  If that does not happen it is left alone
for L{PATIENCE} seconds after what was written last, and for no longer than
L{LONGEST} seconds.  It delays nothing but itself: looks that come meanwhile take
everything else.

A look waits until it was quiet for L{QUIET} seconds, but no longer than L{LIMIT}
seconds; where a file vanished its replacement gets L{ABSENCE} seconds to appear.
What changes all the time is no reason to look more often than its allowance says
(L{emperor.monitors.pace}), and puts off no look either.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum
from math import inf

from emperor.monitors.pace import KNOWN_LIMIT, Allowance

QUIET = 0.005
ABSENCE = 0.02
PATIENCE = 2.0
LIMIT = 0.1
LONGEST = 10.0


class Change(Enum):
    """
    What happened to an entry of a directory.
    """

    #: Its content is being written.
    WRITTEN = "written"
    #: It is complete: closed by its writer, or moved here.
    COMPLETE = "complete"
    #: It was deleted or moved away.
    VANISHED = "vanished"
    #: Anything else.
    OTHER = "other"


@dataclass
class Settling:
    """
    What has happened since the last look; times are seconds.
    """

    _first: float = 0
    _due: float = inf
    # What was heard of, and causes the next look.
    _heard: set[str] = field(default_factory=set)
    # What was heard of too often, and when it causes a look.
    _later: dict[str, float] = field(default_factory=dict)
    _allowance: Allowance = field(default_factory=Allowance)
    # Of each file in writing when that was noticed first, and until when it is
    # left alone; looks do not end that.
    _writing: dict[str, tuple[float, float]] = field(default_factory=dict)

    def note(self, path: str, change: Change, now: float) -> float:
        """
        Something happened.

        @return: when to look, if nothing else happens.
        """
        if change is Change.WRITTEN:
            first, _ = self._writing.get(path, (now, now))
            self._writing[path] = first, min(now + PATIENCE, first + LONGEST)
        else:
            self._writing.pop(path, None)
            self._expect(path, ABSENCE if change is Change.VANISHED else QUIET, now)
        return min(self._due, self._next())

    def look(self, now: float) -> float:
        """
        Somebody looks now.

        @return: when to look again for what is in writing, or was heard of too
            often; C{inf}: nothing is.
        """
        ripe = [path for path, due in self._later.items() if due <= now]
        for path in (*self._heard, *ripe):
            self._allowance.charge(path, now)
            self._later.pop(path, None)
        self._allowance.forget(now)
        self._heard.clear()
        self._due = inf
        self._writing = {path: each for path, each in self._writing.items() if each[1] > now}
        return self._next()

    def is_in_writing(self, path: str) -> bool:
        """
        Whether a look must leave the file at C{path} alone.

        @param path: absolute, perhaps with links in it.
        """
        return bool(self._writing) and os.path.realpath(path) in self._writing

    def _expect(self, path: str, pause: float, now: float) -> None:
        """
        Look after a pause, or when the allowance of C{path} permits it.
        """
        ready = self._allowance.ready(path, now)
        if ready > now:
            self._later[path] = ready
            return
        if self._due == inf:
            self._first = now
        if len(self._heard) < KNOWN_LIMIT:
            self._heard.add(path)
        self._due = min(now + pause, self._first + LIMIT)

    def _next(self) -> float:
        until = (until for _, until in self._writing.values())
        return min(min(until, default=inf), min(self._later.values(), default=inf))
