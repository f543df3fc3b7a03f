"""
The listening sockets of all routers, opened before anything else is started.

They are opened while the program still can say in one line on the terminal
what is wrong and leave with status 1.

Router processes have a TCP socket each for the same port (C{SO_REUSEPORT}), so
that the kernel deals connections out evenly and wakes only the process that
gets one.  UNIX sockets know no such thing: there all share one.  So they do
with sockets that are not theirs alone: those of C{shared-socket}, those that
were passed to the program, and those of a zerg server.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from emperor.addresses import (
    BorrowedSocket,
    ListenAddress,
    NamedAddress,
    PassedSocket,
    SharedSocket,
    SocketAddress,
    TcpAddress,
    UnixAddress,
)
from emperor.config.settings import RouterSettings
from emperor.proxy.binding import CannotListen, cannot_listen, find_named, open_listener
from emperor.proxy.inherited import NotPassed, PassedSockets, where
from emperor.proxy.zerg import NoSockets, take_sockets


@dataclass(frozen=True, slots=True)
class Listener:
    """
    An open listening socket.

    @ivar place: an address, if it was bound here; else what was borrowed.
    """

    place: SocketAddress | BorrowedSocket
    socket: socket.socket


@dataclass(frozen=True, slots=True)
class OpenRouter:
    """
    A router whose sockets are open.

    @ivar settings: its C{listen} is what was really opened: an L{SocketAddress} for
        each socket that was bound here, a L{BorrowedSocket} for each other one.
    @ivar rows: for each of its processes one socket for each of these.
    """

    settings: RouterSettings
    rows: list[list[socket.socket]]

    def close(self) -> None:
        """
        Close everything and remove the files that were made.
        """
        close_listeners(self.rows)
        remove_files(self.settings.listen)


def open_routers(
    routers: Sequence[RouterSettings],
    shared: Sequence[ListenAddress] = (),
    passed: PassedSockets | None = None,
) -> list[OpenRouter]:
    """
    Open the sockets of all routers, or of none.

    @param shared: C{shared-socket}, in order.
    @param passed: what was open when the program was started.
    @raise CannotListen: an address is in use, forbidden, or not ours, or there
        is nothing to borrow.
    """
    passed = passed or PassedSockets()
    opened: list[OpenRouter] = []
    lent: list[Listener] = []
    try:
        _claim(passed, [*shared, *(address for router in routers for address in router.listen)])
        for address in shared if routers else ():
            lent.append(_open(address, routers[0], passed, ()))
        for router in routers:
            opened.append(open_listeners(router, lent, passed))
    except BaseException:
        for each in opened:
            each.close()
        opened.clear()
        raise
    finally:
        # Who listens there has a copy; where nobody does nobody would accept.
        close_listeners([[each.socket for each in lent]])
        used = {place for each in opened for place in each.settings.listen}
        remove_files(each.place for each in lent if each.place not in used)
    return opened


def open_listeners(
    settings: RouterSettings,
    shared: Sequence[Listener] = (),
    passed: PassedSockets | None = None,
) -> OpenRouter:
    """
    Open the sockets of a router.

    @param shared: those that it can have by number.
    @param passed: what was open when the program was started.
    @raise CannotListen: as L{open_routers}.
    """
    passed = passed or PassedSockets()
    found: list[Listener] = []
    columns: list[list[socket.socket]] = []
    try:
        for address in settings.listen:
            found.append(_open(address, settings, passed, shared))
            columns.append([found[-1].socket])
            columns[-1] += _siblings(address, found[-1], settings)
        for server in settings.zerg:
            borrowed = _ask(server)
            found += borrowed
            columns += [[each.socket] * settings.processes for each in borrowed]
    except BaseException:
        close_listeners(columns)
        # Those behind are somebody else's, perhaps.
        remove_files(each.place for each in found)
        raise
    rows = [list(row) for row in zip(*columns, strict=True)]
    listen = tuple(each.place for each in found)
    return OpenRouter(replace(settings, listen=listen, zerg=()), rows)


def close_listeners(rows: Iterable[Iterable[socket.socket]]) -> None:
    """
    Close all of these, some of which may be the same.
    """
    for row in rows:
        for listener in row:
            listener.close()


def remove_files(addresses: Iterable[ListenAddress]) -> None:
    """
    Remove the files of those of our sockets that have one.
    """
    for address in addresses:
        if isinstance(address, UnixAddress) and not address.is_abstract:
            with suppress(FileNotFoundError):
                os.unlink(address.path)


def _claim(passed: PassedSockets, addresses: Iterable[ListenAddress]) -> None:
    try:
        passed.claim(addresses)
    except NotPassed as error:
        raise CannotListen(str(error)) from error


def _open(
    address: ListenAddress,
    settings: RouterSettings,
    passed: PassedSockets,
    shared: Sequence[Listener],
) -> Listener:
    """
    The socket for an address: borrowed where there is one, else bound.
    """
    if isinstance(address, SharedSocket):
        return _lend(address, shared)
    if isinstance(address, PassedSocket):
        try:
            return Listener(*passed.named(address))
        except NotPassed as error:
            raise cannot_listen(address, str(error)) from error
    if isinstance(address, BorrowedSocket):
        address = address.address
    if isinstance(address, NamedAddress):
        address = find_named(address.host, address.port)
    found = passed.bound_to(address)
    return Listener(*found) if found else Listener(address, _bind(address, settings))


def _bind(address: SocketAddress, settings: RouterSettings) -> socket.socket:
    return open_listener(
        address,
        mode=settings.socket_mode,
        backlog=settings.backlog,
        owner=settings.socket_owner,
    )


def _lend(address: SharedSocket, shared: Sequence[Listener]) -> Listener:
    if address.number >= len(shared):
        raise cannot_listen(address, f"there are {len(shared)} shared sockets, from =0 on")
    lent = shared[address.number]
    return Listener(lent.place, lent.socket.dup())


def _ask(server: SocketAddress) -> list[Listener]:
    if not isinstance(server, UnixAddress):
        raise cannot_listen(f"the sockets of {server}", "a zerg server has a UNIX socket")
    try:
        found = take_sockets(server)
    except NoSockets as error:
        raise cannot_listen(f"the sockets of the zerg server {server}", str(error)) from error
    return [Listener(BorrowedSocket(where(each), f"zerg {server}"), each) for each in found]


def _siblings(
    wanted: ListenAddress, first: Listener, settings: RouterSettings
) -> list[socket.socket]:
    """
    The sockets of the other processes.

    The first one was bound alone, since a port that is bound to be shared
    would also be shared with another program of the same user.
    """
    count = settings.processes - 1
    if not isinstance(first.place, TcpAddress) or isinstance(wanted, SharedSocket) or not count:
        return [first.socket] * count
    first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    there = TcpAddress(first.place.host, first.socket.getsockname()[1])
    return [
        open_listener(there, mode=0, backlog=settings.backlog, shared=True) for _ in range(count)
    ]
