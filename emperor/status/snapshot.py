"""
What the program and a router show of themselves, as values that can only be read.

A router's pools are not part of it: there may be tens of thousands, and each of them is
read when its turn comes (L{emperor.interfaces.IRouterState.pools}).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emperor import __version__
from emperor.addresses import BorrowedSocket, ListenAddress
from emperor.interfaces import IRouterState
from emperor.routing.pools import FixedStatistics
from emperor.status.jsontext import readable
from emperor.wire.control import Counts


@dataclass(frozen=True, slots=True)
class ProgramState:
    """
    The program.

    @ivar cwd: empty: the directory is gone.
    """

    version: str
    pid: int
    uid: int
    gid: int
    cwd: str

    def described(self) -> dict[str, Any]:
        """
        What each statistics server of uWSGI begins with.
        """
        return {
            "version": self.version,
            "pid": self.pid,
            "uid": self.uid,
            "gid": self.gid,
            "cwd": readable(self.cwd),
        }


@dataclass(frozen=True, slots=True)
class ProcessState:
    """
    One process of a router.
    """

    pid: int
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterState:
    """
    A router.

    @ivar kind: C{"http"} or C{"fastrouter"}.
    @ivar sockets: where it listens, and then where nodes subscribe.
    @ivar fixed: the nodes of its configuration.
    @ivar has_pools: whether nodes can subscribe.
    @ivar rejected: subscriptions that were turned away, by the reason.
    @ivar sleeping: whether it accepts nothing, because it is cheap and has no
        pool.
    """

    kind: str
    program: ProgramState
    sockets: tuple[str, ...]
    fixed: tuple[FixedStatistics, ...]
    has_pools: bool
    rejected: Mapping[str, int]
    sleeping: bool
    counts: Counts
    processes: tuple[ProcessState, ...]


def take_program() -> ProgramState:
    """
    How the program is now.
    """
    return ProgramState(__version__, os.getpid(), os.getuid(), os.getgid(), _directory())


def take(router: IRouterState) -> RouterState:
    """
    How a router is now.
    """
    settings = router.settings
    listed = (*settings.listen, *settings.subscriptions.servers)
    empty = next(router.pools(), None) is None
    return RouterState(
        kind=settings.kind,
        program=take_program(),
        sockets=tuple(map(_name, listed)),
        fixed=tuple(router.fixed()),
        has_pools=bool(settings.subscriptions.servers) or not empty,
        rejected=router.rejected(),
        sleeping=settings.cheap and empty,
        counts=router.counts(),
        processes=tuple(ProcessState(*each) for each in router.counts_by_process().items()),
    )


def _name(place: ListenAddress) -> str:
    return str(place.address if isinstance(place, BorrowedSocket) else place)


def _directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""
