"""
What makes one state of a vassal's file differ from another.

An edit, a touch (also to an older time), another file in its place, another
owner and another target of a symbolic link all do; a change of its mode does
not, for that is no configuration.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass


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
    """

    content: FileState
    link: FileState | None = None
    target: str = ""


def take(path: str, nofollow: bool = False) -> Fingerprint | None:
    """
    The fingerprint of the file at C{path}; L{None} if it is no file that can
    be a vassal.

    @param nofollow: look at a link itself, whatever it leads to.
    @raise OSError: it is not there, or cannot be looked at.
    """
    itself = os.lstat(path)
    if not stat.S_ISLNK(itself.st_mode):
        return Fingerprint(FileState.of(itself)) if stat.S_ISREG(itself.st_mode) else None
    target = os.readlink(path)
    if nofollow:
        return Fingerprint(FileState.of(itself), None, target)
    file = os.stat(path)
    if not stat.S_ISREG(file.st_mode):
        return None
    return Fingerprint(FileState.of(file), FileState.of(itself), target)
