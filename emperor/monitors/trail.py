"""
Which directory entries decide where a path leads.

Every link on the way and the last entry: whoever changes one of them changes
what the path means.  If the path leads nowhere, the first entry that is
missing is the last one of its trail.
"""

from __future__ import annotations

import os

#: As many links as Linux follows (C{MAXSYMLINKS}).
_MOST_LINKS = 40


def trail(path: str) -> list[str]:
    """
    The absolute paths of the entries that C{path} goes through, without links
    in their directories.
    """
    entries: list[str] = []
    todo = _parts(os.path.abspath(path))
    here, links = "/", 0
    while todo:
        entry = os.path.join(here, todo.pop(0))
        if entry.endswith("/.."):
            here = os.path.dirname(here)
        elif os.path.islink(entry):
            links += 1
            entries.append(entry)
            if links > _MOST_LINKS:
                return entries
            target = _readlink(entry)
            todo = _parts(target) + todo
            here = "/" if target.startswith("/") else here
        elif not todo or not os.path.lexists(entry):
            entries.append(entry)
            return entries
        else:
            here = entry
    return entries


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _readlink(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # Replaced a moment ago; the next look will tell.
        return ""
