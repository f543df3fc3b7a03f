"""
Flow control between two connections.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.proxy.relay import ReadSide
from emperor.testing.proxy import FakeStream


class ReadSideTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = FakeStream(Protocol(), Clock())
        self.side = ReadSide(self.stream)

    def test_interface(self) -> None:
        """
        It is a producer for the other connection.
        """
        verifyObject(IPushProducer, self.side)

    def test_two_reasons(self) -> None:
        """
        Reading goes on when neither reason to stop is left, in any order.
        """
        for first, second in (
            (self.side.release, self.side.resumeProducing),
            (self.side.resumeProducing, self.side.release),
        ):
            self.side.hold()
            self.assertFalse(self.stream.reading)
            self.side.pauseProducing()
            first()
            self.assertFalse(self.stream.reading)
            second()
            self.assertTrue(self.stream.reading)

    def test_receiver(self) -> None:
        """
        It is known that the receiver is the reason.
        """
        self.side.hold()
        self.assertFalse(self.side.is_stopped_by_receiver)
        self.side.pauseProducing()
        self.assertFalse(self.stream.reading)
        self.assertTrue(self.side.is_stopped_by_receiver)
        self.side.resumeProducing()
        self.assertFalse(self.side.is_stopped_by_receiver)

    def test_receiver_gone(self) -> None:
        """
        A receiver that is gone is no reason any more, and the connection is
        not closed with it.
        """
        self.side.pauseProducing()
        self.side.stopProducing()
        self.assertFalse(self.side.is_stopped_by_receiver)
        self.side.release()
        self.assertTrue(self.stream.reading)
        self.assertIsNone(self.stream.lost)

    def test_ended(self) -> None:
        """
        Nothing reads on behind the end.
        """
        self.side.hold()
        self.side.pauseProducing()
        self.side.end()
        self.side.release()
        self.side.resumeProducing()
        self.assertFalse(self.stream.reading)
