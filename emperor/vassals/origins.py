"""
Where a vassal's configuration comes from: its file, its monitor, or a program.

What a monitor has found elsewhere is given to the vassal (C{emperor://NAME}).  With
C{emperor-magic-exec} a file that its vassal may execute is a program that prints the
configuration (C{exec://NAME}).  The vassal runs it, as its own user.  We do not: it may
be anybody's, and take as long as it likes.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable

from emperor.config.launchsettings import LaunchSettings
from emperor.config.vassalfile import HIDDEN, Config
from emperor.identity import NOBODY, Identity, identity_of
from emperor.vassals.spec import VassalSpec
from emperor.vassals.tyrant import NoOwner, Owner, owner_of
from emperor.wire.rights import User

_READABLE = stat.S_IROTH
_EXECUTABLE = stat.S_IXOTH

#: The name of the configuration of the uWSGI of our own file.
INSTANCE = "instance.ini"


def source_of(spec: VassalSpec, name: str, launch: LaunchSettings) -> str:
    """
    What uWSGI is told of a vassal's configuration.

    @param name: under which its process finds its file.
    @return: empty: the file of this name.
    """
    if spec.config is not None:
        return f"emperor://{name}"
    if not is_program(spec, launch):
        return ""
    # uWSGI gives it to a shell, which would look for it on PATH.
    return f"exec://{shlex.quote(name if name.startswith('/') else f'./{name}')}"


def is_program(
    spec: VassalSpec,
    launch: LaunchSettings,
    access: Callable[..., bool] = os.access,
    find: Callable[[str], os.stat_result] = os.stat,
) -> bool:
    """
    Whether a vassal's file is a program that prints its configuration.
    """
    if not launch.magic_exec or spec.config is not None:
        return False
    path = os.path.join(spec.directory, spec.file)
    if not launch.tyrant:
        return access(path, os.R_OK | os.X_OK, effective_ids=True)
    try:
        owner = owner_of(path, nofollow=launch.tyrant_nofollow)
        return _may_run(owner, find(path))
    except (NoOwner, OSError):  # It will not be started, or its uWSGI complains.
        return False


def readable(spec: VassalSpec, launch: LaunchSettings) -> Config:
    """
    The configuration of a vassal as far as it can be read from outside.
    """
    return HIDDEN if is_program(spec, launch) else spec.config


def reader_of(spec: VassalSpec, launch: LaunchSettings) -> Identity | None:
    """
    As whom a vassal's configuration, and what it names, is to be read; L{None}: as
    ourselves.  If it cannot be told whose it is, it counts as nobody's.
    """
    if not launch.tyrant or spec.is_instance:
        return None
    if spec.config is not None:
        return NOBODY
    try:
        path = os.path.join(spec.directory, spec.file)
        owner = owner_of(path, nofollow=launch.tyrant_nofollow)
    except NoOwner:
        return NOBODY
    return identity_of(User(owner.uid, owner.gid, launch.tyrant_groups))


def _may_run(owner: Owner, found: os.stat_result) -> bool:
    """
    What C{access} would say to that user.
    """
    shift = 6 if found.st_uid == owner.uid else 3 if found.st_gid == owner.gid else 0
    wanted = (_READABLE | _EXECUTABLE) << shift
    return found.st_mode & wanted == wanted
