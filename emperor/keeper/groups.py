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
from errno import EBUSY

from emperor.keeper.processes import descendants, look
from emperor.wire.rights import GroupLimit

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
        with suppress(OSError):
            if b"populated 0" in _read(self.path, "cgroup.events"):
                return []
        return [pid for directory, _, _ in os.walk(self.path) for pid in _members(directory)]

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
        with suppress(OSError):
            os.rmdir(self.path)
            return
        for directory, _, _ in os.walk(self.path, topdown=False):
            with suppress(OSError):
                os.rmdir(directory)


class NoLimit(Exception):
    """
    There can be no such limit; the text says why.
    """


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
        self._place = place
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

    def limit(self, group: Group | None, limit: GroupLimit) -> None:
        """
        Limit what a group may take.

        @raise NoLimit: that is not possible here.
        """
        if group is None:
            raise NoLimit("control groups (cgroup v2) cannot be used here")
        try:
            self._enable(limit.file.partition(".")[0])
            _write(os.path.join(group.path, limit.file), limit.value)
        except OSError as error:
            raise NoLimit(f"{limit.file}: {error.strerror}") from error

    def _enable(self, controller: str) -> None:
        """
        Have a controller in the groups of vassals.

        @raise OSError: it is not ours to have.
        """
        for directory in (self._place, self.path):
            control = os.path.join(directory, "cgroup.subtree_control")
            if controller.encode() in _read(directory, "cgroup.subtree_control").split():
                continue
            try:
                _write(control, f"+{controller}")
            except OSError as error:
                if error.errno != EBUSY:
                    raise
                self._make_room()
                _write(control, f"+{controller}")

    def _make_room(self) -> None:
        """
        Move the program out of the group that is to be divided: nobody may be
        in it then.  Whoever else is there stays, and the kernel will say so.
        """
        place = os.path.join(self._place, f"program-{os.getppid()}")
        with suppress(FileExistsError):
            os.mkdir(place)
        ours = set(descendants(look(), [os.getppid()]))
        for pid in _members(self._place):
            if pid in ours:
                with suppress(ProcessLookupError):
                    _write(os.path.join(place, "cgroup.procs"), str(pid))

    def remove(self) -> None:
        """
        Remove what is left of all groups.
        """
        if self.path:
            Group(self.path).remove()


def _members(directory: str) -> list[int]:
    try:
        return [int(pid) for pid in _read(directory, "cgroup.procs").split() if pid != b"0"]
    except OSError:  # It is not there any more.
        return []


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
