"""
The processes of this machine, as C{/proc} shows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

#: Bytes of an environment that are looked at; the kernel allows no more by far.
_ENVIRONMENT = 8 * 1024 * 1024

#: States of processes that have ended and only wait to be noticed.
_DEAD = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Process:
    """
    One process.

    @ivar parent: who started it, or adopted it.
    @ivar session: the process that leads its session, or led it.
    @ivar dead: it has ended and only waits to be noticed.
    """

    pid: int
    parent: int
    session: int
    dead: bool


Table = Mapping[int, Process]


def look(proc: str = "/proc") -> Table:
    """
    All processes that there are now.
    """
    numbers = (int(entry) for entry in os.listdir(proc) if entry.isdecimal())
    found = (_read(proc, number) for number in numbers)
    return {process.pid: process for process in found if process is not None}


def descendants(table: Table, roots: Iterable[int]) -> Iterator[int]:
    """
    These processes and all that came from them.
    """
    children: dict[int, list[int]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process.pid)
    found = set[int]()
    waiting = [root for root in roots if root in table]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            yield pid
            waiting += children.get(pid, ())


def has_variable(pid: int, variable: bytes, proc: str = "/proc") -> bool:
    """
    Whether a process was given C{NAME=VALUE} in its environment.
    """
    try:
        with open(os.path.join(proc, str(pid), "environ"), "rb") as file:
            return variable in file.read(_ENVIRONMENT).split(b"\0")
    except OSError:  # It has left, or is not ours to look into.
        return False


def holders(inode: int, proc: str = "/proc") -> Iterator[int]:
    """
    The processes that have the socket with that inode open.
    """
    for entry in os.listdir(proc):
        if entry.isdecimal() and holds(int(entry), inode, proc):
            yield int(entry)


def holds(pid: int, inode: int, proc: str = "/proc") -> bool:
    """
    Whether a process has the socket with that inode open.
    """
    directory = os.path.join(proc, str(pid), "fd")
    try:
        descriptors = os.listdir(directory)
    except OSError:  # It has left, or is not ours to look into.
        return False
    return any(_target(directory, each) == f"socket:[{inode}]" for each in descriptors)


def _target(directory: str, descriptor: str) -> str:
    try:
        return os.readlink(os.path.join(directory, descriptor))
    except OSError:
        return ""


def _read(proc: str, pid: int) -> Process | None:
    try:
        with open(os.path.join(proc, str(pid), "stat"), "rb") as file:
            line = file.read(4096)
    except OSError:
        return None
    # The name may have blanks and brackets in it; what follows it has not.
    state, parent, _group, session = line.rpartition(b")")[2].split()[:4]
    return Process(pid, int(parent), int(session), state.decode() in _DEAD)
