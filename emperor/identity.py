"""
Reading as somebody else: what root reads on a user's word must be what that user
could have read himself.

The kernel is the only one who can tell: modes, lists of access, directories on
the way, links.  So it is asked, with the user's rights in place of root's: the
thread's user and group for files (C{setfsuid(2)}), with which root's power over
files goes too, and the groups of the process, which root does not need.  They
hold as long as a file is looked up and read; nothing else must be done meanwhile.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EPERM

from emperor.keeper.kernel import prctl
from emperor.wire.rights import User

_libc = ctypes.CDLL(None)

_SET_DEATH_SIGNAL = 1
_GET_DEATH_SIGNAL = 2
_GET_DUMPABLE = 3
_SET_DUMPABLE = 4

#: Asks for the user or group, and changes nothing.
_ASK = -1


@dataclass(frozen=True, slots=True)
class Identity:
    """
    As whom files are looked up and read.

    @ivar groups: the further ones.
    """

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


#: One who may read no more than everybody may.
NOBODY = Identity(65534, 65534)


def identity_of(user: User) -> Identity:
    """
    What a process of this user may read.
    """
    return Identity(user.uid, user.gid, tuple(groups_of(user)))


def groups_of(user: User) -> list[int]:
    """
    The further groups of a user; none for one whom the system does not know.
    """
    if not user.with_groups:
        return []
    try:
        entry = pwd.getpwuid(user.uid)
    except KeyError:
        return []
    return os.getgrouplist(entry.pw_name, entry.pw_gid)


@contextmanager
def reading_as(identity: Identity | None) -> Iterator[None]:
    """
    Look files up and read them as somebody; what is open stays open.

    @param identity: L{None}, or if we are not root: we stay who we are.
    @raise OSError: we may not become that one.
    """
    if identity is None or os.geteuid():
        yield
        return
    groups = os.getgroups()
    with _remembered():
        try:
            os.setgroups(identity.groups)
            _become(_libc.setfsgid, identity.gid)
            _become(_libc.setfsuid, identity.uid)
            yield
        finally:
            _become(_libc.setfsuid, os.geteuid())
            _become(_libc.setfsgid, os.getegid())
            os.setgroups(groups)


@contextmanager
def _remembered() -> Iterator[None]:
    """
    What the kernel forgets when a thread changes its user: which signal it gets when
    its parent has gone, and that others of the same user may look at the process.
    """
    parent, number = os.getppid(), ctypes.c_int()
    prctl(_GET_DEATH_SIGNAL, ctypes.addressof(number))
    dumpable = prctl(_GET_DUMPABLE)
    try:
        yield
    finally:
        if dumpable == 1:  # Nobody can set it to 2.
            prctl(_SET_DUMPABLE, dumpable)
        if number.value:
            prctl(_SET_DEATH_SIGNAL, number.value)
            if os.getppid() != parent:
                os.kill(os.getpid(), number.value)


def _become(call: Callable[[int], int], number: int) -> None:
    """
    The kernel tells no failure: it is asked who we are now.
    """
    call(number)
    if call(_ASK) & 0xFFFFFFFF != number:
        raise PermissionError(EPERM, os.strerror(EPERM))
