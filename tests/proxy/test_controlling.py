"""
Tests for L{emperor.proxy.controlling}.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.controlling import ControlFactory, ControlLink
from emperor.wire.control import REPORT_LIMIT, Cut, Drain, Message, Ready, encode


class Wire(StringTransport):
    """
    A transport that notes an abort.
    """

    def abortConnection(self) -> None:
        self.disconnecting = True


class LinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.heard: list[Message] = []
        self.lost: list[bool] = []
        self.relieved: list[bool] = []
        self.link = ControlLink(
            REPORT_LIMIT,
            self.heard.append,
            lambda: self.lost.append(True),
            lambda: self.relieved.append(True),
        )
        self.wire = Wire()
        self.assertIs(self.link, ControlFactory(self.link).buildProtocol(None))

    def connect(self) -> None:
        self.link.makeConnection(self.wire)

    def test_both_ways(self) -> None:
        """
        Messages go out and come in.
        """
        self.connect()
        self.link.tell(Drain())
        self.assertEqual(encode(Drain()), self.wire.value())
        self.link.dataReceived(encode(Cut()) + encode(Ready()))
        self.assertEqual([Cut(), Ready()], self.heard)

    def test_nobody_there(self) -> None:
        """
        Before and after the connection nothing is sent.
        """
        self.link.tell(Drain())
        self.link.hang_up()
        self.connect()
        self.link.connectionLost(Failure(ConnectionDone()))
        self.assertEqual([True], self.lost)
        self.link.tell(Drain())
        self.link.hang_up()
        self.assertEqual(b"", self.wire.value())
        self.assertFalse(self.wire.disconnecting)

    def test_room(self) -> None:
        """
        Whoever sends knows whether the far end takes it.
        """
        self.connect()
        producer = self.wire.producer
        assert producer is not None
        producer.pauseProducing()
        self.assertFalse(self.link.room)
        producer.resumeProducing()
        self.assertTrue(self.link.room)
        self.assertEqual([True], self.relieved)
        producer.stopProducing()

    def test_hang_up(self) -> None:
        """
        Hanging up waits for nobody's room.
        """
        self.connect()
        self.link.hang_up()
        self.assertTrue(self.wire.disconnecting)
        self.assertIsNone(self.wire.producer)

    def test_misunderstanding(self) -> None:
        """
        One that says what is no message is cut off, and the log has why.
        """
        self.connect()
        with capturedLogs() as logs:
            self.link.dataReceived(encode(Ready()) + b"\0\0\0\2{]")
        self.assertEqual([Ready()], self.heard)
        self.assertTrue(self.wire.disconnecting)
        self.assertIn("do not fit", formatEvent(logs[0]))
