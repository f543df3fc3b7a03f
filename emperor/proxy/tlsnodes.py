"""
Connections to nodes that speak TLS, whose certificates are verified.

TLS has no half of a connection that can be closed alone: what a node shall know
of the end of a request it has to learn from the request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import VerificationError
from twisted.internet.error import ConnectError, TimeoutError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import NamedAddress, TcpAddress, TlsAddress
from emperor.proxy.peers import CannotReach

#: Hosts whose settings are kept; making them reads the authorities' files.
MOST_HOSTS = 256

#: Whom to trust, as Twisted's C{optionsForClientTLS} takes it.
Authorities = Any

Dial = Callable[
    [TcpAddress | NamedAddress, IProtocol, Callable[[Failure], object], float],
    Callable[[], None],
]


class BadAuthorities(Exception):
    """
    A file has no certificates of authorities; the message says why.
    """


def load_authorities(path: str) -> Authorities:
    """
    Who may certify nodes.

    @param path: a PEM file; empty for the authorities that the system trusts.
    @raise BadAuthorities: it cannot be read, or has no certificate.
    """
    if not path:
        return platformTrust()
    try:
        with open(path, "rb") as file:
            found = load_pem_x509_certificates(file.read())
    except OSError as error:
        raise BadAuthorities(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadAuthorities(f"{path}: there is no PEM certificate in it: {error}") from error
    certificates = [Certificate(X509.from_cryptography(each)) for each in found]
    return trustRootFromCertificates(certificates)


class TlsDialer:
    """
    Connects a protocol when the node has shown that it is the one.
    """

    def __init__(self, clock: IReactorTime, dial: Dial, authorities: Authorities) -> None:
        """
        @param dial: makes the connections that TLS runs on.
        """
        self._clock = clock
        self._dial = dial

        def make(host: str) -> IOpenSSLClientConnectionCreator:
            return optionsForClientTLS(host, authorities)

        self._options = lru_cache(MOST_HOSTS)(make)

    def dial(
        self,
        address: TlsAddress,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
    ) -> Callable[[], None]:
        """
        As L{emperor.interfaces.IDialer.dial}.

        @param timeout: for the connection and TLS together.
        """
        host = address.server.host.removesuffix(".")
        gate = _Gate(self._clock, protocol, failed)
        factory = TLSMemoryBIOFactory(self._options(host), True, _Gates(gate), clock=self._clock)
        factory.protocol = _TlsTransport
        wrapped = factory.buildProtocol(None)
        gate.begin(timeout, self._dial(address.server, wrapped, gate.fail, timeout))
        return gate.give_up


class _TlsTransport(BufferingTLSTransport):
    """
    What the node's protocol writes to.
    """

    def loseWriteConnection(self) -> None:
        """
        Nothing: closing the socket's half would break TLS, and most servers
        take the end of TLS's for the end of both.
        """


class _Gates(ServerFactory):
    """
    Gives out one gate.
    """

    noisy = False

    def __init__(self, gate: _Gate) -> None:
        self._gate = gate

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """
        The gate it was made for.
        """
        return self._gate


@implementer(IHandshakeListener)
class _Gate(Protocol):
    """
    Keeps a protocol from a connection until TLS is set up.
    """

    transport: _TlsTransport

    def __init__(
        self,
        clock: IReactorTime,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
    ) -> None:
        self._clock = clock
        self._protocol = protocol
        self._failed = failed
        self._is_open = self._is_over = False
        self._timer: IDelayedCall | None = None
        self._cancel: Callable[[], None] = _nothing

    def begin(self, timeout: float, cancel: Callable[[], None]) -> None:
        """
        The connection is being made.

        @param cancel: stops that.
        """
        self._cancel = cancel
        if not (self._is_open or self._is_over):
            self._timer = self._clock.callLater(timeout, self._too_late)

    def give_up(self) -> None:
        """
        Let the protocol not be connected any more.
        """
        if not (self._is_open or self._is_over):
            self._stop()

    def fail(self, failure: Failure) -> None:
        """
        There is no connection, or no TLS on it.
        """
        if not self._is_over:
            self._is_over = True
            self._stop_timer()
            self._failed(failure)

    def handshakeCompleted(self) -> None:
        """
        See L{IHandshakeListener.handshakeCompleted}.
        """
        if not self._is_over:
            self._is_open = True
            self._stop_timer()
            self._protocol.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """
        What the node sends.
        """
        if self._is_open:
            self._protocol.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        It is over, perhaps before it began.
        """
        if self._is_open:
            self._protocol.connectionLost(reason)
        else:
            self.fail(Failure(_explained(reason.value)))

    def _too_late(self) -> None:
        self._stop()
        self._failed(Failure(TimeoutError()))

    def _stop(self) -> None:
        self._is_over = True
        self._stop_timer()
        if self.transport is not None:
            self.transport.abortConnection()
        else:
            self._cancel()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def _explained(error: BaseException | None) -> ConnectError:
    """
    Why TLS was not set up, for people.
    """
    if isinstance(error, VerificationError):
        return CannotReach(string="its certificate is for another host")
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return CannotReach(string=f"TLS failed: {error.args[0][-1][-1]}")
    return CannotReach(string="it closed the connection while TLS was set up")


def _nothing() -> None:
    """
    Cancel what was not begun.
    """
