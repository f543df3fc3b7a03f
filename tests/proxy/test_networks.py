"""
The two kinds of transports that the routers run on.
"""

from __future__ import annotations

import os
import socket
import stat
from typing import Any, cast

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import TcpAddress
from emperor.interfaces import IDialer, INetwork
from emperor.proxy.networks import IAdoptingReactor, PollingNetwork, ReactorNetwork
from emperor.proxy.poller import IPollingReactor
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


class _Adopting(MemoryReactorClock):
    """
    Remembers the sockets that it adopts, and makes a file writable for
    everybody, as Twisted does.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.adopted: list[tuple[int, object]] = []
        self.name: object = None

    def adoptStreamPort(self, fileno: int, family: int, factory: object) -> str:
        with socket.socket(family, socket.SOCK_STREAM, 0, os.dup(fileno)) as copy:
            self.name = copy.getsockname()
        if isinstance(self.name, str) and self.name:
            os.chmod(self.name, 0o666)
        self.adopted.append((family, factory))
        return "a port"


class ReactorNetworkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = _Adopting()
        self.network = ReactorNetwork(cast(IAdoptingReactor, self.reactor))

    def listen(self, family: int, name: Any) -> object:
        self.listener = socket.socket(family)
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

    def test_listen(self) -> None:
        """
        The reactor takes the socket over; ours is closed.
        """
        self.assertEqual(self.listen(socket.AF_INET, ("127.0.0.1", 0)), "a port")
        self.assertEqual(self.reactor.adopted, [(socket.AF_INET, self.factory)])
        self.assertEqual(self.listener.fileno(), -1)

    def test_mode(self) -> None:
        """
        A UNIX socket's file keeps the permissions of chmod-socket.
        """
        path = os.path.relpath(self.mktemp())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        mask = os.umask(0o117)
        self.addCleanup(os.umask, mask)
        self.listen(socket.AF_UNIX, path)
        self.assertEqual(self.reactor.name, path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o660)

    def test_abstract(self) -> None:
        """
        An abstract name has no file whose permissions could be kept.
        """
        self.listen(socket.AF_UNIX, b"\0txemperor-listen-%d\0" % os.getpid())
        self.assertEqual(len(self.reactor.adopted), 1)
