"""
Who opens the doors of vassals, and knows which are open for whom.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from weakref import WeakValueDictionary

from twisted.internet.interfaces import IReactorFDSet

from emperor.addresses import SocketAddress
from emperor.config.doorways import Doorway
from emperor.vassals.doors import Closed, HeldDoor
from emperor.vassals.spec import shown


class Doorkeeper:
    """
    Opens no door twice, and none for a vassal that must not be started.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        listen: Callable[[Doorway], socket],
        permit: Callable[[str], object],
    ) -> None:
        """
        @param listen: opens a socket.
        @param permit: raises if the vassal of a file must not be started.
        """
        self._reactor = reactor
        self._listen = listen
        self._permit = permit
        # One that was closed, and is held by nobody, goes by itself.
        self._doors: WeakValueDictionary[SocketAddress, HeldDoor] = WeakValueDictionary()

    def open(self, doorway: Doorway) -> HeldDoor:
        """
        A door; if it cannot be opened now, each start of its vassal tries it again.
        """
        return HeldDoor(self._reactor, doorway, self._look_and_listen)

    def _look_and_listen(self, door: HeldDoor) -> socket:
        doorway = door.doorway
        self._permit(doorway.file)
        other = self._doors.get(doorway.address)
        if other is not None and other.is_open and other.doorway.file != doorway.file:
            raise Closed(
                f"{doorway.address} is the socket of the vassal of "
                f"{shown(other.doorway.file)}, which came first"
            )
        listener = self._listen(doorway)
        self._doors[doorway.address] = door
        return listener
