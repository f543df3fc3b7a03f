"""
Processes that outlive their vassal.

When the first process of a vassal is killed, its workers may go on and keep
its sockets.  All of them inherited the vassal's end of the pipe, a socket
whose inode is unique; so whoever holds that inode belongs to the vassal.
This needs C{/proc} as Linux has it; elsewhere nobody is found.

Programs that an application has started may not have the pipe.  They are in the
process group of the first process, unless they have left it on purpose.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from signal import SIGKILL

from twisted.logger import Logger

_log = Logger()


def holders(inode: int, proc: str = "/proc") -> Iterator[int]:
    """
    The processes that have the socket with that inode open.
    """
    wanted = f"socket:[{inode}]"
    try:
        entries = os.listdir(proc)
    except OSError:
        return
    for entry in entries:
        if entry.isdecimal() and _holds(os.path.join(proc, entry, "fd"), wanted):
            yield int(entry)


def kill_holders(inode: int) -> None:
    """
    Kill every process, except our own, that has the socket open.
    """
    for pid in holders(inode):
        if pid == os.getpid():
            continue
        try:
            os.kill(pid, SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:
            _log.warn("Process {pid} of a dead vassal may not be killed", pid=pid)


def kill_group(pid: int) -> None:
    """
    Kill what is left of the process group that C{pid} leads, or led.

    Where a vassal has no session of its own, there is no such group.
    """
    if pid <= 1:  # 0 would be our own group.
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, SIGKILL)


def _holds(directory: str, wanted: str) -> bool:
    try:
        descriptors = os.listdir(directory)
    except OSError:  # It has left, or is not ours to look into.
        return False
    return any(_target(os.path.join(directory, fd)) == wanted for fd in descriptors)


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
