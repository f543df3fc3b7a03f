"""
When to look after something has happened in a watched directory.

A writer that truncates a file and fills it in several steps causes many
events, and what is in between is no configuration.  So a look waits until it
was quiet for L{QUIET} seconds and every file that was written to is closed
again; where a file vanished its replacement gets L{ABSENCE} seconds to appear.
A writer that never closes is waited for L{PATIENCE} seconds after what it
wrote last, and nobody longer than L{LIMIT} seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

QUIET = 0.005
ABSENCE = 0.02
PATIENCE = 0.5
LIMIT = 2.0


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

    def note(self, path: str, change: Change, now: float) -> float:
        """
        Something happened.

        @return: when to look, if nothing else happens.
        """
        if not self._due:
            self._first = now
        if change is Change.WRITTEN:
            self._open[path] = now + PATIENCE
        else:
            self._open.pop(path, None)
        quiet = now + (ABSENCE if change is Change.VANISHED else QUIET)
        self._due = max(quiet, *self._open.values(), 0.0)
        return min(self._due, self._first + LIMIT)

    def clear(self) -> None:
        """
        Somebody looks now.
        """
        self._due = 0
        self._open.clear()
