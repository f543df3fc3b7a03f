"""
Which directory entries decide where a path leads.

Every link on the way and the last entry: whoever changes one of them changes
what the path means.  If the path leads nowhere, the first entry that is
missing is the last one of its trail.
"""

from __future__ import annotations

import os
from errno import EINVAL

#: As many links as Linux follows (C{MAXSYMLINKS}).
_MOST_LINKS = 40


#: Where links lead, by their path; "": it is no link; L{None}: there is nothing.
Targets = dict[str, str | None]


def trail(path: str, known: Targets | None = None) -> list[str]:
    """
    The absolute paths of the entries that C{path} goes through, without links
    in their directories.

    @param known: what is known already, and will be: thousands of links in one
        directory share most of their ways.
    """
    known = {} if known is None else known
    entries: list[str] = []
    todo = _parts(os.path.abspath(path))
    here, links = "", 0
    while todo:
        entry = f"{here}/{todo.pop(0)}"
        if entry.endswith("/.."):
            here = here.rpartition("/")[0]
            continue
        if entry not in known:
            known[entry] = _target(entry)
        target = known[entry]
        if target:
            links += 1
            entries.append(entry)
            if links > _MOST_LINKS:
                return entries
            todo = _parts(target) + todo
            here = "" if target.startswith("/") else here
        elif not todo or target is None:
            entries.append(entry)
            return entries
        else:
            here = entry
    return entries


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _target(entry: str) -> str | None:
    try:
        return os.readlink(entry)
    except OSError as error:
        return "" if error.errno == EINVAL else None
