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
from emperor.keeper.processes import Process, Table, descendants, has_variable, holds, look

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

    def kill(self, table: Table, adopted: Iterable[Process]) -> bool:
        """
        Kill all that there are.

        @param table: as L{look} found it; not needed if there is a group.
        @param adopted: whose parent is the keeper and who are no first processes.
        @return: whether there were any; those that were killed may take a while
            to end.
        """
        if self.group is not None:
            members = self.group.members()
            if members and not self.group.kill():
                kill(members)
        else:
            members = self._members(table, adopted)
            kill(members)
        return bool(members)

    def _members(self, table: Table, adopted: Iterable[Process]) -> list[int]:
        roots = [each.pid for each in adopted if self._owns(each)]
        first = [] if self.left else [self.pid]
        found = descendants(table, [*first, *roots])
        return [pid for pid in found if not table[pid].dead]

    def _owns(self, process: Process) -> bool:
        return (
            process.session == self.pid
            or has_variable(process.pid, f"{MARK}={self.mark}".encode())
            or holds(process.pid, self.inode)
        )


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
