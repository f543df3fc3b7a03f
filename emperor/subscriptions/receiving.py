"""
Datagrams from a socket, with who has sent them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from struct import Struct

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


@dataclass(frozen=True, slots=True)
class Sender:
    """
    Where a datagram has come from.

    @ivar name: for the log.
    @ivar credentials: L{None}: the kernel does not say.
    """

    name: str
    credentials: Credentials | None = None


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
    ) -> None:
        """
        @param server: bound and non-blocking; it is ours from now on.
        @param received: gets each datagram; one that is longer than any that is
            accepted comes cut, but longer all the same.
        """
        self._reactor = reactor
        self._server = server
        self._received = received

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
                data, ancillary, _, peer = self._server.recvmsg(DATAGRAM_LIMIT + 1, _ROOM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._log.warn("A subscription is lost: {reason}", reason=error.strerror)
                return
            try:
                self._received(data, _sender(ancillary, peer))
            except Exception:
                self._log.failure("A subscription could not be dealt with")

    def fileno(self) -> int:
        """
        Of the socket.
        """
        return self._server.fileno()

    def logPrefix(self) -> str:
        """
        For the reactor's log.
        """
        return "subscriptions"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has stopped.
        """


def _sender(ancillary: Iterable[tuple[int, int, bytes]], peer: object) -> Sender:
    for level, kind, data in ancillary:
        known = (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
        if known and len(data) == _UCRED.size:
            credentials = Credentials(*_UCRED.unpack(data))
            return Sender(f"process {credentials.pid} of user {credentials.uid}", credentials)
    if isinstance(peer, tuple):
        host, port, *_ = peer
        return Sender(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return Sender("a UNIX socket")
