"""
What Linux offers to those who start processes and Python does not pass on.
"""

from __future__ import annotations

import ctypes
import os
from signal import SIGKILL

_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int = 0) -> int:
    """
    C{prctl(2)}.

    @raise OSError: as the kernel says.
    """
    result = int(_libc.prctl(option, *(ctypes.c_ulong(each) for each in (argument, 0, 0, 0))))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def adopt_orphans(on: bool = True) -> None:
    """
    Become the parent of all processes of this one's tree that lose theirs, or
    be it no more.

    @raise OSError: as the kernel says.
    """
    prctl(_SET_CHILD_SUBREAPER, int(on))


def die_with(parent: int) -> None:
    """
    Let this process be killed when its parent has gone, also if it has gone
    already.  The kernel forgets this when a process changes its user.

    @raise OSError: as the kernel says.
    """
    prctl(_SET_DEATH_SIGNAL, SIGKILL)
    # In a namespace of its own a process cannot see its parent: 0.
    if os.getppid() not in (0, parent):
        os._exit(1)
