"""
Listening sockets, opened before anything else is started.

They are opened while the program still can say in one line on the terminal
what is wrong and leave with status 1.
"""

from __future__ import annotations

import os
import socket
from errno import EADDRINUSE

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.stale import remove_stale_socket


class CannotListen(Exception):
    """
    An address cannot be listened on; the message says what to do.
    """


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


def _open_tcp(address: TcpAddress, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
