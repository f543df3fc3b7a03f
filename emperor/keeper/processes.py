"""
The processes of this machine, as C{/proc} shows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

#: Bytes of an environment that are looked at; the kernel allows no more by far.
_ENVIRONMENT = 8 * 1024 * 1024

_SOCKET = "socket:["

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


class Tree:
    """
    Who came from whom, at one moment.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._children: dict[int, list[int]] = {}
        for process in table.values():
            self._children.setdefault(process.parent, []).append(process.pid)

    def descendants(self, roots: Iterable[int]) -> Iterator[int]:
        """
        These processes and all that came from them.
        """
        found = set[int]()
        waiting = [root for root in roots if root in self._table]
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found.add(pid)
                yield pid
                waiting += self._children.get(pid, ())


def descendants(table: Table, roots: Iterable[int]) -> Iterator[int]:
    """
    These processes and all that came from them.
    """
    return Tree(table).descendants(roots)


def children(pid: int, proc: str = "/proc") -> set[int] | None:
    """
    The children of a process with one thread; L{None} if the kernel does not tell.

    Only that process itself can rely on it, while it reaps none: the list is not
    read in one piece, and who is taken out of it meanwhile may hide another one.
    """
    try:
        with open(os.path.join(proc, str(pid), "task", str(pid), "children"), "rb") as file:
            return set(map(int, file.read().split()))
    except OSError:
        return None


def values(pid: int, name: bytes, proc: str = "/proc") -> list[bytes]:
    """
    What a process was given in its environment under this name.
    """
    try:
        with open(os.path.join(proc, str(pid), "environ"), "rb") as file:
            variables = file.read(_ENVIRONMENT).split(b"\0")
    except OSError:  # It has left, or is not ours to look into.
        return []
    pairs = (variable.partition(b"=") for variable in variables)
    return [value for key, _, value in pairs if key == name]


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
    return inode in sockets(pid, proc)


def sockets(pid: int, proc: str = "/proc") -> Iterator[int]:
    """
    The inodes of the sockets that a process has open.
    """
    directory = os.path.join(proc, str(pid), "fd")
    try:
        descriptors = os.listdir(directory)
    except OSError:  # It has left, or is not ours to look into.
        return
    for descriptor in descriptors:
        target = _target(directory, descriptor)
        if target.startswith(_SOCKET):
            yield int(target.removeprefix(_SOCKET).rstrip("]"))


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
