"""
Datagrams to servers that are given by name.

A name is resolved anew each time, so that a server that has moved is
found; while the resolver fails, the last answer is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError, MessageLengthError
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from twisted.internet.protocol import DatagramProtocol
from zope.interface import implementer

from emperor.addresses import TcpAddress
from emperor.announcing.servers import Server, UdpServer, UnixServer

#: Seconds for the resolver.
RESOLVING_TIMEOUT = 5.0


class CannotSend(Exception):
    """
    A datagram could not be sent; the message says to whom and why.
    """


@implementer(IResolutionReceiver)
class _Answer:
    """
    Collects the addresses of a name.
    """

    def __init__(self) -> None:
        self._hosts: list[str] = []
        self.complete: Deferred[list[str]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """
        It cannot be called off in a useful way.
        """

    def addressResolved(self, address: IAddress) -> None:
        """
        One more.
        """
        self._hosts.append(address.host)  # type: ignore[attr-defined]

    def resolutionComplete(self) -> None:
        """
        That was the last one, unless nobody waits any more.
        """
        if not self.complete.called:
            self.complete.callback(self._hosts)


class Sender:
    """
    Sends datagrams, from sockets that it opens when it needs them.
    """

    def __init__(self, reactor: Any, source: TcpAddress | None = None) -> None:
        """
        @param reactor: knows UDP, UNIX datagrams, names and the time.
        @param source: where UDP datagrams of its family are sent from.
        """
        self._reactor = reactor
        self._source = source
        self._ports: dict[str, Any] = {}
        self._last: dict[str, list[str]] = {}

    async def send(self, server: Server, *datagrams: bytes) -> None:
        """
        Send datagrams; they may get lost on their way.

        @raise CannotSend: one did not even leave.
        """
        if isinstance(server, UnixServer):
            for datagram in datagrams:
                self._write(server, "unix", datagram, server.path)
            return
        hosts = await self.resolve(server)
        for datagram in datagrams:
            self._send_to_one(server, hosts, datagram)

    async def close(self) -> None:
        """
        Close the sockets.
        """
        ports, self._ports = self._ports, {}
        for port in ports.values():
            await maybeDeferred(port.stopListening)

    async def resolve(self, server: UdpServer) -> Sequence[str]:
        """
        The addresses of a server, at least one.

        @raise CannotSend: its name cannot be resolved.
        """
        host = server.host
        if isIPAddress(host) or isIPv6Address(host):
            return [host]
        answer = _Answer()
        self._reactor.nameResolver.resolveHostName(
            answer, host, server.port, transportSemantics="UDP"
        )
        answer.complete.addTimeout(
            RESOLVING_TIMEOUT, self._reactor, onTimeoutCancel=lambda *_: list[str]()
        )
        hosts = await answer.complete or self._last.get(host)
        if not hosts:
            raise CannotSend(f"{server}: the name cannot be resolved")
        # uWSGI's servers have IPv4 only, and a datagram that nobody takes is not
        # noticed.
        self._last[host] = sorted(hosts, key=isIPv6Address)
        return self._last[host]

    def _send_to_one(self, server: UdpServer, hosts: Sequence[str], datagram: bytes) -> None:
        for host in hosts[:-1]:
            try:
                return self._write_udp(server, host, datagram)
            except CannotSend:
                continue  # a family that this machine does not have
        self._write_udp(server, hosts[-1], datagram)

    def _write_udp(self, server: Server, host: str, datagram: bytes) -> None:
        assert isinstance(server, UdpServer)
        interface = "::" if isIPv6Address(host) else ""
        self._write(server, interface, datagram, (host, server.port))

    def _write(
        self, server: Server, kind: str, datagram: bytes, address: str | tuple[str, int]
    ) -> None:
        try:
            if kind not in self._ports:
                self._ports[kind] = self._open(kind)
            self._ports[kind].write(datagram, address)
        except (OSError, CannotListenError, MessageLengthError) as error:
            raise CannotSend(f"{server}: {getattr(error, 'strerror', None) or error}") from error

    def _open(self, kind: str) -> Any:
        if kind == "unix":
            # Without a name of its own: nobody answers.
            return self._reactor.listenUNIXDatagram("", DatagramProtocol())
        source = self._source
        if source is None or source.is_ipv6 != (kind == "::"):
            source = TcpAddress(kind, 0)
        port = self._reactor.listenUDP(source.port, DatagramProtocol(), interface=source.host)
        if not kind:
            # uWSGI's servers listen at 255.255.255.255 too.
            port.setBroadcastAllowed(True)
        return port
