"""
Listening sockets, opened before anything else is started.

They are opened while the program still can say in one line on the terminal
what is wrong and leave with status 1.

Router processes have a TCP socket each for the same port (C{SO_REUSEPORT}), so
that the kernel deals connections out evenly and wakes only the process that
gets one.  UNIX sockets know no such thing: there all share one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from errno import EADDRINUSE

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.config.settings import RouterSettings
from emperor.stale import remove_stale_socket


class CannotListen(Exception):
    """
    An address cannot be listened on; the message says what to do.
    """


def open_routers(routers: Iterable[RouterSettings]) -> list[list[list[socket.socket]]]:
    """
    Open the sockets of all routers, or of none.

    @return: for each router what L{open_listeners} returns.
    @raise CannotListen: an address is in use, forbidden, or not ours.
    """
    opened: list[list[list[socket.socket]]] = []
    done: list[RouterSettings] = []
    try:
        for router in routers:
            opened.append(open_listeners(router))
            done.append(router)
    except BaseException:
        for rows, router in zip(opened, done, strict=True):
            close_listeners(rows)
            remove_files(router.listen)
        raise
    return opened


def open_listeners(settings: RouterSettings) -> list[list[socket.socket]]:
    """
    Open the sockets of a router.

    @return: for each of its processes one socket for each address of
        C{settings.listen}, in that order.
    @raise CannotListen: an address is in use, forbidden, or not ours.
    """
    mode, backlog, count = settings.socket_mode, settings.backlog, settings.processes
    columns: list[list[socket.socket]] = []
    try:
        for address in settings.listen:
            first = open_listener(address, mode=mode, backlog=backlog)
            columns.append([first])
            if count > 1:
                columns[-1] += _siblings(address, first, backlog, count - 1)
    except BaseException:
        close_listeners(columns)
        # Those behind are somebody else's, perhaps.
        remove_files(settings.listen[: len(columns)])
        raise
    return [list(row) for row in zip(*columns, strict=True)]


def close_listeners(rows: Iterable[Iterable[socket.socket]]) -> None:
    """
    Close all of these, some of which may be the same.
    """
    for row in rows:
        for listener in row:
            listener.close()


def remove_files(addresses: Iterable[Address]) -> None:
    """
    Remove the files of those of our sockets that have one.
    """
    for address in addresses:
        if isinstance(address, UnixAddress) and not address.is_abstract:
            with suppress(FileNotFoundError):
                os.unlink(address.path)


def open_listener(address: Address, *, mode: int, backlog: int) -> socket.socket:
    """
    Bind and listen.

    @param mode: permissions of a UNIX socket's file.
    @raise CannotListen: the address is in use, forbidden, or not ours.
    """
    try:
        if isinstance(address, UnixAddress):
            return _open_unix(address, mode, backlog)
        return _open_tcp(address, backlog)
    except OSError as error:
        raise CannotListen(f"cannot listen on {address}: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    text = error.strerror or str(error)
    if error.errno == EADDRINUSE:
        return f"{text}; stop the program that has it, or choose another address"
    return text


def _siblings(
    address: Address, first: socket.socket, backlog: int, count: int
) -> list[socket.socket]:
    """
    The sockets of the other processes.

    The first one was bound alone, since a port that is bound to be shared
    would also be shared with another program of the same user.
    """
    if isinstance(address, UnixAddress):
        return [first] * count
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    there = TcpAddress(address.host, first.getsockname()[1])
    return [_open_tcp(there, backlog, shared=True) for _ in range(count)]


def _open_tcp(address: TcpAddress, backlog: int, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        if address.is_ipv6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.host or "0.0.0.0", address.port))
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _open_unix(address: UnixAddress, mode: int, backlog: int) -> socket.socket:
    if not address.is_abstract:
        remove_stale_socket(address.path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o777 & ~mode)
    try:
        listener.bind(address.path)
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    listener.setblocking(False)
    return listener
