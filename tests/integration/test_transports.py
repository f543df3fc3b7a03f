"""
Twisted's own transports keep the promises of ours.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from emperor.addresses import UnixAddress
from emperor.interfaces import IStream
from emperor.proxy.networks import ReactorNetwork
from tests.integration.programs import eventually, reactor
from tests.proxy.contract import StreamContract
from tests.proxy.polling import Recorder
from tests.proxy.test_accepting import Clients


class _One(ServerFactory):
    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._protocol


class _TwistedContract(StreamContract):
    async def adopt(self, near: socket.socket, protocol: Protocol) -> IStream:
        near.setblocking(False)
        with near:
            reactor.adoptStreamConnection(near.fileno(), near.family, _One(protocol))
        stream = cast(IStream, protocol.transport)
        cast(TestCase, self).addCleanup(self._leave, stream)
        return stream

    async def _leave(self, stream: IStream) -> None:
        stream.abortConnection()
        await self.turns()

    async def until(self, done: Callable[[], object]) -> None:
        while not done():
            await deferLater(reactor, 0)

    async def turns(self) -> None:
        for _ in range(5):
            await deferLater(reactor, 0)


class TwistedUnixTests(_TwistedContract, TestCase):
    """
    The contract on UNIX sockets.
    """

    is_tcp = False


class TwistedTcpTests(_TwistedContract, TestCase):
    """
    The contract on TCP.
    """

    is_tcp = True


class TwistedNetworkTests(TestCase):
    """
    UNIX sockets as the routers listen on them and dial them.
    """

    timeout = 30

    def setUp(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, directory)
        self.path = directory / "socket"
        self.network = ReactorNetwork(reactor)
        self.listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.listener.close)
        self.listener.setblocking(False)
        self.listener.bind(str(self.path))
        self.listener.listen(0)

    def dial(self) -> Recorder:
        client = Recorder()
        self.addCleanup(self._leave, client)
        self.network.dialer.dial(UnixAddress(bytes(self.path)), client, self.fail, 10)
        return client

    def _leave(self, client: Recorder) -> None:
        client.transport.abortConnection()

    async def test_full(self) -> None:
        """
        A node whose queue is full gets its connection when it has room.
        """
        first, second = self.dial(), self.dial()
        await eventually(lambda: first.events, "the first is connected")
        self.assertEqual((first.events, second.events), (["made"], []))
        self.listener.accept()[0].close()
        await eventually(lambda: second.events, "the second is connected")

    async def test_shared(self) -> None:
        """
        Of two that listen on one socket, one stops: the other goes on.
        """
        stopping = self.network.listen(self.listener.dup(), Clients())
        clients = Clients()
        port = self.network.listen(self.listener.dup(), clients)
        await maybeDeferred(stopping.stopListening)
        client = self.dial()
        await eventually(lambda: clients.made, "the other one accepts")
        client.transport.write(b"a request")
        (server,) = clients.made
        await eventually(lambda: server.received == b"a request", "it gets a request")
        server.transport.loseConnection()
        await eventually(lambda: client.is_lost and server.is_lost, "it is over")
        await maybeDeferred(port.stopListening)
        self.assertTrue(self.path.exists())
