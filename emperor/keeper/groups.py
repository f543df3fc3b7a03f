"""
Control groups (cgroup v2): what is in one never leaves it by itself, so all
processes of a vassal can be found and killed, whatever they do.

They are used where the group that the program is in may be divided: by root or
its delegate, and under systemd only if the unit has C{Delegate=yes}.  Elsewhere
there are none, and processes are told by other marks
(L{emperor.keeper.family}).
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass

_MOUNT = re.compile(rb"^\S+ \S+ \S+ / (/\S*) .* - cgroup2 ", re.MULTILINE)
_OWN = re.compile(rb"^0::(/.*)$", re.MULTILINE)
_KEEPER = re.compile(r"vassals-(\d+)")
_STRANGE = re.compile(r"[^\w.@+-]")

#: Attributes by which systemd says that a group may be divided.
_DELEGATED = ("trusted.delegate", "user.delegate")


@dataclass(frozen=True, slots=True)
class Group:
    """
    The control group of one vassal.

    @ivar path: its directory.
    """

    path: str

    def enter(self) -> None:
        """
        Move this process into the group.

        @raise OSError: as the kernel says.
        """
        _write(os.path.join(self.path, "cgroup.procs"), "0")

    def members(self) -> list[int]:
        """
        The processes in it, also in groups that they have made in it.
        """
        found: list[int] = []
        for directory, _, _ in os.walk(self.path):
            with suppress(OSError), open(os.path.join(directory, "cgroup.procs"), "rb") as file:
                found += map(int, file.read().split())
        return [pid for pid in found if pid > 0]

    def kill(self) -> bool:
        """
        Kill all of them at once; L{False} if this kernel (before 5.14) cannot.
        """
        try:
            _write(os.path.join(self.path, "cgroup.kill"), "1")
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """
        Remove the group; nobody may be in it.
        """
        for directory, _, _ in os.walk(self.path, topdown=False):
            with suppress(OSError):
                os.rmdir(directory)


class Groups:
    """
    Makes the groups of vassals.

    @ivar path: the directory in which they are; empty if there can be none.
    """

    def __init__(self, place: str) -> None:
        """
        @param place: a group that may be divided; empty for none.
        """
        self.path = ""
        self._made = 0
        if place:
            _remove_stale(place)
            path = os.path.join(place, f"vassals-{os.getpid()}")
            with suppress(OSError):
                os.mkdir(path)
                self.path = path

    def make(self, name: str) -> Group | None:
        """
        A group for a vassal of that name; L{None} if there can be none.
        """
        if not self.path:
            return None
        self._made += 1
        path = os.path.join(self.path, f"{self._made}-{_STRANGE.sub('_', name)[:100]}")
        try:
            os.mkdir(path)
        except OSError:
            return None
        return Group(path)

    def remove(self) -> None:
        """
        Remove what is left of all groups.
        """
        if self.path:
            Group(self.path).remove()


def _remove_stale(place: str) -> None:
    """
    Remove what keepers have left behind that were killed.
    """
    with suppress(OSError):
        for name in os.listdir(place):
            found = _KEEPER.fullmatch(name)
            if found is not None and not os.path.exists(f"/proc/{found[1]}"):
                Group(os.path.join(place, name)).remove()


def find_place(proc: str = "/proc/self", systemd: str = "/run/systemd/system") -> str:
    """
    The directory of the group that this process is in; empty if it may not be
    divided, or there is none.
    """
    try:
        mounts, own = _read(proc, "mountinfo"), _read(proc, "cgroup")
    except OSError:
        return ""
    mount, group = _MOUNT.search(mounts), _OWN.search(own)
    if mount is None or group is None:
        return ""
    path = os.fsdecode(os.path.join(mount[1], group[1].lstrip(b"/"))).rstrip("/")
    if os.path.isdir(systemd) and not _is_delegated(path):
        return ""
    return path


def _is_delegated(path: str) -> bool:
    for name in _DELEGATED:
        with suppress(OSError):
            if os.getxattr(path, name) == b"1":
                return True
    return False


def _read(proc: str, name: str) -> bytes:
    with open(os.path.join(proc, name), "rb") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    # Unbuffered: the kernel's answer is that of the one write.
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode())
