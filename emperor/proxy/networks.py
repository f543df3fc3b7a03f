"""
The two kinds of transports that the routers run on.

The protocols do not know which one it is; the option C{transport} chooses.
"""

from __future__ import annotations

import os
import socket
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IProtocolFactory, IReactorSocket
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer

from emperor.interfaces import INetwork, IPort
from emperor.proxy.accepting import PollingPort
from emperor.proxy.backends import EndpointDialer, IStreamReactor
from emperor.proxy.dialing import PollingDialer
from emperor.proxy.poller import IPollingReactor, Poller


class IAdoptingReactor(IStreamReactor, IReactorSocket):
    """
    A reactor that connects, and takes listening sockets over.
    """


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
        port = PollingPort(self._poller, listener, factory)
        port.startListening()
        return port


@implementer(INetwork)
class ReactorNetwork(Service):
    """
    Twisted's own transports.
    """

    def __init__(self, reactor: IAdoptingReactor) -> None:
        self._reactor = reactor
        self.dialer = EndpointDialer(reactor)

    def listen(self, listener: socket.socket, factory: IProtocolFactory) -> IPort:
        """
        See L{INetwork.listen}.
        """
        server = cast(ServerFactory, factory)
        with listener:
            path = _path(listener)
            mode = os.stat(path).st_mode & 0o777 if path else 0
            port = self._reactor.adoptStreamPort(listener.fileno(), listener.family, server)
        if path:
            # Twisted makes a UNIX socket that it adopts writable for everybody.
            os.chmod(path, mode)
        return cast(IPort, port)


class INetworkReactor(IAdoptingReactor, IPollingReactor):
    """
    A reactor for either network.
    """


def make_network(reactor: INetworkReactor, transport: str) -> INetwork:
    """
    The network that the option C{transport} asks for.
    """
    return ReactorNetwork(reactor) if transport == "twisted" else PollingNetwork(reactor)


def _path(listener: socket.socket) -> str:
    """
    The file of a UNIX socket; empty for an abstract name and for TCP.
    """
    name = listener.getsockname()
    return name if isinstance(name, str) else ""
