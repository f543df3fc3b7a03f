"""
Tests for L{emperor.vassals.asking}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.asking import OUTPUT_LIMIT, TIME_LIMIT, NoAnswer, ask


class _Transport:
    """
    A process that notes what is done to it.
    """

    def __init__(self) -> None:
        self.signals: list[str] = []
        self.gone = self.lost = False

    def signalProcess(self, name: str) -> None:
        if self.gone:
            raise error.ProcessExitedAlready()
        self.signals.append(name)

    def loseConnection(self) -> None:
        self.lost = True


class _Reactor(Clock):
    """
    Starts one command.
    """

    fault: OSError | None = None

    def spawnProcess(
        self, protocol: ProcessProtocol, executable: str, args: list[bytes], env: None, path: str
    ) -> None:
        if self.fault:
            raise self.fault
        self.protocol = protocol
        self.words, self.path = list(args), path
        self.transport = _Transport()
        protocol.makeConnection(self.transport)


class AskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = _Reactor()

    def ask(self) -> Deferred[bytes]:
        return ask(self.reactor, "locate -s", "a'; rm -r /.ini", "/v")

    def end(self, reason: Exception) -> None:
        self.reactor.protocol.processEnded(Failure(reason))

    def test_answer(self) -> None:
        """
        What the command prints is the answer; the name is a word of its own and
        never read by the shell.
        """
        asking = self.ask()
        self.assertEqual(
            [b"/bin/sh", b"-c", b'locate -s "$1"', b"sh", b"a'; rm -r /.ini"], self.reactor.words
        )
        self.assertEqual("/v", self.reactor.path)
        for part in (b"/run/", b"a\n"):
            self.reactor.protocol.outReceived(part)
        self.assertNoResult(asking)
        self.end(error.ProcessDone(0))
        self.assertEqual(b"/run/a\n", self.successResultOf(asking))
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_much(self) -> None:
        """
        Of a command that prints without end only the beginning is kept.
        """
        asking = self.ask()
        for _ in range(9):
            self.reactor.protocol.outReceived(b"x" * OUTPUT_LIMIT)
        self.end(error.ProcessDone(0))
        self.assertEqual(OUTPUT_LIMIT, len(self.successResultOf(asking)))

    def test_failure(self) -> None:
        """
        A command that fails has no answer.
        """
        asking = self.ask()
        self.end(error.ProcessTerminated(3))
        self.assertIn("3", str(self.failureResultOf(asking, NoAnswer).value))

    def test_late(self) -> None:
        """
        One that takes too long is killed, and what it started is not waited for.
        """
        asking = self.ask()
        self.reactor.advance(TIME_LIMIT)
        self.assertEqual((["KILL"], True), (self.transport.signals, self.transport.lost))
        self.assertNoResult(asking)
        self.end(error.ProcessTerminated(None, 9))
        self.assertIn("10 s", str(self.failureResultOf(asking, NoAnswer).value))

    def test_cancelled(self) -> None:
        """
        Who is not needed any more is killed; its end is no news.
        """
        asking = self.ask()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual(["KILL"], self.transport.signals)
        self.end(error.ProcessTerminated(None, 9))
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_gone(self) -> None:
        """
        One that has just left need not be killed.
        """
        asking = self.ask()
        self.transport.gone = True
        self.reactor.advance(TIME_LIMIT)
        self.end(error.ProcessDone(0))
        self.assertEqual(b"", self.successResultOf(asking))

    def test_no_process(self) -> None:
        """
        Where no process can be started there is no answer either.
        """
        self.reactor.fault = OSError(11, "no room")
        self.assertIn("no room", str(self.failureResultOf(self.ask(), NoAnswer).value))

    @property
    def transport(self) -> _Transport:
        found: _Transport = self.reactor.transport
        return found
