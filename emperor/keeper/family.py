"""
All processes of one vassal, and how they are told from others.

Where there are control groups a vassal has one, and that is that.  Elsewhere a
process belongs to a vassal if it descends from its first process.  One whose
parent has gone was adopted by the keeper, which is the parent of nobody else
but first processes; it belongs to the vassal whose session it is in, whose mark
it has in its environment, or whose pipe it holds.  What has given up all three
on purpose is nobody's, and ends with the keeper.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGKILL

from emperor.keeper.groups import Group
from emperor.keeper.processes import (
    Process,
    Table,
    Tree,
    descendants,
    look,
    sockets,
    values,
)

#: The variable that marks a vassal's processes.
MARK = "TXEMPEROR_VASSAL"


@dataclass
class Family:
    """
    One vassal's processes.

    @ivar number: by which the program knows it.
    @ivar pid: of the first one.
    @ivar mark: the value of the variable L{MARK} in its environment.
    @ivar inode: of its end of the pipe.
    @ivar group: its control group; L{None} if it has none.
    @ivar left: it has ended; the number may be another one's.
    @ivar trouble: what kept the first one from executing the program.
    """

    number: int
    pid: int
    mark: str
    inode: int
    group: Group | None = None
    left: bool = False
    trouble: str = ""

    def kill(self, members: Collection[int] = ()) -> bool:
        """
        Kill all that there are.

        @param members: as L{find_members} found them; not needed if there is a
            group.
        @return: whether there were any; those that were killed may take a while
            to end.
        """
        if self.group is not None:
            members = self.group.members()
            if members and not self.group.kill():
                kill(members)
        else:
            kill(members)
        return bool(members)


def find_members(
    families: Iterable[Family], table: Table, adopted: Iterable[Process]
) -> dict[int, list[int]]:
    """
    Who belongs to families without a control group.

    @param table: as L{look} found it.
    @param adopted: whose parent is the keeper and who are no first processes.
    @return: those that have not ended, by the families' numbers.
    """
    marks = _Marks(families)
    roots = {family.number: [] if family.left else [family.pid] for family in marks.families}
    for process in adopted:
        owner = marks.owner(process)
        if owner is not None:
            roots[owner.number].append(process.pid)
    tree = Tree(table)
    return {
        number: [pid for pid in tree.descendants(pids) if not table[pid].dead]
        for number, pids in roots.items()
    }


class _Marks:
    """
    Finds a process's family with one look at the process, however many there are.
    """

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = tuple(families)
        self._sessions = {family.pid: family for family in self.families}
        self._marks = {family.mark.encode(): family for family in self.families}
        self._inodes = {family.inode: family for family in self.families if family.inode}

    def owner(self, process: Process) -> Family | None:
        """
        The family that an adopted process belongs to.
        """
        if process.session in self._sessions:
            return self._sessions[process.session]
        for mark in values(process.pid, MARK.encode()):
            if mark in self._marks:
                return self._marks[mark]
        inodes = (inode for inode in sockets(process.pid) if inode in self._inodes)
        inode = next(inodes, 0)
        return self._inodes[inode] if inode else None


def kill(pids: Iterable[int]) -> None:
    """
    Kill these processes, as far as they are there and we may.
    """
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, SIGKILL)


def kill_children(parent: int, spared: Collection[int] = ()) -> list[int]:
    """
    Kill all that descends from a process, and not itself.

    @param spared: children that stay, with all that descends from them.
    @return: the other children; they are there until their parent has noticed
        their end.
    """
    table = look()
    roots = [
        each.pid for each in table.values() if each.parent == parent and each.pid not in spared
    ]
    kill(pid for pid in descendants(table, roots) if not table[pid].dead)
    return roots
