"""
Tests for L{emperor.vassals.link}.
"""

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.link import BUDGET, Link
from emperor.wire.vassal import Order, Said


class LinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.heard: list[Said | None] = []
        self.clock = Clock()
        self.link = Link(self.clock, self.heard.append, lambda: self.heard.append(None))
        self.transport = StringTransport()

    def connect(self) -> None:
        make_connection: Any = self.link.makeConnection  # Twisted has not typed it.
        make_connection(self.transport)

    def test_dialogue(self) -> None:
        """
        What the vassal says is heard in order; orders are single bytes.
        """
        self.connect()
        self.link.dataReceived(b"\x01\x05")
        self.assertTrue(self.link.tell(Order.RELOAD))
        self.assertEqual([Said.READY, Said.ACCEPTING], self.heard)
        self.assertEqual(b"\x01", self.transport.value())

    def test_flood(self) -> None:
        """
        A vassal that talks without end is heard, each word once, and then not
        read until the second is over, or until it has left.
        """
        self.connect()
        self.link.dataReceived(b"\x05" * (BUDGET + 1))
        self.assertEqual([Said.ACCEPTING], self.heard)
        self.assertEqual("paused", self.transport.producerState)
        self.clock.advance(1)
        self.assertEqual("producing", self.transport.producerState)
        self.link.dataReceived(b"\x05" * (BUDGET + 1))
        self.link.read_to_the_end()
        self.assertEqual("producing", self.transport.producerState)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_end_of_a_flood(self) -> None:
        """
        A pipe that is over leaves no timer behind.
        """
        self.connect()
        self.link.dataReceived(b"\x05")
        self.link.connectionLost()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_end(self) -> None:
        """
        When nobody holds the other end that is told, and orders reach nobody.
        """
        self.connect()
        self.link.connectionLost()
        self.assertEqual([None], self.heard)
        self.assertFalse(self.link.tell(Order.STOP))
        self.assertEqual(b"", self.transport.value())

    def test_close(self) -> None:
        """
        A pipe without a vassal is closed; one that never was is none.
        """
        self.link.close()
        self.connect()
        self.link.close()
        self.assertTrue(self.transport.disconnecting)
