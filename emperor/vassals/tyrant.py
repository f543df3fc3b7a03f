"""
C{emperor-tyrant}: a vassal runs as the owner of its file.

Whose a file is can only be told if nobody else can exchange it, between our
look and the vassal's own, or later.  So the way to it is gone step by step:
every directory on it must belong to root or to the owner, and nobody else may
write there, unless its sticky bit keeps them from what is not theirs.  A link
that leads there counts only if it was made by root or by the owner: otherwise
anybody could have somebody else's file run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from emperor.vassals.spec import shown

#: Links on the way to a file; the kernel follows no more.
LINK_LIMIT = 40

_ADVICE = "give it to the user of the site: chown USER:GROUP"


class NoOwner(Exception):
    """
    It cannot be told as whom a vassal should run, or it would be root; the text
    says why.
    """


@dataclass(frozen=True, slots=True)
class Owner:
    """
    The user and the group of a file.
    """

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class _Step:
    path: str
    found: os.stat_result


def owner_of(
    path: str,
    *,
    nofollow: bool,
    look: Callable[[str], os.stat_result] = os.lstat,
    follow: Callable[[str], str] = os.readlink,
) -> Owner:
    """
    Whose a vassal's file is.

    @param path: absolute.
    @param nofollow: of a link, its own owner counts.
    @raise NoOwner: it is root's, or cannot be told for sure.
    """
    try:
        *way, last = _walk(path, nofollow, look, follow)
    except OSError as error:
        raise NoOwner(f"{shown(path)}: {error.strerror}") from error
    owner = Owner(last.found.st_uid, last.found.st_gid)
    if not owner.uid or not owner.gid:
        what = "user" if not owner.uid else "group"
        raise NoOwner(
            f"{shown(last.path)} belongs to the {what} root, as whom emperor-tyrant starts no "
            f"vassal; {_ADVICE}"
        )
    for step in way:
        _check(step, owner)
    return owner


def _walk(
    path: str,
    nofollow: bool,
    look: Callable[[str], os.stat_result],
    follow: Callable[[str], str],
) -> list[_Step]:
    """
    What is on the way to a file, and the file.

    @raise OSError: something is not there.
    @raise NoOwner: there are too many links.
    """
    here, links = "/", 0
    steps = [_Step(here, look(here))]
    rest = path.split("/")[::-1]
    while rest:
        name = rest.pop()
        if name in ("", "."):
            continue
        if name == "..":
            here = os.path.dirname(here)
            continue
        place = os.path.join(here, name)
        step = _Step(place, look(place))
        steps.append(step)
        if not stat.S_ISLNK(step.found.st_mode) or (nofollow and not rest):
            here = place
            continue
        links += 1
        if links > LINK_LIMIT:
            raise NoOwner(f"{shown(path)} leads over more than {LINK_LIMIT} links")
        target = follow(place)
        here = "/" if target.startswith("/") else here
        rest += target.split("/")[::-1]
    return steps


def _check(step: _Step, owner: Owner) -> None:
    found, path = step.found, shown(step.path)
    if found.st_uid not in (0, os.geteuid(), owner.uid):
        raise NoOwner(
            f"{path} belongs to user {found.st_uid}, who could put another file in the place "
            f"of that of user {owner.uid}"
        )
    if stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX:
        return
    if found.st_mode & stat.S_IWOTH:
        raise NoOwner(
            f"everybody may write into {path}, so whose file is in it cannot be told; "
            "take the right away (chmod o-w), or set its sticky bit (chmod +t)"
        )
    if found.st_mode & stat.S_IWGRP and found.st_gid not in (0, owner.gid):
        raise NoOwner(
            f"group {found.st_gid} may write into {path}, so whose file is in it cannot be told; "
            "take the right away (chmod g-w), or set its sticky bit (chmod +t)"
        )
