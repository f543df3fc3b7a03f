"""
Tests for L{emperor.superior.asking}.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.superior.asking import PATIENCE, RETRY, ProxyClient, Receiver
from emperor.wire.proxying import build_hand_over


class AskingTests(SynchronousTestCase):
    """
    A client, and somebody who hands a pipe on.
    """

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.pipes: list[socket.socket] = []
        self.client = ProxyClient(self.reactor, "/run/proxy", self.pipes.append)
        self.client.start()
        self.addCleanup(self._close)

    def _close(self) -> None:
        for pipe in self.pipes:
            pipe.close()

    def attempts(self) -> int:
        return len(self.reactor.unixClients)

    def connect(self) -> Any:
        """
        The other side accepts.
        """
        path, factory, *_ = self.reactor.unixClients[-1]
        self.assertEqual(path, "/run/proxy")
        self.transport = StringTransport()
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(self.transport)
        # The protocol that is ours is inside the endpoint's.
        return protocol

    def descriptors(self, count: int = 1) -> list[int]:
        """
        Pipes as they arrive.
        """
        found = []
        for _ in range(count):
            theirs, ours = socket.socketpair()
            self.addCleanup(theirs.close)
            found.append(ours.detach())
            os.set_inheritable(found[-1], True)
        return found

    def assertClosed(self, descriptor: int) -> None:
        self.assertRaises(OSError, os.fstat, descriptor)

    def test_interface(self) -> None:
        """
        Twisted gives it descriptors.
        """
        receiver = Receiver(self.pipes.append, str)
        verifyObject(IFileDescriptorReceiver, receiver)

    def test_pipe(self) -> None:
        """
        The first descriptor is the pipe; others, for a configuration or a socket,
        are closed.
        """
        protocol = self.connect()
        first, second, third = self.descriptors(3)
        for descriptor in (first, second, third):
            protocol.fileDescriptorReceived(descriptor)
        message = build_hand_over(3)
        protocol.dataReceived(message[:5])
        self.assertEqual(self.pipes, [])
        protocol.dataReceived(message[5:])
        (pipe,) = self.pipes
        self.assertEqual(pipe.fileno(), first)
        self.assertFalse(pipe.get_inheritable())
        self.assertClosed(second)
        self.assertClosed(third)
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_more_afterwards(self) -> None:
        """
        What comes when it has the pipe is of no use.
        """
        protocol = self.connect()
        first, late = self.descriptors(2)
        protocol.fileDescriptorReceived(first)
        protocol.dataReceived(build_hand_over(1))
        protocol.fileDescriptorReceived(late)
        protocol.dataReceived(b"more")
        self.assertClosed(late)
        self.assertEqual(len(self.pipes), 1)

    def assertRetries(self) -> None:
        """
        It asks again, a second later.
        """
        self.assertEqual(self.pipes, [])
        before = self.attempts()
        self.reactor.advance(RETRY)
        self.assertEqual(self.attempts(), before + 1)

    def test_nobody_there(self) -> None:
        """
        It asks every second, for ever.
        """
        for _ in range(5):
            _, factory, *_ = self.reactor.unixClients[-1]
            factory.clientConnectionFailed(None, _failure())
            self.assertRetries()

    def test_wrong_message(self) -> None:
        """
        Whatever it gets from somebody else is closed.
        """
        for data in (b"uwsgi-zerg\1\0\0\0", build_hand_over(1) + b"x"):
            protocol = self.connect()
            (descriptor,) = self.descriptors()
            protocol.fileDescriptorReceived(descriptor)
            protocol.dataReceived(data)
            self.assertClosed(descriptor)
            self.assertRetries()

    def test_wrong_descriptor(self) -> None:
        """
        A file is no pipe, and nothing is none.
        """
        protocol = self.connect()
        descriptor = os.open(os.devnull, os.O_RDONLY)
        protocol.fileDescriptorReceived(descriptor)
        protocol.dataReceived(build_hand_over(1))
        self.assertClosed(descriptor)
        self.assertRetries()
        self.connect().dataReceived(build_hand_over(1))
        self.assertRetries()

    def test_closed_too_early(self) -> None:
        """
        A connection that ends without the whole message was for nothing.
        """
        protocol = self.connect()
        (descriptor,) = self.descriptors()
        protocol.fileDescriptorReceived(descriptor)
        protocol.dataReceived(b"uwsgi")
        protocol.connectionLost(_failure())
        self.assertClosed(descriptor)
        self.assertRetries()

    def test_silence(self) -> None:
        """
        One who says nothing is left after a while.
        """
        self.connect()
        self.reactor.advance(PATIENCE)
        self.assertTrue(self.transport.disconnecting)
        self.assertRetries()

    def test_stop(self) -> None:
        """
        A program that ends asks no more, wherever it was.
        """
        protocol = self.connect()
        (descriptor,) = self.descriptors()
        protocol.fileDescriptorReceived(descriptor)
        self.client.stop()
        self.assertClosed(descriptor)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.attempts(), 1)

    def test_stop_between(self) -> None:
        """
        Also between two attempts.
        """
        _, factory, *_ = self.reactor.unixClients[-1]
        factory.clientConnectionFailed(None, _failure())
        self.client.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])


def _failure() -> Any:
    return Failure(ConnectError(osError=2))
