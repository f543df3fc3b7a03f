"""
Routers to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zope.interface import implementer

from emperor.addresses import TcpAddress
from emperor.config.settings import RouterSettings
from emperor.interfaces import IRouterState
from emperor.routing.pools import FixedStatistics
from emperor.routing.roster import RegistrySettings
from emperor.routing.statistics import PoolStatistics, own_gauge, pool_statistics
from emperor.routing.subscriptions import Registry
from emperor.wire.control import Counts
from emperor.wire.subscription import Announcement

ADDRESS = TcpAddress("127.0.0.1", 3031)


@implementer(IRouterState)
class ShownRouter:
    """
    A router that does nothing.

    @ivar registry: its pools.
    @ivar broken: reading its pools fails.
    """

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self.registry = Registry(RegistrySettings(raw_keys=True))
        self.shown = Counts(0)
        self.turned_away: dict[str, int] = {}
        self.nodes: Sequence[FixedStatistics] = ()
        self.broken = False

    def announce(self, key: str, **details: object) -> None:
        """
        A node subscribes.
        """
        said = {"leaving": False, "address": str(ADDRESS), **details}
        self.registry.announce(Announcement(key=key, **said), 0)  # type: ignore[arg-type]

    def counts(self) -> Counts:
        return self.shown

    def counts_by_process(self) -> dict[int, Counts]:
        return {7: self.shown}

    def rejected(self) -> dict[str, int]:
        return self.turned_away

    def fixed(self) -> Sequence[FixedStatistics]:
        return self.nodes

    def pools(self) -> Iterator[PoolStatistics]:
        yield from pool_statistics(self.registry.pools, own_gauge(0))
        if self.broken:
            raise ZeroDivisionError


SETTINGS = RouterSettings(kind="fastrouter", listen=(ADDRESS,))
