"""
The listening sockets that stay open while the program executes itself again.

Clients who connect meanwhile wait in their queues.  The next program finds them as
sockets that were passed to it (L{emperor.proxy.inherited}), which is why each has a
number.  What the new configuration does not ask for in the same way is left behind;
what it asks for besides is opened before the program ends, for if that fails the
program had better go on as it is.

In a router of several processes one socket stays; those of the other processes
share its port, and are opened again.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeGuard

from twisted.application.service import Service

from emperor.addresses import (
    BorrowedSocket,
    ListenAddress,
    NamedAddress,
    SharedSocket,
    SocketAddress,
    TcpAddress,
    UnixAddress,
)
from emperor.config.settings import RouterSettings, Settings
from emperor.proxy.binding import CannotListen, find_named, open_listener
from emperor.proxy.inherited import FIRST, KEPT
from emperor.proxy.listeners import Listener, OpenRouter, remove_files

#: What the origin of a socket begins with that was passed to us.
_PASSED = "fd://"


@dataclass(frozen=True, slots=True)
class Manner:
    """
    How a socket is opened.
    """

    backlog: int
    mode: int
    owner: str


@dataclass(frozen=True, slots=True)
class Passed:
    """
    A socket for the next program.

    @ivar number: the descriptor as which it is passed.
    """

    number: int
    name: str
    socket: socket.socket


class Heritage(Service):
    """
    Copies of the listening sockets, for as long as the program listens.
    """

    def __init__(self, opened: Sequence[OpenRouter], settings: Settings) -> None:
        """
        @param opened: all sockets of the program, open.
        @param settings: by which they were opened.
        """
        self._before = self._after = wanted(settings)
        self._own: dict[ListenAddress, Listener] = {}
        self._new: dict[ListenAddress, Listener] = {}
        self._kept: list[Listener] | None = None
        for router in opened:
            for place, each in zip(router.settings.listen, *router.rows[:1], strict=True):
                if _is_ours(place) and place not in self._own:
                    self._own[place] = Listener(place, each.dup())

    def stopService(self) -> None:
        """
        Accept nothing more, if nobody comes after this program.
        """
        Service.stopService(self)
        if self._kept is None:
            self.close()

    def prepare(self, settings: Settings) -> None:
        """
        Open what a new configuration asks for besides.  It may take a moment, for
        names are looked up.

        @raise CannotListen: something cannot be opened.
        """
        self.discard()
        self._after = wanted(settings)
        for place, manner in self._after.items():
            if place not in self._own:
                self._open(place, manner)

    def discard(self) -> None:
        """
        Close what was opened for a configuration that does not come.
        """
        for each in self._new.values():
            each.socket.close()
        remove_files(self._new)
        self._new.clear()

    def keep(self) -> frozenset[ListenAddress]:
        """
        Let sockets stay open when the routers end: those that were prepared, and
        those of ours that are asked for as before.

        @return: where they listen.
        """
        self._kept = list(self._new.values())
        for place, each in self._own.items():
            if self._stays(place):
                self._kept.append(each)
            else:
                each.socket.close()
        return frozenset(each.place for each in self._kept)

    def close(self) -> None:
        """
        Nobody comes after this program: close everything, and remove the files
        that were to stay.
        """
        kept, self._kept = self._kept or [], None
        for each in (*kept, *self._own.values(), *self._new.values()):
            each.socket.close()
        remove_files([*(each.place for each in kept), *self._new])
        self._own.clear()
        self._new.clear()

    def passed(self) -> list[Passed]:
        """
        What L{keep} kept, each with its number.  A socket that was passed to us by
        number keeps that.
        """
        return list(_numbered(self._kept or []))

    def _open(self, place: SocketAddress, manner: Manner) -> None:
        try:
            opened = open_listener(
                place, mode=manner.mode, backlog=manner.backlog, owner=manner.owner
            )
        except CannotListen:
            if not self._is_in_the_way(place):
                self.discard()
                raise
        else:
            self._new[place] = Listener(place, opened)

    def _stays(self, place: ListenAddress) -> bool:
        if not isinstance(place, TcpAddress | UnixAddress):
            return True  # Who passed it to us has opened it.
        manner = self._after.get(place)
        return manner is not None and manner == self._before.get(place)

    def _is_in_the_way(self, place: SocketAddress) -> bool:
        """
        Whether it may be a socket of ours that does not let us listen.
        """
        ours = [each.address if isinstance(each, BorrowedSocket) else each for each in self._own]
        if isinstance(place, TcpAddress):
            return any(isinstance(each, TcpAddress) and each.port == place.port for each in ours)
        return place in ours


def _is_ours(place: ListenAddress) -> TypeGuard[SocketAddress | BorrowedSocket]:
    """
    Whether it was bound here or passed to us; a zerg server is asked again.
    """
    if isinstance(place, BorrowedSocket):
        return place.origin.startswith(_PASSED)
    return isinstance(place, TcpAddress | UnixAddress)


def manner_of(settings: RouterSettings) -> Manner:
    """
    How a router opens its sockets.
    """
    return Manner(settings.backlog, settings.socket_mode, settings.socket_owner)


def wanted(settings: Settings) -> dict[SocketAddress, Manner]:
    """
    What a configuration asks to be opened, and how.  What it takes from others is
    not there.

    @raise CannotListen: a name has no address here.
    """
    found: dict[SocketAddress, Manner] = {}
    shared = settings.shared_sockets
    for router in settings.routers:
        for address in router.listen:
            if isinstance(address, SharedSocket) and address.number < len(shared):
                place, manner = _found(shared[address.number]), manner_of(settings.routers[0])
            else:
                place, manner = _found(address), manner_of(router)
            if isinstance(place, TcpAddress | UnixAddress):
                found.setdefault(place, manner)
    return found


def _found(address: ListenAddress) -> ListenAddress:
    if isinstance(address, NamedAddress):
        return find_named(address.host, address.port)
    return address


def _numbered(kept: Sequence[Listener]) -> Iterator[Passed]:
    fixed = {name for name in map(_name, kept) if name.isdecimal()}
    free = (number for number in count(FIRST) if str(number) not in fixed)
    for each in kept:
        name = _name(each)
        if name in fixed:
            yield Passed(int(name), "", each.socket)
        else:
            yield Passed(next(free), name, each.socket)


def _name(kept: Listener) -> str:
    """
    As which it was passed to us; as which it is passed on, if it was not.
    """
    place = kept.place
    return place.origin.removeprefix(_PASSED) if isinstance(place, BorrowedSocket) else KEPT
