"""
From a node's address to a connection.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import ECONNREFUSED, EMFILE, ENFILE, ENOBUFS, ENOENT, ENOMEM
from typing import Any, cast

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    TCPTimedOutError,
    TimeoutError,
)
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IReactorTCP,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import ANYBODY, SocketAddress, TcpAddress, UnixAddress
from emperor.interfaces import IDialer
from emperor.proxy.binding import NO_INTERFACE
from emperor.proxy.peers import CannotReach
from emperor.proxy.unixsockets import IUnixReactor, UnixDialer

#: What the system says when there is no descriptor or memory left.
EXHAUSTED = frozenset([EMFILE, ENFILE, ENOBUFS, ENOMEM])


class IStreamReactor(IReactorTCP, IUnixReactor):
    """
    A reactor that connects both kinds of sockets.
    """


class _OneConnection(ClientFactory):
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


@implementer(IDialer)
class EndpointDialer:
    """
    Connects through Twisted's endpoints.
    """

    def __init__(self, reactor: IStreamReactor) -> None:
        self._reactor = reactor
        self._unix = UnixDialer(reactor)

    def dial(
        self,
        address: SocketAddress,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        See L{IDialer.dial}.
        """
        if isinstance(address, UnixAddress):
            return self._unix.dial(address.path, protocol, failed, timeout, owner=owner)
        wanted = [True]

        def not_connected(failure: Failure) -> None:
            if wanted:
                failed(failure)

        def give_up() -> None:
            wanted.clear()
            connecting.cancel()

        def connected(protocol: Any) -> None:
            # A body behind the packet does not wait for its acknowledgement.
            tcp = ITCPTransport(protocol.transport, None)
            if tcp is not None:
                tcp.setTcpNoDelay(True)

        connecting = self._endpoint(address, timeout).connect(_OneConnection(protocol))
        connecting.addCallbacks(connected, not_connected)
        return give_up

    def _endpoint(self, address: TcpAddress, timeout: float) -> IStreamClientEndpoint:
        if address.is_ipv6:
            return TCP6ClientEndpoint(self._reactor, address.host, address.port, timeout)
        return TCP4ClientEndpoint(self._reactor, address.host, address.port, timeout)


def is_absent(failure: Failure) -> bool:
    """
    Whether nothing listens at the address: refused, or no such socket.
    """
    return failure.check(ConnectionRefusedError) is not None or error_number(failure) in (
        ENOENT,
        ECONNREFUSED,
    )


def is_exhausted(failure: Failure) -> bool:
    """
    Whether we have no descriptor or memory left, which is no fault of the node.
    """
    return error_number(failure) in EXHAUSTED


def is_missing(failure: Failure) -> bool:
    """
    Whether the socket's file does not exist.
    """
    return error_number(failure) == ENOENT


def is_timeout(failure: Failure) -> bool:
    """
    Whether the node did not accept in time, ours or the kernel's.
    """
    return failure.check(TimeoutError, TCPTimedOutError) is not None


def explain(failure: Failure) -> str:
    """
    Why a connection failed, for people.
    """
    if isinstance(failure.value, CannotReach):
        return str(failure.value.args[0])
    number = error_number(failure)
    if number < 0:  # getaddrinfo's, which reads literals too
        return NO_INTERFACE
    return os.strerror(number) if number else type(failure.value).__name__


def error_number(failure: Failure) -> int:
    """
    The C{errno} of a failed connection, 0 if it has none.
    """
    error = failure.value
    number = getattr(error, "osError", None) if isinstance(error, ConnectError) else None
    return number if isinstance(number, int) else 0
