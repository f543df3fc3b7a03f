"""
Tests for L{emperor.vassals.link}.
"""

from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.link import Link
from emperor.wire.vassal import Order, Said


class LinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.heard: list[Said | None] = []
        self.link = Link(self.heard.append, lambda: self.heard.append(None))
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
