"""
The two kinds of transports that the routers run on.

The protocols do not know which one it is; the option C{transport} chooses.
"""

from __future__ import annotations

import socket
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer

from emperor.interfaces import INetwork, IPort
from emperor.proxy.accepting import PollingPort
from emperor.proxy.backends import EndpointDialer, IStreamReactor
from emperor.proxy.dialing import PollingDialer
from emperor.proxy.poller import IPollingReactor, Poller
from emperor.proxy.unixsockets import SharedPort


@implementer(INetwork)
class PollingNetwork(Service):
    """
    The data plane's own transports (L{emperor.proxy.transport}).
    """

    def __init__(self, reactor: IPollingReactor) -> None:
        self._poller = Poller(reactor)
        self.dialer = PollingDialer(self._poller)

    def startService(self) -> None:
        """
        Begin to serve.
        """
        Service.startService(self)
        self._poller.start()

    def stopService(self) -> None:
        """
        Serve nothing more.
        """
        Service.stopService(self)
        self._poller.stop()

    def listen(self, listener: socket.socket, factory: IProtocolFactory) -> IPort:
        """
        See L{INetwork.listen}.
        """
        _hurry(listener)
        port = PollingPort(self._poller, listener, factory)
        port.startListening()
        return port


@implementer(INetwork)
class ReactorNetwork(Service):
    """
    Twisted's own transports.
    """

    def __init__(self, reactor: IStreamReactor) -> None:
        self._reactor = reactor
        self.dialer = EndpointDialer(reactor)

    def listen(self, listener: socket.socket, factory: IProtocolFactory) -> IPort:
        """
        See L{INetwork.listen}.
        """
        if listener.family == socket.AF_UNIX:
            shared = SharedPort(listener, factory, self._reactor)
            shared.startListening()
            return cast(IPort, shared)
        _hurry(listener)
        with listener:
            port = self._reactor.adoptStreamPort(
                listener.fileno(), listener.family, cast(ServerFactory, factory)
            )
        return cast(IPort, port)


def _hurry(listener: socket.socket) -> None:
    """
    Let every connection send at once what it has: an answer in two pieces would
    wait for the client's delayed acknowledgement of the first.  Connections
    inherit this from where they are accepted.
    """
    if listener.family != socket.AF_UNIX:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class INetworkReactor(IStreamReactor, IPollingReactor):
    """
    A reactor for either network.
    """


def make_network(reactor: INetworkReactor, transport: str) -> INetwork:
    """
    The network that the option C{transport} asks for.
    """
    return ReactorNetwork(reactor) if transport == "twisted" else PollingNetwork(reactor)
