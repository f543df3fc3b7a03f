"""
Tests for L{emperor.vassals.pipes}.
"""

from __future__ import annotations

import os
import socket
from array import array
from typing import Any, cast

from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.pipes import adopt


class Recorder(Protocol):
    """
    Writes down what happens.
    """

    def __init__(self) -> None:
        self.received = b""
        self.ends = 0

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ends += 1


class PipeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(self.theirs.close)
        self.protocol = Recorder()
        with ours:
            adopt(self.reactor, ours, self.protocol)
        self.transport = cast(Any, self.protocol.transport)
        self.addCleanup(self.transport.connectionLost, Failure(RuntimeError()))

    def test_dialogue(self) -> None:
        """
        Bytes go both ways, and the end is noticed.
        """
        self.assertEqual({self.transport}, self.reactor.readers)
        self.theirs.send(b"\x05")
        self.assertIsNone(self.transport.doRead())
        self.assertIsNone(self.transport.doRead())
        self.assertEqual(b"\x05", self.protocol.received)
        self.transport.write(b"\x01")
        self.transport.doWrite()
        self.assertEqual(b"\x01", self.theirs.recv(10))
        self.theirs.shutdown(socket.SHUT_WR)
        self.assertIsNotNone(self.transport.doRead())

    def test_producer(self) -> None:
        """
        It can be told to wait, and tells when it is full.
        """
        self.assertTrue(IPushProducer.providedBy(self.transport))
        self.assertTrue(IConsumer.providedBy(self.transport))
        self.transport.pauseProducing()
        self.assertEqual(set(), set(self.reactor.readers))
        self.transport.resumeProducing()
        self.assertEqual({self.transport}, set(self.reactor.readers))

    def test_descriptors(self) -> None:
        """
        Descriptors that a vassal sends are not taken, and nothing is said of them; the
        other bytes are heard.
        """
        before = set(os.listdir("/proc/self/fd"))
        rights = array("i", [self.theirs.fileno()] * 20)
        with capturedLogs() as events:
            for _ in range(5):
                self.theirs.sendmsg([b"\x11"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
                self.transport.doRead()
        self.assertEqual((5 * b"\x11", []), (self.protocol.received, events))
        self.assertEqual(before, set(os.listdir("/proc/self/fd")))
        # The last copies are gone: our end hears that the other one was closed.
        self.theirs.close()
        self.assertIsNotNone(self.transport.doRead())

    def test_abort(self) -> None:
        """
        It can be closed at once.
        """
        self.transport.abortConnection()
        self.reactor.advance(0)
        self.assertEqual(1, self.protocol.ends)
        self.assertEqual(b"", self.theirs.recv(1))
