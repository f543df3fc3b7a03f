"""
Opens the doors of all vassals, and knows who has which.

Whether somebody listens on a UNIX socket's file is found out by connecting to it.
At a door that would wake the vassal behind it, so of its own doors the Emperor is
told here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from socket import socket

from twisted.internet.interfaces import IReactorFDSet

from emperor.addresses import SocketAddress, UnixAddress
from emperor.config.doorways import Doorway
from emperor.vassals.doors import Closed, HeldDoor
from emperor.vassals.spec import VassalId, shown


class Doorkeeper:
    """
    Lets no two doors be at the same place, and opens none for a vassal that must not
    be started.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        listen: Callable[[Doorway], socket],
        permit: Callable[[str], object],
    ) -> None:
        """
        @param listen: see L{HeldDoor}.
        @param permit: raises if the vassal of a file must not be started.
        """
        self._reactor = reactor
        self._listen = listen
        self._permit = permit
        # Of each place whose vassal listens there.
        self._holders: dict[SocketAddress, VassalId] = {}

    def open(self, id: VassalId, doorway: Doorway) -> HeldDoor:
        """
        Listen for a vassal; if another one has the place that is what its start will
        complain of, until that one has left.
        """
        place = _place(doorway.address)
        return HeldDoor(
            self._reactor,
            doorway,
            partial(self._take, id, place),
            lambda: self._holders.pop(place, None),
        )

    def _take(self, id: VassalId, place: SocketAddress, doorway: Doorway) -> socket:
        self._permit(doorway.file)
        holder = self._holders.get(place)
        if holder is not None:
            name = shown(holder.name)
            raise Closed(f"cannot listen on {doorway.address}: vassal {name} has it already")
        opened = self._listen(doorway)
        self._holders[place] = id
        return opened


def _place(address: SocketAddress) -> SocketAddress:
    """
    One spelling for all that mean the same file.
    """
    if isinstance(address, UnixAddress) and not address.is_abstract:
        return UnixAddress(os.path.realpath(address.path))
    return address
