"""
The statistics servers of the program.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from emperor.config.settings import EmperorSettings
from emperor.interfaces import INetwork, IRouterState
from emperor.status import emperorstats, routerstats
from emperor.status.emperorstats import EmperorState
from emperor.status.server import OpenStats, StatsService
from emperor.status.snapshot import take
from emperor.vassals.emperor import Emperor
from emperor.vassals.memoirs import Memoirs


def build_router_statistics(
    clock: IReactorTime,
    network: INetwork,
    routers: Sequence[IRouterState],
    opened: Sequence[OpenStats],
) -> list[StatsService]:
    """
    Those of the routers that have one.

    @param opened: for each router.
    """

    def build(router: IRouterState, sockets: OpenStats) -> StatsService:
        return StatsService(
            clock,
            network,
            router.settings.kind,
            lambda: routerstats.describe(take(router), router.pools()),
            sockets,
        )

    return [
        build(router, each) for router, each in zip(routers, opened, strict=True) if each.sockets
    ]


def build_emperor_statistics(
    clock: IReactorTime,
    network: INetwork,
    emperor: Emperor,
    opened: OpenStats,
    *,
    settings: EmperorSettings,
    memoirs: Memoirs,
) -> list[StatsService]:
    """
    That of the Emperor, if it has one.
    """
    if not opened.sockets:
        return []

    def describe() -> dict[str, object]:
        state = EmperorState(settings, emperor.sources(), emperor.views(), memoirs)
        return emperorstats.describe(state)

    return [StatsService(clock, network, "emperor", describe, opened)]
