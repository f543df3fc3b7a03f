"""
What makes one state of a vassal's file differ from another.

An edit, a touch (also to an older time), another file in its place, another
owner and another target of a symbolic link all do; a change of its mode does
not, for that is no configuration, unless a file that can be executed is another
kind of configuration.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

#: The right to read and to execute, of everybody.
_RIGHTS = 0o555


@dataclass(frozen=True, slots=True)
class FileState:
    """
    A file or a link at one moment.

    @ivar modified: nanoseconds.
    """

    device: int
    inode: int
    size: int
    modified: int
    user: int
    group: int

    @classmethod
    def of(cls, found: os.stat_result) -> FileState:
        """
        The state that C{stat} found.
        """
        return cls(
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_uid,
            found.st_gid,
        )


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """
    A vassal's file, and the link that leads to it.

    @ivar content: the file, or with C{emperor-nofollow} whatever has its name.
    @ivar link: the link of that name; L{None} if it is none, or is C{content}.
    @ivar target: where the link leads.
    @ivar rights: who may read and execute it; 0 if that does not matter.
    """

    content: FileState
    link: FileState | None = None
    target: str = ""
    rights: int = 0


def take(path: str, nofollow: bool = False, magic_exec: bool = False) -> Fingerprint | None:
    """
    The fingerprint of the file at C{path}; L{None} if it is no file that can
    be a vassal.

    @param nofollow: look at a link itself, whatever it leads to.
    @param magic_exec: whether it can be executed matters.
    @raise OSError: it is not there, or cannot be looked at.
    """
    itself = os.lstat(path)
    counts = _RIGHTS if magic_exec else 0
    if not stat.S_ISLNK(itself.st_mode):
        if not stat.S_ISREG(itself.st_mode):
            return None
        return Fingerprint(FileState.of(itself), rights=itself.st_mode & counts)
    target = os.readlink(path)
    if nofollow:
        return Fingerprint(FileState.of(itself), None, target)
    file = os.stat(path)
    if not stat.S_ISREG(file.st_mode):
        return None
    return Fingerprint(FileState.of(file), FileState.of(itself), target, file.st_mode & counts)
