"""
What a router has used, by the kernel's account in /proc.

A router is the process that was started and what that started, but for vassals:
they have a pipe to their Emperor, which their environment names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

#: The variable that uWSGI's vassals know their Emperor by.
VASSAL = b"UWSGI_EMPEROR_FD="

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """
    As much of /proc/PID/stat as counts; see proc_pid_stat(5).

    @ivar parent: the process that started it.
    @ivar cpu: seconds that all its threads have run, user and system.
    """

    parent: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Memory:
    """
    What processes hold in memory, in bytes.

    @ivar pss: with what they share divided among them.
    @ivar rss: with what they share counted for each.
    """

    pss: int
    rss: int

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.pss + other.pss, self.rss + other.rss)

    def __sub__(self, other: Memory) -> Memory:
        return Memory(self.pss - other.pss, self.rss - other.rss)


def parse_stat(text: str, ticks: int = TICKS) -> Stat:
    """
    Read /proc/PID/stat.

    @param ticks: the kernel's ticks in a second.
    """
    # The name may have blanks and brackets; the last bracket is its end.
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks)


def parse_rollup(text: str) -> Memory:
    """
    Read /proc/PID/smaps_rollup.
    """
    # The first line is the range of addresses; the others are "Name:  12 kB".
    lines = (line.split() for line in text.splitlines()[1:])
    sizes = {words[0]: int(words[1]) * 1024 for words in lines}
    return Memory(sizes["Pss:"], sizes["Rss:"])


def family(pid: int, proc: Path = PROC) -> list[int]:
    """
    A process and what it started, down to the last generation, without vassals.

    @raise ProcessLookupError: it has ended.
    """
    children: dict[int, list[int]] = {}
    for child, stat in _stats(proc):
        children.setdefault(stat.parent, []).append(child)
    if not (proc / str(pid) / "cmdline").read_bytes():  # as a zombie's
        raise ProcessLookupError(f"process {pid} has ended")
    found = [pid]
    for member in found:
        found += (child for child in children.get(member, ()) if not _is_vassal(child, proc))
    return found


def _stats(proc: Path) -> Iterator[tuple[int, Stat]]:
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            try:
                yield int(entry.name), parse_stat((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                continue


def _is_vassal(pid: int, proc: Path) -> bool:
    variables = (proc / str(pid) / "environ").read_bytes().split(b"\0")
    return any(variable.startswith(VASSAL) for variable in variables)


def cpu(pids: Iterable[int], proc: Path = PROC) -> float:
    """
    The seconds that these processes have run.
    """
    return sum(parse_stat((proc / str(pid) / "stat").read_text()).cpu for pid in pids)


def memory(pids: Iterable[int], proc: Path = PROC) -> Memory:
    """
    What these processes hold together.
    """
    rollups = ((proc / str(pid) / "smaps_rollup").read_text() for pid in pids)
    return sum(map(parse_rollup, rollups), Memory(0, 0))
