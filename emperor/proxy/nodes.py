"""
Connections to nodes, however their addresses are written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from twisted.internet.interfaces import IProtocol, IReactorPluggableNameResolver, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import ANYBODY, Address, NamedAddress, TcpAddress, UnixAddress
from emperor.config.settings import RouterSettings
from emperor.interfaces import IDialer, INetwork, INodeDialer
from emperor.proxy.named import NamedDialer
from emperor.proxy.names import Names
from emperor.proxy.tlsnodes import TlsDialer, load_authorities


class INamingReactor(IReactorPluggableNameResolver, IReactorTime):
    """
    A reactor that looks names up.
    """


def make_dialer(
    reactor: INamingReactor, network: INetwork, settings: RouterSettings
) -> INodeDialer:
    """
    What one router dials its nodes with.

    @raise BadAuthorities: C{node_ca} has no certificates.
    """
    return NodeDialer(reactor, network.dialer, settings)


@implementer(INodeDialer)
class NodeDialer:
    """
    Dials sockets itself, and lets names and TLS be dialed by those who can.
    """

    def __init__(self, reactor: INamingReactor, sockets: IDialer, settings: RouterSettings) -> None:
        """
        @param sockets: makes all connections in the end.
        @raise BadAuthorities: C{node_ca} has no certificates.
        """
        self._reactor = reactor
        self._sockets = sockets
        self._ttl = settings.name_ttl
        self._authorities = load_authorities(settings.node_ca)

    def dial(
        self,
        address: Address,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        See L{INodeDialer.dial}.
        """
        if isinstance(address, (UnixAddress, TcpAddress)):
            return self._sockets.dial(address, protocol, failed, timeout, owner=owner)
        if isinstance(address, NamedAddress):
            return self._named.dial(address, protocol, failed, timeout)
        return self._tls.dial(address, protocol, failed, timeout)

    @cached_property
    def _named(self) -> NamedDialer:
        names = Names(self._reactor.nameResolver, self._reactor, self._ttl)
        return NamedDialer(self._reactor, self._sockets, names)

    @cached_property
    def _tls(self) -> TlsDialer:
        return TlsDialer(self._reactor, self.dial, self._authorities)
