"""
Where a router itself can be reached.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

from emperor.addresses import Address, NamedAddress, TcpAddress, TlsAddress, UnixAddress

_EVERY_HOST = frozenset({"", "0.0.0.0", "::"})

#: Addresses for documentation (RFC 5737, RFC 3849), which no machine has.
_NOBODYS = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class Places:
    """
    The addresses that a router listens on.

    @ivar first: the one that it is known by.
    """

    def __init__(self, addresses: Iterable[Address]) -> None:
        """
        @param addresses: at least one.
        """
        self.first, *_ = every = tuple(addresses)
        self._all = frozenset(map(_canonical, every))
        servers = [each for each in self._all if isinstance(each, TcpAddress)]
        self._ports = {each.port for each in servers}
        self._every_host_ports = {each.port for each in servers if is_every_host(each)}
        self._files = [
            each.path
            for each in self._all
            if isinstance(each, UnixAddress) and not each.is_abstract
        ]

    def __contains__(self, address: object) -> bool:
        """
        Whether the router listens at C{address}, as far as that can be told: where
        a name leads is not known here.
        """
        if not isinstance(address, Address):
            return False
        address = _canonical(address)
        if isinstance(address, TcpAddress):
            return address in self._all or self._serves(address)
        return address in self._all or self._is_file(address)

    def _serves(self, address: TcpAddress) -> bool:
        # Whoever connects to every host gets to this one.
        if is_every_host(address):
            return address.port in self._ports
        return address.port in self._every_host_ports and is_local(address.host)

    def _is_file(self, address: Address) -> bool:
        """
        Whether it is another path to one of our sockets.
        """
        if not isinstance(address, UnixAddress) or address.is_abstract:
            return False
        return any(_is_same(address.path, each) for each in self._files)

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


def is_local(host: str) -> bool:
    """
    Whether C{host}, an address, is one of this machine's; nothing is sent.

    That may change at any time, and takes ten microseconds: so it is not kept.
    """
    if ip_address(host).is_loopback:
        return True
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not _can_bind(host):
        return False
    # Where net.ipv4.ip_nonlocal_bind is set, everything can be bound.
    return not _can_bind(_NOBODYS[family]) or source_of(host) == host


def _can_bind(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def _canonical(address: Address) -> Address:
    """
    One spelling for what leads to the same socket.
    """
    if isinstance(address, TlsAddress):
        address = address.server
    if isinstance(address, NamedAddress) and address.host.rstrip(".") == "localhost":
        return TcpAddress("127.0.0.1", address.port)
    if isinstance(address, TcpAddress) and address.is_ipv6:
        mapped = IPv6Address(address.host).ipv4_mapped
        return address if mapped is None else TcpAddress(str(mapped), address.port)
    return address


def _is_same(path: bytes, other: bytes) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def source_of(host: str) -> str:
    """
    Our own address on the way to C{host}; nothing is sent.

    @raise OSError: there is no way.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        return str(probe.getsockname()[0])
