"""
The settings of a statistics server.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.addresses import SocketAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsSettings:
    """
    Where, and in which form, something shows its state.

    @ivar addresses: C{http-stats}, C{fastrouter-stats} or C{emperor-stats}; none:
        nowhere.
    @ivar http: C{stats-http}: the answer is HTTP.
    @ivar minified: C{stats-minified}: the answer has no blanks.
    @ivar mode: C{chmod-socket}, of UNIX sockets.
    @ivar owner: C{chown-socket}: C{USER} or C{USER:GROUP}; empty: as it comes.
    @ivar backlog: C{listen}: connections that wait in the kernel.
    """

    addresses: tuple[SocketAddress, ...] = ()
    http: bool = False
    minified: bool = False
    mode: int = 0o600
    owner: str = ""
    backlog: int = 100
