"""
Tries what a new configuration asks for and nobody keeps: the sockets of statistics
and of subscriptions.  They are opened and closed again, so that a program that ends
to start again is not one that cannot start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from emperor.addresses import SocketAddress, TcpAddress
from emperor.config.settings import Settings
from emperor.status.server import close_stats, open_stats
from emperor.subscriptions.sockets import close_servers, open_servers


def rehearse(before: Settings, after: Settings) -> None:
    """
    Open and close what only the second configuration has.

    @raise emperor.proxy.binding.CannotListen: something cannot be opened.
    """
    stats = [address for router in before.routers for address in router.stats]
    servers = [address for router in before.routers for address in router.subscriptions.servers]
    routers = [
        replace(
            router,
            stats=_new(router.stats, stats),
            subscriptions=replace(
                router.subscriptions, servers=_new(router.subscriptions.servers, servers)
            ),
        )
        for router in after.routers
    ]
    close_stats(open_stats(routers))
    opened = open_servers(routers)
    addresses = [address for router in routers for address in router.subscriptions.servers]
    close_servers([each for row in opened for each in row], addresses)


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
