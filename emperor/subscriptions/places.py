"""
Where a router itself can be reached.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address

from emperor.addresses import Address, TcpAddress

_EVERY_HOST = frozenset({"", "0.0.0.0", "::"})


class Places:
    """
    The addresses that a router listens on.

    @ivar first: the one that it is known by.
    """

    def __init__(self, addresses: Iterable[Address]) -> None:
        """
        @param addresses: at least one.
        """
        self._all = frozenset(addresses := tuple(addresses))
        self.first = addresses[0]
        self._ports = {
            each.port for each in addresses if isinstance(each, TcpAddress) and is_every_host(each)
        }

    def __contains__(self, address: object) -> bool:
        """
        Whether the router listens at C{address}, as far as that can be told.
        """
        if address in self._all:
            return True
        if not isinstance(address, TcpAddress) or address.port not in self._ports:
            return False
        return is_every_host(address) or ip_address(address.host).is_loopback

    def towards(self, host: str) -> Address:
        """
        The address by which somebody at C{host} can reach the router.

        @param host: an address; empty: on this machine.
        """
        if not isinstance(self.first, TcpAddress) or not is_every_host(self.first):
            return self.first
        return TcpAddress(source_of(host) if host else "127.0.0.1", self.first.port)


def is_every_host(address: TcpAddress) -> bool:
    """
    Whether it stands for every interface of a machine.
    """
    return address.host in _EVERY_HOST


def source_of(host: str) -> str:
    """
    Our own address on the way to C{host}; nothing is sent.

    @raise OSError: there is no way.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        return str(probe.getsockname()[0])
