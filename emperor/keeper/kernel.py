"""
What Linux offers to those who start processes and Python does not pass on.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection
from errno import ENOSYS
from itertools import count
from signal import SIGCHLD, SIGKILL

_SET_DEATH_SIGNAL = 1
_READ_BOUND = 23
_DROP_BOUND = 24
_SET_CHILD_SUBREAPER = 36

#: The capability without which no other one can be given up.
_SETPCAP = 8

_NAMESPACES = {
    "mount": 0x00020000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}

#: The number of C{clone(2)} by machine; all of these take the flags first.
_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "ppc64le": 120, "i686": 120, "armv7l": 120}

_libc = ctypes.CDLL(None, use_errno=True)
_python = ctypes.PyDLL(None, use_errno=True)
_python.syscall.restype = ctypes.c_long


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


def bound_capabilities(kept: Collection[int]) -> None:
    """
    Let this process, and all that come from it, never be capable of more.

    @raise OSError: as the kernel says.
    """
    for number in count():
        try:
            prctl(_READ_BOUND, number)
        except OSError:  # There are no more.
            return
        if number != _SETPCAP and number not in kept:
            prctl(_DROP_BOUND, number)


def fork(namespaces: Collection[str] = ()) -> int:
    """
    As C{os.fork}, with namespaces of its own for the child; in one for
    processes it is number 1.

    @raise OSError: as the kernel says.
    """
    if not namespaces:
        return os.fork()
    machine = os.uname().machine
    if machine not in _CLONE:
        raise OSError(ENOSYS, f"namespaces are not known on {machine}")
    flags = int(SIGCHLD)
    for name in namespaces:
        flags |= _NAMESPACES[name]
    # What os.fork does around the system call; the lock of the interpreter is
    # held all the while.
    ctypes.pythonapi.PyOS_BeforeFork()
    number = int(
        _python.syscall(_CLONE[machine], *(ctypes.c_ulong(each) for each in (flags, 0, 0, 0, 0)))
    )
    error = ctypes.get_errno()
    if number == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if number < 0:
        raise OSError(error, os.strerror(error))
    return number
