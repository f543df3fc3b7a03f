"""
The fakes keep to the interfaces, and to what Twisted's transports do.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import parse_address
from emperor.interfaces import INodeDialer, IStream, IVassalDirectory
from emperor.proxy.relay import ReadSide
from emperor.testing.proxy import FakeDialer, FakeStream, FakeVassals


class FakesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.stream = FakeStream(Protocol(), self.clock)

    def test_interfaces(self) -> None:
        """
        The fakes provide what they stand for.
        """
        verifyObject(IStream, self.stream)
        verifyObject(INodeDialer, FakeDialer(self.clock))
        verifyObject(IVassalDirectory, FakeVassals())

    def test_close_waits(self) -> None:
        """
        To close waits for a far side that takes nothing; to abort does not.
        """
        self.stream.fill()
        self.stream.loseConnection()
        self.clock.advance(0)
        self.assertIsNone(self.stream.lost)
        self.stream.drain()
        self.assertIsNotNone(self.stream.lost)
        other = FakeStream(Protocol(), self.clock)
        other.fill()
        other.abortConnection()
        self.clock.advance(0)
        self.assertIsNotNone(other.lost)

    def test_producer(self) -> None:
        """
        A second producer is an error, and one for a dead stream is stopped.
        """
        side = ReadSide(FakeStream(Protocol(), self.clock))
        verifyObject(IPushProducer, side)
        self.stream.registerProducer(side, True)
        self.assertRaises(RuntimeError, self.stream.registerProducer, side, True)
        self.stream.fill()
        self.assertTrue(side.is_stopped_by_receiver)
        self.stream.lose()
        self.assertFalse(side.is_stopped_by_receiver)
        side.pauseProducing()
        self.stream.registerProducer(side, True)
        self.assertFalse(side.is_stopped_by_receiver)

    def test_not_reading(self) -> None:
        """
        A test that sends to a protocol that does not read is wrong.
        """
        self.stream.pauseProducing()
        self.assertRaises(AssertionError, self.stream.send, b"")
        self.assertRaises(AssertionError, self.stream.send_end)

    def test_dialer(self) -> None:
        """
        A dialer remembers what was asked, and may fail by itself, but not
        before it returns and not when it was told to give up.
        """
        dialer = FakeDialer(self.clock)
        dialer.soon = ZeroDivisionError()
        address = parse_address("127.0.0.1:1")
        failures: list[Failure] = []
        dialer.dial(address, Protocol(), failures.append, 3)
        dialer.dial(address, Protocol(), failures.append, 3)()
        self.assertEqual(failures, [])
        self.clock.advance(0)
        self.assertEqual([failure.type for failure in failures], [ZeroDivisionError])
        self.assertEqual((dialer.dials[0].address, dialer.dials[0].timeout), (address, 3))
