"""
The sockets that subscriptions come to, opened before anything else is started.

An address of 224.0.0.0/4 or ff00::/8 is a group, which is joined; a group may be
listened to by several programs, of which each hears everything.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.config.settings import RouterSettings
from emperor.proxy.binding import advice, bind_unix, cannot_listen
from emperor.proxy.listeners import remove_files

#: Bytes of datagrams that may wait in the kernel: all nodes may announce
#: themselves at once.  The kernel gives less if its C{rmem_max} is less.
WAITING = 4 * 1024 * 1024

_BROADCAST = "255.255.255.255"


def open_servers(routers: Iterable[RouterSettings]) -> list[list[socket.socket]]:
    """
    Open the sockets of all routers' subscription servers, or none.

    @return: for each router one socket for each of its servers.
    @raise CannotListen: an address is in use, forbidden, or not ours.
    """
    opened: list[list[socket.socket]] = []
    addresses: list[SocketAddress] = []
    try:
        for router in routers:
            opened.append([])
            for address in router.subscriptions.servers:
                opened[-1].append(open_server(address, router.socket_mode, router.socket_owner))
                addresses.append(address)
    except BaseException:
        close_servers([each for row in opened for each in row], addresses)
        raise
    return opened


def close_servers(sockets: Iterable[socket.socket], addresses: Sequence[SocketAddress]) -> None:
    """
    Close the sockets and remove the files of those that have one.
    """
    for each in sockets:
        each.close()
    remove_files(addresses)


def open_server(
    address: SocketAddress, mode: int, owner: str = "", what: str = "subscriptions"
) -> socket.socket:
    """
    Open one socket for datagrams.

    @param address: a TCP address stands for the UDP one.
    @param mode: permissions of a UNIX socket's file: who may write to it can
        subscribe.
    @param what: what comes in, for errors.
    @param owner: whom that file is given to, as C{chown-socket} has it.
    @raise CannotListen: the address is in use, forbidden, or not ours, or there
        is no such user.
    """
    try:
        if isinstance(address, UnixAddress):
            server = _open_unix(address, mode, owner)
        else:
            server = _open(address)
    except OSError as error:
        raise cannot_listen(f"{address} for {what}", advice(error)) from error
    except LookupError as error:
        raise cannot_listen(address, f"there is no {error.args[0]}") from error
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING)
    server.setblocking(False)
    return server


def _open(address: TcpAddress) -> socket.socket:
    family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if address.is_ipv6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if address.host == _BROADCAST:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        group = ip_address(address.host).packed if _is_group(address) else b""
        if group:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address.host or "0.0.0.0", address.port))
        if group and address.is_ipv6:
            every = bytes(4)  # the interface that the kernel chooses
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + every)
        elif group:
            server.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + bytes(4))
    except BaseException:
        server.close()
        raise
    return server


def _is_group(address: TcpAddress) -> bool:
    return bool(address.host) and ip_address(address.host).is_multicast


def _open_unix(address: UnixAddress, mode: int, owner: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        # Before anybody can send: the kernel notes the sender as it takes a datagram.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        bind_unix(server, address, mode, owner)
    except BaseException:
        server.close()
        raise
    return server
