"""
UNIX sockets on Twisted's own transports, where the reactor's own ways to open
one will not do.

Twisted takes a listening socket that it adopts for its own: it makes the file
writable for everybody, chooses the backlog, and at the end shuts the socket
down and removes the file, though other processes may listen on both.  And it
takes a node whose queue is full for one that is dead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import EAGAIN
from typing import cast

from twisted.internet import tcp, unix
from twisted.internet.error import TimeoutError, getConnectError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorSocket,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure

from emperor.addresses import ANYBODY
from emperor.proxy.dialing import RETRY
from emperor.proxy.peers import Stranger, find_stranger


class IUnixReactor(IReactorSocket, IReactorTime):
    """
    A reactor that takes sockets over, and has timers.
    """


class SharedPort(unix.Port):
    """
    A listening socket that was opened elsewhere and stays as it is, here and at
    the end; its file is somebody else's.
    """

    def __init__(
        self, listener: socket.socket, factory: IProtocolFactory, reactor: IUnixReactor
    ) -> None:
        """
        @param listener: bound, listening and non-blocking; it is ours now.
        """
        super().__init__(listener.getsockname(), factory, reactor=reactor)
        self._factory = factory
        self._listener = listener
        self._shouldShutdown = False

    def startListening(self) -> None:
        """
        See L{IListeningPort.startListening}.
        """
        self._factory.doStart()
        self.socket = self._listener
        self.fileno = self._listener.fileno  # type: ignore[method-assign]  # as Twisted's own
        self.connected = True
        self.numberAccepts = 100
        self.startReading()

    def connectionLost(self, reason: Failure) -> None:
        """
        Close the socket and nothing more.
        """
        tcp.Port.connectionLost(self, reason)


class _OneConnection(ServerFactory):
    """
    Gives out one protocol, without a line in the log for each request.
    """

    noisy = False

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """
        The protocol it was made for.
        """
        return cast(Protocol, self._protocol)


class UnixDialer:
    """
    Connects to UNIX sockets, which happens at once or not now.
    """

    def __init__(self, reactor: IUnixReactor) -> None:
        self._reactor = reactor

    def dial(
        self,
        path: bytes,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        As L{emperor.interfaces.IDialer.dial}.

        @param path: what goes into C{sun_path}.
        """
        attempt = _Attempt(self._reactor, path, protocol, failed, timeout, owner=owner)
        attempt.go_on()
        return attempt.cancel


class _Attempt:
    """
    One connection to be made.
    """

    def __init__(
        self,
        reactor: IUnixReactor,
        path: bytes,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int,
    ) -> None:
        self._reactor = reactor
        self._path = path
        self._factory = _OneConnection(protocol)
        self._failed = failed
        self._owner = owner
        self._end = reactor.seconds() + timeout
        self._next: IDelayedCall | None = None

    def go_on(self) -> None:
        """
        Connect, or see when to try again.
        """
        self._next = None
        try:
            problem = self._connect()
        except Stranger as error:
            self._later(0, self._fail, error)
            return
        except OSError as error:  # no descriptor is left
            self._later(0, self._fail, getConnectError(error))
            return
        left = self._end - self._reactor.seconds()
        if problem == EAGAIN and left > 0:
            self._later(min(RETRY, left), self.go_on)
        elif problem == EAGAIN:
            self._fail(TimeoutError())
        elif problem:
            self._later(0, self._fail, getConnectError((problem, os.strerror(problem))))

    def cancel(self) -> None:
        """
        Give up without a word; nothing happens when the attempt is over.
        """
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _connect(self) -> int:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
            problem = connection.connect_ex(self._path)
            if not problem:
                stranger = find_stranger(connection, self._owner)
                if stranger is not None:
                    raise stranger
                self._reactor.adoptStreamConnection(
                    connection.fileno(), socket.AF_UNIX, self._factory
                )
        return problem

    def _later(self, seconds: float, call: Callable[..., object], *arguments: object) -> None:
        self._next = self._reactor.callLater(seconds, call, *arguments)

    def _fail(self, error: Exception) -> None:
        self._next = None
        self._failed(Failure(error))
