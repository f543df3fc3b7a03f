"""
One listening socket, bound by us.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
from collections.abc import Callable
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, EEXIST, ENOENT, ENOTDIR

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.stale import remove_stale_socket

#: Of a link-local address, as C{[fe80::1%eth0]:80}.
NO_INTERFACE = "this machine has no network interface of the name after %"


#: What to do about an error.
_ADVICE = {
    EACCES: "start it as a user who may, or choose another address",
    EADDRINUSE: "stop the program that has it, or choose another address",
    EADDRNOTAVAIL: "this machine does not have that address; choose one that it has",
    EEXIST: "remove it, or choose another address",
    ENOENT: "make the directory, or choose another address",
    ENOTDIR: "choose another address",
}


class CannotListen(Exception):
    """
    An address cannot be listened on; the message says what to do.
    """


def open_listener(
    address: SocketAddress, *, mode: int, backlog: int, owner: str = "", shared: bool = False
) -> socket.socket:
    """
    Bind and listen.

    @param mode: permissions of a UNIX socket's file.
    @param owner: whom that file is given to, C{USER} or C{USER:GROUP}, each a
        name or a number; empty: nobody.
    @param shared: other sockets may be bound to the same TCP port.
    @raise CannotListen: the address is in use, forbidden, or not ours, or there
        is no such user.
    """
    try:
        if isinstance(address, UnixAddress):
            return _open_unix(address, mode, backlog, owner)
        return _open_tcp(address, backlog, shared)
    except OSError as error:
        raise cannot_listen(address, advice(error)) from error
    except LookupError as error:
        raise cannot_listen(address, f"there is no {error.args[0]}") from error


def cannot_listen(address: object, why: str) -> CannotListen:
    """
    The error for an address.
    """
    return CannotListen(f"cannot listen on {address}: {why}")


def find_named(host: str, port: int) -> TcpAddress:
    """
    The address of this machine that a name stands for, IPv4 before IPv6.

    @raise CannotListen: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise cannot_listen(f"{host}:{port}", error.strerror or str(error)) from error
    best = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return TcpAddress(str(best[4][0]), port)


def advice(error: OSError) -> str:
    """
    Why something cannot be bound, and what to do.
    """
    if isinstance(error, socket.gaierror):
        return NO_INTERFACE
    text = error.strerror or str(error)
    what = _ADVICE.get(error.errno or 0)
    return f"{text}; {what}" if what else text


def _open_tcp(address: TcpAddress, backlog: int, shared: bool) -> socket.socket:
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


def _open_unix(address: UnixAddress, mode: int, backlog: int, owner: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bind_unix(listener, address, mode, owner)
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def bind_unix(unbound: socket.socket, address: UnixAddress, mode: int, owner: str) -> None:
    """
    Give a UNIX socket of any kind its address; what a dead one has left there is
    removed.

    @param mode: as for L{open_listener}, as is C{owner}.
    @raise OSError: the address is in use, or the file cannot be made.
    @raise LookupError: there is no such user.
    """
    ids = _ids(owner)
    if not address.is_abstract:
        remove_stale_socket(address.path, socket.SocketKind(unbound.type))
    _bind(unbound, address.path, mode)
    if not address.is_abstract:
        _give_away(address.path, ids)


def _bind(listener: socket.socket, path: bytes, mode: int) -> None:
    mask = os.umask(0o777 & ~mode)
    try:
        listener.bind(path)
    except OSError as error:
        if error.errno == EADDRINUSE and _is_no_socket(path):
            raise OSError(EEXIST, "there is a file that is no socket") from error
        raise
    finally:
        os.umask(mask)


def _is_no_socket(path: bytes) -> bool:
    try:
        return not path.startswith(b"\0") and not stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _give_away(path: bytes, ids: tuple[int, int]) -> None:
    if ids == (-1, -1):
        return
    try:
        os.chown(path, *ids, follow_symlinks=False)
    except OSError as error:
        os.unlink(path)
        why = f"{error.strerror} to give it to another owner; only root may"
        raise OSError(error.errno, why) from error


def _ids(owner: str) -> tuple[int, int]:
    """
    The numbers of user and group; -1 for one that is not named.

    @raise LookupError: nobody is called so.
    """
    user, _, group = owner.partition(":")
    return (
        _id(user, "user", lambda name: pwd.getpwnam(name).pw_uid),
        _id(group, "group", lambda name: grp.getgrnam(name).gr_gid),
    )


def _id(name: str, kind: str, find: Callable[[str], int]) -> int:
    if not name:
        return -1
    if name.isascii() and name.isdecimal():
        return int(name)
    try:
        return find(name)
    except (KeyError, ValueError) as error:
        raise LookupError(f"{kind} {name!r} to give the socket to") from error
