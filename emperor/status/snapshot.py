"""
What a router shows of itself, as one value that can only be read.

Its pools are not part of it: there may be tens of thousands, and each of them is
read when its turn comes (L{emperor.interfaces.IRouterState.pools}).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from emperor import __version__
from emperor.addresses import BorrowedSocket, ListenAddress
from emperor.interfaces import IRouterState
from emperor.routing.pools import FixedStatistics
from emperor.wire.control import Counts


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
    @ivar version: of the program.
    @ivar pid: of the program; C{uid}, C{gid} and C{cwd} are its, too.
    @ivar cwd: empty: the directory is gone.
    @ivar sockets: where it listens, and then where nodes subscribe.
    @ivar fixed: the nodes of its configuration.
    @ivar has_pools: whether nodes can subscribe.
    @ivar rejected: subscriptions that were turned away, by the reason.
    @ivar sleeping: whether it accepts nothing, because it is cheap and has no
        pool.
    """

    kind: str
    version: str
    pid: int
    uid: int
    gid: int
    cwd: str
    sockets: tuple[str, ...]
    fixed: tuple[FixedStatistics, ...]
    has_pools: bool
    rejected: Mapping[str, int]
    sleeping: bool
    counts: Counts
    processes: tuple[ProcessState, ...]


def take(router: IRouterState) -> RouterState:
    """
    How a router is now.
    """
    settings = router.settings
    listed = (*settings.listen, *settings.subscriptions.servers)
    empty = next(router.pools(), None) is None
    return RouterState(
        kind=settings.kind,
        version=__version__,
        pid=os.getpid(),
        uid=os.getuid(),
        gid=os.getgid(),
        cwd=_directory(),
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
