"""
The facts outside the files that a configuration can ask for.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from grp import getgrgid
from pwd import getpwuid

from emperor import __version__
from emperor.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    The machine and process in which a configuration is read.

    @ivar cwd: absolute; C{%v}, and what relative names are relative to.
    @ivar now: seconds since 1970, for C{%t} and C{%T}.
    @ivar user: the name of C{uid}, or its number if it has none; so C{group}.
    @ivar binary: C{%b}, the path of the running program.
    @ivar reads_as: who must be able to read a configuration, and what it names;
        L{None}: we ourselves.
    """

    cwd: str
    environ: Mapping[str, str] = field(default_factory=dict)
    hostname: str = "localhost"
    now: float = 0
    uid: int = 0
    gid: int = 0
    user: str = "root"
    group: str = "root"
    cpus: int = 1
    version: str = __version__
    binary: str = sys.executable
    reads_as: Identity | None = None

    @classmethod
    def of_this_process(cls, now: float) -> Surroundings:
        """
        What is true here.

        @param now: seconds since 1970, the reactor's C{seconds()}.
        """
        uid, gid = os.getuid(), os.getgid()
        return cls(
            cwd=os.getcwd(),
            environ=dict(os.environ),
            hostname=platform.node(),
            now=now,
            uid=uid,
            gid=gid,
            user=_user(uid),
            group=_group(gid),
            cpus=os.cpu_count() or 1,
        )


def _user(uid: int) -> str:
    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
