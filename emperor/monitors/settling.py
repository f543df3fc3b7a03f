"""
When to look after something has happened in a watched directory.

A writer that truncates a file and fills it in several steps causes many
events, and what is in between is no configuration.  So a look waits until it
was quiet for L{QUIET} seconds and every file that was written to is closed
again; where a file vanished its replacement gets L{ABSENCE} seconds to appear.
A writer that never closes is waited for L{PATIENCE} seconds after what it
wrote last, and no look longer than L{LIMIT} seconds.

A look that comes meanwhile, because its time has come or something else has
changed, leaves alone what is being written; it does so for L{LONGEST} seconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum

QUIET = 0.005
ABSENCE = 0.02
PATIENCE = 2.0
LIMIT = 2.0
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
    _due: float = 0
    _open: dict[str, float] = field(default_factory=dict)
    # Of each file in writing when that was noticed first, and until when it is
    # left alone; looks do not end that.
    _writing: dict[str, tuple[float, float]] = field(default_factory=dict)

    def note(self, path: str, change: Change, now: float) -> float:
        """
        Something happened.

        @return: when to look, if nothing else happens.
        """
        if not self._due:
            self._first = now
        if change is Change.WRITTEN:
            self._open[path] = now + PATIENCE
            first, _ = self._writing.get(path, (now, now))
            self._writing[path] = first, min(now + PATIENCE, first + LONGEST)
        else:
            self._open.pop(path, None)
            self._writing.pop(path, None)
        quiet = now + (ABSENCE if change is Change.VANISHED else QUIET)
        self._due = max(quiet, *self._open.values(), 0.0)
        return min(self._due, self._first + LIMIT)

    def look(self, now: float) -> float | None:
        """
        Somebody looks now.

        @return: when to look again for what is in writing; L{None}: nothing is.
        """
        self._due = 0
        self._open.clear()
        self._writing = {path: each for path, each in self._writing.items() if each[1] > now}
        return min((until for _, until in self._writing.values()), default=None)

    def is_in_writing(self, path: str) -> bool:
        """
        Whether a look must leave the file at C{path} alone.

        @param path: absolute, perhaps with links in it.
        """
        return bool(self._writing) and os.path.realpath(path) in self._writing
