"""
The two kinds of transports that the routers run on.
"""

from __future__ import annotations

import os
import socket
from typing import Any, cast

from twisted.internet.tcp import Port
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import TcpAddress
from emperor.interfaces import IDialer, INetwork, IPort
from emperor.proxy.backends import IStreamReactor
from emperor.proxy.networks import PollingNetwork, ReactorNetwork
from emperor.proxy.poller import IPollingReactor
from emperor.proxy.transport import Stream
from emperor.proxy.unixsockets import SharedPort
from tests.proxy.polling import PollingClock, PollingMixin, Recorder
from tests.proxy.test_accepting import Clients


class PollingNetworkTests(PollingMixin, SynchronousTestCase):
    def setUp(self) -> None:
        self.start_poller()
        self.poller.stop()
        self.clock = PollingClock()
        self.network = PollingNetwork(cast(IPollingReactor, self.clock))
        self.poller = self.network._poller
        self.network.startService()
        self.addCleanup(self.network.stopService)
        self.addCleanup(self.serve)

    def test_interface(self) -> None:
        """
        It is a network with a dialer.
        """
        verifyObject(INetwork, self.network)
        verifyObject(IDialer, self.network.dialer)

    def test_conversation(self) -> None:
        """
        What is dialed arrives where it is listened for.
        """
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        listener.setblocking(False)
        factory = Clients()
        node = TcpAddress(*listener.getsockname())
        port = self.network.listen(listener, factory)
        client = Recorder()
        self.network.dialer.dial(node, client, self.fail, 5)
        self.serve_until(lambda: client.events and factory.made)
        server = factory.made[0]
        hurries = [
            cast(Stream, each.transport)._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for each in (client, server)
        ]
        self.assertTrue(all(hurries))
        client.transport.write(b"request")
        self.serve_until(lambda: server.received == b"request")
        server.transport.write(b"answer")
        server.transport.loseConnection()
        self.serve_until(lambda: client.is_lost and server.is_lost)
        self.assertEqual(client.received, b"answer")
        port.stopListening()
        self.serve()

    def test_service(self) -> None:
        """
        The reactor is asked for nothing before the start and after the end.
        """
        clock = PollingClock()
        network = PollingNetwork(cast(IPollingReactor, clock))
        self.assertEqual(clock.readers, set())
        network.startService()
        self.assertEqual(len(clock.readers), 1)
        network.stopService()
        self.assertEqual(clock.readers, set())
        self.assertFalse(network.running)


class ReactorNetworkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.network = ReactorNetwork(cast(IStreamReactor, self.reactor))

    def listen(self, family: int, name: Any) -> object:
        self.listener = socket.socket(family)
        self.addCleanup(self.listener.close)
        self.listener.bind(name)
        self.listener.listen(5)
        self.factory = Clients()
        return self.network.listen(self.listener, self.factory)

    def test_interface(self) -> None:
        """
        It is a network with a dialer.
        """
        verifyObject(INetwork, self.network)
        verifyObject(IDialer, self.network.dialer)

    def test_tcp(self) -> None:
        """
        The reactor takes a TCP socket over; ours is closed.
        """
        self.listen(socket.AF_INET, ("127.0.0.1", 0))
        ((_, family, factory),) = self.reactor.adoptedPorts
        self.assertEqual((family, factory), (socket.AF_INET, self.factory))
        self.assertEqual(self.listener.fileno(), -1)

    def test_at_once(self) -> None:
        """
        Connections send small pieces at once.
        """
        listener = self.listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        copy = listener.dup()
        self.addCleanup(copy.close)
        self.network.listen(listener, Clients())
        self.assertTrue(copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def test_rest(self) -> None:
        """
        What Twisted's own reactor makes of a socket can rest as ours can.
        """
        for kind in (Port, SharedPort):
            for name in IPort.names():
                self.assertTrue(callable(getattr(kind, name)), name)

    def test_unix(self) -> None:
        """
        A UNIX socket, whose file may be another process's as well, is served as
        it is.
        """
        for name in (os.path.relpath(self.mktemp()), f"\0txemperor-listen-{os.getpid()}"):
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            port = self.listen(socket.AF_UNIX, name)
            self.assertIsInstance(port, SharedPort)
            self.assertEqual(self.reactor.readers, {port})
            self.reactor.readers.clear()
