"""
Tests for L{emperor.superior.pipe}.
"""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.superior.pipe import Pipe
from emperor.wire.vassal import Order, Said
from tests.superior.descriptors import Descriptors


class PipeTests(SynchronousTestCase):
    """
    What goes over the pipe.
    """

    def setUp(self) -> None:
        self.emperor, ours = socket.socketpair()
        self.addCleanup(self.emperor.close)
        self.addCleanup(ours.close)
        self.heard: list[object] = []
        self.reactor = Descriptors()
        self.pipe = Pipe(
            self.reactor,  # type: ignore[arg-type]
            ours,
            self.heard.append,
            lambda: self.heard.append("lost"),
        )

    def test_interface(self) -> None:
        """
        A reactor can watch it.
        """
        verifyObject(IReadDescriptor, self.pipe)
        self.assertEqual(self.reactor.readers, [self.pipe])

    def test_orders(self) -> None:
        """
        Each order is heard, unknown bytes are not.
        """
        self.emperor.send(b"\1\x07")
        self.reactor.read()
        self.emperor.send(b"\2")
        self.reactor.read()
        self.assertEqual(self.heard, [Order.RELOAD, Order.STOP_GENTLY])

    def test_nothing_there(self) -> None:
        """
        To be woken for nothing does not block.
        """
        self.reactor.read()
        self.assertEqual(self.heard, [])

    def test_end(self) -> None:
        """
        When the other end is closed it is told once, and watched no more.
        """
        self.emperor.close()
        self.reactor.read()
        self.reactor.read()
        self.assertEqual(self.heard, ["lost"])
        self.assertEqual(self.reactor.readers, [])

    def test_reset(self) -> None:
        """
        Words that were not read make no difference to that.
        """
        self.pipe.say(Said.READY)
        self.emperor.close()
        self.reactor.read()
        self.assertEqual(self.heard, ["lost"])

    def test_words(self) -> None:
        """
        What is said arrives.
        """
        self.pipe.say(Said.READY, Said.ACCEPTING)
        self.assertEqual(self.emperor.recv(9), b"\1\5")

    def test_words_to_nobody(self) -> None:
        """
        One who does not read, or has gone, misses it, and costs nothing.
        """
        for _ in range(100_000):
            self.pipe.say(Said.ALIVE)
        self.emperor.close()
        self.pipe.say(Said.ALIVE)

    def test_reactor_ends(self) -> None:
        """
        The pipe stays open for who comes after us.
        """
        self.pipe.connectionLost(Failure(CONNECTION_LOST))
        self.pipe.say(Said.READY)
        self.assertEqual(self.emperor.recv(9), b"\1")
