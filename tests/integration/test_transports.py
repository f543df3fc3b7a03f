"""
Twisted's own transports keep the promises of ours.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from emperor.interfaces import IStream
from tests.integration.programs import reactor
from tests.proxy.contract import StreamContract


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
