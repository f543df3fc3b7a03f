"""
Tries what a new configuration asks for and nobody keeps: the sockets of statistics
and of subscriptions.  They are opened and closed again, so that a program that ends
to start again is not one that cannot start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from emperor.addresses import SocketAddress, TcpAddress
from emperor.config.settings import RouterSettings, Settings
from emperor.config.statssettings import StatsSettings
from emperor.status.server import close_stats, open_stats
from emperor.subscriptions.sockets import close_servers, open_servers


def rehearse(before: Settings, after: Settings) -> None:
    """
    Open and close what only the second configuration has.

    @raise emperor.proxy.binding.CannotListen: something cannot be opened.
    """
    stats = _all_stats(before)
    ours = [address for each in stats for address in each.addresses]
    close_stats(
        open_stats(
            replace(each, addresses=_new(each.addresses, ours)) for each in _all_stats(after)
        )
    )
    servers = _all_servers(before)
    changed = replace(after, routers=tuple(_reduced(each, servers) for each in after.routers))
    opened = open_servers(changed.routers)
    close_servers([each for row in opened for each in row], _all_servers(changed))


def _reduced(router: RouterSettings, ours: Sequence[SocketAddress]) -> RouterSettings:
    """
    The router with those subscription servers that are new.
    """
    own = router.subscriptions
    return replace(router, subscriptions=replace(own, servers=_new(own.servers, ours)))


def _all_stats(settings: Settings) -> list[StatsSettings]:
    return [settings.emperor.stats, *(router.stats for router in settings.routers)]


def _all_servers(settings: Settings) -> list[SocketAddress]:
    return [address for router in settings.routers for address in router.subscriptions.servers]


def _new(
    wanted: Iterable[SocketAddress], ours: Iterable[SocketAddress]
) -> tuple[SocketAddress, ...]:
    """
    Those that cannot be in the way of our own.
    """
    taken = {_port(address) for address in ours}
    return tuple(address for address in wanted if _port(address) not in taken)


def _port(address: SocketAddress) -> int | bytes:
    return address.port if isinstance(address, TcpAddress) else address.path
