"""
Tests for L{emperor.announcing.companion}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing.companion import Companion
from emperor.announcing.servers import parse_server
from emperor.announcing.service import Announcer
from tests.announcing.fakes import FakeReactor
from tests.wire.announcements import announcement

NODE = "192.0.2.1:3031"


class FakeProgram(MemoryReactorClock):
    """
    A reactor that starts programs, and such a program.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.protocol: ProcessProtocol | None = None
        self.signals: list[str] = []
        self.stops: list[Callable[[], Deferred[None]]] = []

    def spawnProcess(self, protocol: ProcessProtocol, *arguments: Any, **details: Any) -> Any:
        self.arguments, self.details = arguments, details
        self.protocol = protocol
        return self

    def signalProcess(self, name: str) -> None:
        if self.protocol is None:
            raise ProcessExitedAlready
        self.signals.append(name)

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Any, *args: Any, **kw: Any
    ) -> None:
        assert (phase, eventType) == ("before", "shutdown")
        self.stops.append(lambda: callable(*args))

    def accept(self) -> None:
        protocol = self.tcpClients[-1][2].buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(StringTransport())

    def end(self, reason: BaseException) -> None:
        protocol, self.protocol = self.protocol, None
        assert protocol is not None
        protocol.processEnded(Failure(reason))


class CompanionTests(SynchronousTestCase):
    """
    A program and its place in a pool.
    """

    def setUp(self) -> None:
        self.network = FakeReactor()
        self.system = FakeProgram()
        announcer = Announcer(self.network, [parse_server("/run/s")], [announcement()])
        self.running = ensureDeferred(
            Companion(self.system, announcer).run(("app", "--port", "3031"), NODE)
        )

    def heard(self) -> list[bool]:
        """
        What the server heard: whether the node leaves.
        """
        return [datagram.announcement.leaving for _, datagram in self.network.take()]

    def test_life(self) -> None:
        """
        It is announced when it accepts, and not before; when it has ended, the
        node leaves, and its status is passed on.
        """
        self.assertEqual(self.system.arguments[:2], ("app", ("app", "--port", "3031")))
        self.assertEqual(self.heard(), [])
        self.system.accept()
        self.assertEqual(self.heard(), [False])
        self.assertNoResult(self.running)
        self.system.end(ProcessTerminated(exitCode=3))
        self.assertEqual(self.heard(), [True])
        self.assertEqual(self.successResultOf(self.running), 3)

    def test_killed(self) -> None:
        """
        The status is as a shell has it.
        """
        self.system.accept()
        self.system.end(ProcessTerminated(signal=9))
        self.assertEqual(self.successResultOf(self.running), 137)

    def test_never_accepted(self) -> None:
        """
        A program that ends before it accepts was never there.
        """
        self.system.end(ProcessDone(0))
        self.assertEqual(self.successResultOf(self.running), 0)
        self.assertEqual(self.heard(), [])

    def test_asked_to_stop(self) -> None:
        """
        The node leaves, then the program is asked to end, then all is over with
        status 0.
        """
        self.system.accept()
        self.heard()
        (stop,) = self.system.stops
        stopped = stop()
        self.assertEqual((self.heard(), self.system.signals), ([True], ["TERM"]))
        self.assertNoResult(stopped)
        self.system.end(ProcessTerminated(signal=15))
        self.successResultOf(stopped)
        self.assertEqual(self.successResultOf(self.running), 0)
        self.assertEqual(self.heard(), [])

    def test_asked_to_stop_early(self) -> None:
        """
        A node that accepts only then is not announced any more.
        """
        (stop,) = self.system.stops
        stop()
        self.system.accept()
        self.assertEqual((self.heard(), self.system.signals), ([], ["TERM"]))
        self.system.end(ProcessDone(0))
        self.assertEqual(self.successResultOf(self.running), 0)

    def test_asked_to_stop_late(self) -> None:
        """
        A program that has ended cannot be asked.
        """
        self.system.end(ProcessDone(0))
        (stop,) = self.system.stops
        self.successResultOf(stop())
