"""
Datagrams from a socket, with who has sent them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from struct import Struct
from typing import cast

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.routing.gatekeeper import Credentials
from emperor.wire.subscription import DATAGRAM_LIMIT

#: Datagrams that are taken in one turn of the reactor, so that requests get
#: theirs.
BATCH = 64

#: C{struct ucred}, see C{man 7 unix}: pid, uid, gid.
_UCRED = Struct("iII")

#: Room for that and nothing else: descriptors that somebody sends along are
#: closed by the kernel.
_ROOM = socket.CMSG_SPACE(_UCRED.size)


#: Where an answer would go.
Place = tuple[str, int] | tuple[str, int, int, int] | str | bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """
    Where a datagram has come from.

    @ivar name: for the log.
    @ivar credentials: L{None}: the kernel does not say.
    @ivar place: its address, as the socket has it; empty: it has none.
    """

    name: str
    credentials: Credentials | None = None
    place: Place = field(default="", compare=False)

    @property
    def host(self) -> str:
        """
        Of a peer over UDP; empty for a UNIX socket.
        """
        return self.place[0] if isinstance(self.place, tuple) else ""


@implementer(IReadDescriptor)
class DatagramReader:
    """
    Reads one socket.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorFDSet,
        server: socket.socket,
        received: Callable[[bytes, Sender], object],
        *,
        limit: int = DATAGRAM_LIMIT,
        what: str = "subscription",
    ) -> None:
        """
        @param server: bound and non-blocking; it is ours from now on.
        @param received: gets each datagram; one that is longer than any that is
            accepted comes cut, but longer all the same.
        @param limit: bytes of the longest one that is accepted.
        @param what: what each one is, for the log.
        """
        self._reactor = reactor
        self._server = server
        self._received = received
        self._limit = limit
        self._what = what

    def start(self) -> None:
        """
        Begin to read.
        """
        self._reactor.addReader(self)

    def stop(self) -> None:
        """
        Read nothing more and close the socket.
        """
        self._reactor.removeReader(self)
        self._server.close()

    def doRead(self) -> None:
        """
        Take what has come.
        """
        for _ in range(BATCH):
            try:
                data, ancillary, _, peer = self._server.recvmsg(self._limit + 1, _ROOM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._log.warn("A {what} is lost: {reason}", what=self._what, reason=error.strerror)
                return
            try:
                self._received(data, _sender(ancillary, peer))
            except Exception:
                self._log.failure("A {what} could not be dealt with", what=self._what)

    def answer(self, data: bytes, sender: Sender) -> None:
        """
        Send a datagram back; one that cannot be taken at once is lost, as any may.
        """
        if sender.place:
            with suppress(OSError):
                self._server.sendto(data, sender.place)

    def fileno(self) -> int:
        """
        Of the socket.
        """
        return self._server.fileno()

    def logPrefix(self) -> str:
        """
        For the reactor's log.
        """
        return f"{self._what}s"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has stopped.
        """


def _sender(ancillary: Iterable[tuple[int, int, bytes]], peer: object) -> Sender:
    for level, kind, data in ancillary:
        known = (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
        if known and len(data) == _UCRED.size:
            credentials = Credentials(*_UCRED.unpack(data))
            name = f"process {credentials.pid} of user {credentials.uid}"
            return Sender(name, credentials, peer if isinstance(peer, str | bytes) else "")
    if isinstance(peer, tuple):
        host, port, *_ = peer
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return Sender(name, place=cast(Place, peer))
    return Sender("a UNIX socket")
