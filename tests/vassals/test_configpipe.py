"""
Tests for L{emperor.vassals.configpipe}.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.configpipe import INTERVAL, ConfigPipe, OfFile
from emperor.wire.vassal import BadConfiguration, build_configuration

FIRST, SECOND = build_configuration(b"first"), build_configuration(b"second")


class ConfigPipeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1)
        self.pipe = ConfigPipe(self.clock, b"first")
        self.transport = StringTransport()
        self.pipe.makeConnection(self.transport)

    def sent(self) -> bytes:
        self.clock.advance(INTERVAL)
        sent: bytes = self.transport.value()
        self.transport.clear()
        return sent

    def test_start(self) -> None:
        """
        It is sent at once, and what the vassal writes is not read.
        """
        self.assertEqual(FIRST, self.sent())
        self.assertEqual("paused", self.transport.producerState)

    def test_change(self) -> None:
        """
        A change is sent when the vassal asks for it, and not before.
        """
        self.sent()
        self.pipe.change(b"second")
        self.assertEqual(b"", self.sent())
        self.pipe.push()
        self.assertEqual(SECOND, self.sent())
        self.pipe.push()
        self.assertEqual(SECOND, self.sent())

    def test_full(self) -> None:
        """
        While the vassal does not read, what it asks for is kept once: what is true
        when there is room.
        """
        self.sent()
        self.pipe.pauseProducing()
        self.pipe.push()
        self.pipe.change(b"second")
        self.pipe.push()
        self.assertEqual(b"", self.sent())
        self.pipe.resumeProducing()
        self.assertEqual(SECOND, self.sent())
        self.pipe.pauseProducing()
        self.pipe.resumeProducing()
        self.assertEqual(b"", self.sent())

    def test_insatiable(self) -> None:
        """
        A vassal that asks without end gets it a few times in a second.
        """
        self.pipe.push()
        self.pipe.push()
        self.assertEqual(FIRST, self.transport.value())
        for _ in range(100):
            self.pipe.push()
            self.clock.advance(INTERVAL / 10)
        self.assertLessEqual(len(self.sent()), 12 * len(FIRST))
        self.sent()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_end_while_waiting(self) -> None:
        """
        At the end nothing waits any more.
        """
        self.pipe.push()
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.pipe.close()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_close(self) -> None:
        """
        At the end what is not sent is thrown away, for nobody may ever read it.
        """
        self.sent()
        self.pipe.close()
        self.assertTrue(self.transport.disconnected or self.transport.disconnecting)
        self.pipe.push()
        self.pipe.close()
        self.assertEqual(b"", self.sent())

    def test_hung_up(self) -> None:
        """
        A vassal that has closed its end gets nothing more.
        """
        self.sent()
        self.pipe.stopProducing()
        self.pipe.connectionLost(Failure(ConnectionDone()))
        self.pipe.push()
        self.pipe.close()
        self.assertEqual(b"", self.sent())

    def test_never_connected(self) -> None:
        """
        One that was not even started can be closed.
        """
        ConfigPipe(Clock(), b"x").close()

    def test_bad(self) -> None:
        """
        What cannot be sent is refused before.
        """
        self.assertRaises(BadConfiguration, ConfigPipe, Clock(), b"x" * 65536)
        self.assertRaises(BadConfiguration, self.pipe.change, None)

    def test_file(self) -> None:
        """
        A vassal with a file needs nothing of all this.
        """
        of_file = OfFile()
        of_file.change(None)
        of_file.push()
        of_file.close()
