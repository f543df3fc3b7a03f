"""
Sockets that are the Emperor's and not their vassal's.

A door is open before its vassal runs, and stays open when it leaves or dies: who
knocks meanwhile waits in the kernel's queue.  The vassal finds it as its standard
input, as uWSGI expects it.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import SocketAddress, UnixAddress
from emperor.config.doorways import Doorway
from emperor.stale import remove_stale_socket


class Closed(Exception):
    """
    The socket cannot be opened; the text says why.
    """


class Unclear(Exception):
    """
    It cannot be told now where a vassal's door is, nor that it has none; what was
    to say it is broken, and the text says how.
    """


class Door(Protocol):
    """
    Where the Emperor listens for a vassal.
    """

    @property
    def doorway(self) -> Doorway | None:
        """
        What was asked for.
        """

    @property
    def address(self) -> SocketAddress | None:
        """
        Where; L{None}: nowhere, the vassal does it itself.
        """

    @property
    def on_demand(self) -> bool:
        """
        Whether the vassal is started when somebody knocks.
        """

    def listening(self) -> int | None:
        """
        The descriptor of the listening socket; L{None}: there is none.

        @raise Closed: there should be one, but it cannot be opened now.
        """

    def change(self, doorway: Doorway) -> None:
        """
        The same socket is wanted on demand, or not any more.
        """

    def close(self) -> None:
        """
        Listen no more.
        """

    def watch(self, knocked: Callable[[], object]) -> Callable[[], None]:
        """
        Wait until somebody knocks.

        @param knocked: called once, in a later turn of the reactor.
        @return: waits no more.
        """


class NoDoor:
    """
    The Emperor does not listen; the vassal sleeps until it is woken.
    """

    doorway = None
    address = None
    on_demand = False

    def listening(self) -> int | None:
        """
        There is none.
        """
        return None

    def change(self, doorway: Doorway) -> None:
        """
        There is nothing to change.
        """

    def close(self) -> None:
        """
        There is nothing to close.
        """

    def watch(self, knocked: Callable[[], object]) -> Callable[[], None]:
        """
        Nobody knocks.
        """
        return _nothing


def _nothing() -> None:
    """
    There is nothing to wait for.
    """


#: The door of a vassal that listens itself.
NO_DOOR = NoDoor()


@implementer(IReadDescriptor)
class HeldDoor:
    """
    The Emperor listens.  It accepts nothing itself: the connection that wakes a
    vassal is the vassal's first one.

    If the socket cannot be opened, each start of the vassal tries it again.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorFDSet,
        doorway: Doorway,
        listen: Callable[[HeldDoor], socket],
    ) -> None:
        """
        @param listen: opens the socket; whatever it raises says why it cannot.
        """
        self._reactor = reactor
        self._listen = listen
        self._socket: socket | None = None
        self._knocked: Callable[[], object] = _nothing
        self.doorway = doorway
        self.address: SocketAddress = doorway.address
        try:
            self.listening()
        except Closed as error:  # The vassal's start will complain.
            self._log.debug("{error}", error=error)

    @property
    def is_open(self) -> bool:
        """
        Whether somebody can knock.
        """
        return self._socket is not None

    @property
    def on_demand(self) -> bool:
        """
        Whether the vassal may sleep: somebody can knock.
        """
        return self.doorway.on_demand and self.is_open

    def listening(self) -> int:
        """
        The descriptor of the listening socket.

        @raise Closed: it cannot be opened now.
        """
        if self._socket is None:
            try:
                self._socket = self._listen(self)
            except Exception as error:
                raise Closed(str(error)) from error
        return self._socket.fileno()

    def watch(self, knocked: Callable[[], object]) -> Callable[[], None]:
        """
        Wait until somebody knocks.
        """
        self._knocked = knocked
        self._reactor.addReader(self)
        return self._rest

    def change(self, doorway: Doorway) -> None:
        """
        The same socket is wanted on demand, or not any more.
        """
        self.doorway = doorway

    def close(self) -> None:
        """
        Listen no more; who waits in the queue is cut.
        """
        if self._socket is None:
            return
        self._rest()
        self._socket.close()
        self._socket = None
        if isinstance(self.address, UnixAddress) and not self.address.is_abstract:
            remove_stale_socket(self.address.path)

    def fileno(self) -> int:
        """
        What the reactor watches.
        """
        return self._socket.fileno() if self._socket is not None else -1

    def doRead(self) -> None:
        """
        Somebody knocks.
        """
        self._rest()
        self._knocked()

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor cannot watch it any more.
        """
        self._log.error("Nobody watches {address}: {why}", address=self.address, why=reason.value)

    def logPrefix(self) -> str:
        """
        For the reactor's complaints.
        """
        return f"door {self.address}"

    def _rest(self) -> None:
        self._reactor.removeReader(self)
