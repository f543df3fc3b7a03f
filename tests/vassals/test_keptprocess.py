"""
Tests for L{emperor.vassals.keptprocess}.
"""

import os
import signal
from typing import Any

from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.keptprocess import KeptProcess


class ReadingClock(Clock):
    """
    A clock that reads descriptors when it is told to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        if reader not in self.readers:
            self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        if reader in self.readers:
            self.readers.remove(reader)

    def removeWriter(self, writer: Any) -> None:
        pass

    def read(self) -> None:
        """
        Read all that there is.
        """
        for reader in list(self.readers):
            ending = reader.doRead()
            if ending is not None:
                self.removeReader(reader)
                reader.connectionLost(Failure(ending))


class Recorder(ProcessProtocol):
    """
    Writes down what it hears.
    """

    def __init__(self) -> None:
        self.heard: list[object] = []

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.heard.append((childFD, data))

    def childConnectionLost(self, childFD: int) -> None:
        self.heard.append(childFD)

    def processExited(self, reason: Failure) -> None:
        self.heard.append("exited")

    def processEnded(self, reason: Failure) -> None:
        self.heard.append("ended")


class KeptProcessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ReadingClock()
        self.protocol = Recorder()
        self.signals: list[int] = []
        self.ends: dict[int, int] = {}
        outputs = {}
        for name in (1, 2):
            outputs[name], self.ends[name] = os.pipe()
        self.process = KeptProcess(self.reactor, self.protocol, 7, outputs, self.signals.append)
        self.addCleanup(self.shut)

    def shut(self) -> None:
        while self.ends:
            os.close(self.ends.popitem()[1])
        self.reactor.read()

    def leave(self) -> None:
        self.process.left(Failure(ProcessDone(0)))

    def test_life(self) -> None:
        """
        It has ended when the first process has left, nothing of it is left,
        and its output is read; each is told once.
        """
        self.assertEqual(7, self.process.pid)
        os.write(self.ends[2], b"hello")
        self.reactor.read()
        self.leave()
        self.process.over()
        self.assertEqual([(2, b"hello"), "exited"], self.protocol.heard)
        self.shut()
        self.assertEqual([1, 2, "ended"], self.protocol.heard[2:])

    def test_output_ends_first(self) -> None:
        """
        A program may close its output and run on.
        """
        self.shut()
        self.leave()
        self.assertEqual([1, 2, "exited"], self.protocol.heard)
        self.process.over()
        self.assertEqual("ended", self.protocol.heard[-1])

    def test_signals(self) -> None:
        """
        Signals go by name or number, and to nobody when it has left.
        """
        self.process.signalProcess("TERM")
        self.process.signalProcess(9)
        self.leave()
        self.assertRaises(ProcessExitedAlready, self.process.signalProcess, "TERM")
        self.assertEqual([signal.SIGTERM, signal.SIGKILL], self.signals)

    def test_pause(self) -> None:
        """
        Its output can be left unread for a while, and for good.
        """
        self.process.pauseProducing()
        self.assertEqual([], self.reactor.readers)
        self.process.resumeProducing()
        self.assertEqual(2, len(self.reactor.readers))
        self.leave()
        self.process.over()
        self.process.loseConnection()
        self.reactor.advance(0)
        self.assertEqual(["exited", 1, 2, "ended"], self.protocol.heard)
