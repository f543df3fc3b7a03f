"""
How many descriptors may be open.

Each vassal takes L{PER_VASSAL} of them, each request two, and the usual limit of
1024 is soon reached; so the program raises its own as far as it may.  A vassal gets
the limit that the program was started with: there are programs that take a high one
for a reason to close as many descriptors, or that cannot use those above 1024.
"""

from __future__ import annotations

import os
import resource
from contextlib import suppress

#: Descriptors of ours for each vassal: its pipe and what it prints.
PER_VASSAL = 3

#: Descriptors that no vassal is started with: requests, looks at files and reloads
#: need some.
RESERVE = 64


class NoRoom(Exception):
    """
    Too few descriptors are left; the text says what to do.
    """


class Descriptors:
    """
    The limit that this process was started with.
    """

    def __init__(self) -> None:
        self._given = resource.getrlimit(resource.RLIMIT_NOFILE)

    def raise_ours(self) -> None:
        """
        Take as many as we may.
        """
        highest = self._given[1]
        with suppress(ValueError, OSError):  # More than the system has: as it is.
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))

    def give(self, pid: int) -> None:
        """
        Give a child of ours, and all that it will start, the limit that we were
        started with.
        """
        with suppress(OSError):  # It has gone already.
            resource.prlimit(pid, resource.RLIMIT_NOFILE, self._given)


def check_room() -> None:
    """
    See whether another vassal can be started.

    @raise NoRoom: only those are left that are kept.
    """
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return
    last = max(0, limit - RESERVE - PER_VASSAL)
    # The kernel gives the lowest number that is free: as long as nobody has come up
    # to this one there is no need to count.
    if _is_free(last) or len(os.listdir("/proc/self/fd")) <= last:
        return
    raise NoRoom(
        f"no descriptors are left for another vassal: {limit} are allowed, and the last "
        f"{RESERVE} kept for requests; raise LimitNOFILE= or ulimit -n"
    )


def _is_free(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False
