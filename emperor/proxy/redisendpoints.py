"""
The way to a Redis: TCP, TLS that is verified, a UNIX socket, or whichever
server the Sentinels call the master.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from zope.interface import implementer

from emperor.config.errors import fault
from emperor.config.redisurl import RedisSource
from emperor.config.settings import Origin
from emperor.proxy.redisconnection import (
    RedisConnection,
    RedisConnections,
    RedisTrouble,
    explain,
)

#: From a host and a port to an endpoint.
Reach = Callable[[str, int], IStreamClientEndpoint]


def redis_endpoint(source: RedisSource, reactor: Any) -> IStreamClientEndpoint:
    """
    The way to a Redis.

    @raise emperor.config.errors.ConfigurationError: the file of accepted
        authorities cannot be read.
    """
    if source.path:
        return UNIXClientEndpoint(reactor, source.path, source.timeout)
    reach = _reach(source, reactor)
    if source.service:
        return MasterEndpoint(source, reactor, reach)
    return reach(*source.hosts[0])


def _reach(source: RedisSource, reactor: Any) -> Reach:
    def plain(host: str, port: int) -> IStreamClientEndpoint:
        return HostnameEndpoint(reactor, host, port, source.timeout)

    if not source.tls:
        return plain
    trust = _authorities(source.ca) if source.ca else platformTrust()

    def verified(host: str, port: int) -> IStreamClientEndpoint:
        options = optionsForClientTLS(host, trustRoot=trust)
        return wrapClientTLS(options, plain(host, port))

    return verified


def _authorities(path: str) -> Any:
    origin = Origin(path, 0)
    try:
        with open(path, "rb") as file:
            found = load_pem_x509_certificates(file.read())
    except OSError as error:
        raise fault(f"the authorities cannot be read: {error.strerror}", origin) from error
    except ValueError as error:
        raise fault("has no certificates; accepted: one or more in PEM", origin) from error
    return trustRootFromCertificates(
        [Certificate.loadPEM(certificate.public_bytes(Encoding.PEM)) for certificate in found]
    )


@implementer(IStreamClientEndpoint)
class MasterEndpoint:
    """
    Asks the Sentinels in turn for the master, each time anew and beginning with
    the one that knew it last, and connects to the one that is named.
    """

    def __init__(self, source: RedisSource, clock: IReactorTime, reach: Reach) -> None:
        self._source = source
        self._sentinels = list(source.hosts)
        self._clock = clock
        self._reach = reach

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        See L{IStreamClientEndpoint.connect}.
        """
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        host, port = await self._master()
        try:
            return await self._reach(host, port).connect(factory)
        except (CancelledError, ConnectingCancelledError):
            raise
        except Exception as error:
            raise RedisTrouble(f"the master {host}:{port}: {explain(error)}") from error

    async def _master(self) -> tuple[str, int]:
        """
        @raise RedisTrouble: no Sentinel knows it; says what each of them says.
        """
        reasons = []
        for host, port in tuple(self._sentinels):
            try:
                master = await self._ask(host, port)
            except (CancelledError, ConnectingCancelledError):
                raise
            except Exception as error:
                reasons.append(f"{host}:{port}: {explain(error)}")
            else:
                self._sentinels.remove((host, port))
                self._sentinels.insert(0, (host, port))
                return master
        raise RedisTrouble(f"no Sentinel knows the master ({'; '.join(reasons)})")

    async def _ask(self, host: str, port: int) -> tuple[str, int]:
        timeout = self._source.timeout
        factory = RedisConnections(self._clock, lambda channel, message: None)
        # The endpoint has its own limit; with a second one here, its end could
        # not be told from ours being cancelled.
        sentinel = cast(RedisConnection, await self._reach(host, port).connect(factory))
        question = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._source.service)
        try:
            reply = await sentinel.ask_within(timeout, *question)
        finally:
            sentinel.drop("it has told the master")
        return _address(reply)


def _address(reply: Any) -> tuple[str, int]:
    if reply is None:
        raise RedisTrouble("it does not know the service")
    try:
        host, port = reply
        return host.decode("ascii"), int(port)
    except (TypeError, ValueError, AttributeError) as error:
        raise RedisTrouble("its answer is no address") from error
