"""
Tests for L{emperor.program}.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from types import FrameType

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from emperor.program import GARBAGE_THRESHOLD, Program, Signals, calm_garbage_collector


class Slow(Service):
    """
    A service that stops when the test says so.
    """

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name = name
        self.journal = journal
        self.stopped: Deferred[None] = Deferred()

    def startService(self) -> None:
        Service.startService(self)
        self.journal.append(f"{self.name} starts")

    def stopService(self) -> Deferred[None]:
        self.journal.append(f"{self.name} stops")
        return self.stopped


class ProgramTests(SynchronousTestCase):
    """
    The order in which the services start and stop.
    """

    def setUp(self) -> None:
        self.journal: list[str] = []
        self.program = Program()
        self.vassals = Slow("vassals", self.journal)
        self.routers = Slow("routers", self.journal)
        for service in (self.vassals, self.routers):
            service.setServiceParent(self.program)
        self.program.startService()

    def test_they_start_in_order(self) -> None:
        """
        Vassals are started before requests are taken.
        """
        self.assertEqual(self.journal, ["vassals starts", "routers starts"])

    def test_vassals_stop_when_the_routers_have(self) -> None:
        """
        The last requests still find their vassals.
        """
        del self.journal[:]
        stopping = ensureDeferred(self.program.stopService())
        self.assertEqual(self.journal, ["routers stops"])
        self.routers.stopped.callback(None)
        self.assertEqual(self.journal, ["routers stops", "vassals stops"])
        self.assertNoResult(stopping)
        self.vassals.stopped.callback(None)
        self.successResultOf(stopping)

    def test_a_service_that_breaks_does_not_keep_the_others(self) -> None:
        """
        The vassals are stopped even if a router could not be.
        """
        stopping = ensureDeferred(self.program.stopService())
        self.routers.stopped.errback(ZeroDivisionError())
        self.vassals.stopped.callback(None)
        self.successResultOf(stopping)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class GarbageTests(SynchronousTestCase):
    """
    The garbage collector of a program that serves.
    """

    def test_calm(self) -> None:
        """
        What is there at the start is not looked at again, the rest seldom.
        """
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(gc.unfreeze)
        calm_garbage_collector()
        self.assertGreater(gc.get_freeze_count(), 0)
        self.assertEqual(gc.get_threshold()[0], GARBAGE_THRESHOLD)


class FakeReactor:
    """
    Runs at once what is to run when the reactor runs.
    """

    def __init__(self) -> None:
        self.stops = 0

    def callWhenRunning(self, call: Callable[[], object]) -> None:
        call()

    def callFromThread(self, call: Callable[[], object]) -> None:
        call()

    def stop(self) -> None:
        self.stops += 1


class SignalsTests(SynchronousTestCase):
    """
    What signals do.
    """

    def setUp(self) -> None:
        self.handlers: dict[int, Callable[[int, FrameType | None], None]] = {}
        self.patch(signal, "signal", self.handlers.__setitem__)
        self.calls: list[str] = []
        self.reactor = FakeReactor()
        self.signals = Signals(
            self.reactor,  # type: ignore[arg-type]
            {signal.SIGHUP: lambda: self.calls.append("reload")},
            lambda: self.calls.append("hurry"),
        )
        self.signals.startService()

    def receive(self, number: int) -> None:
        self.handlers[number](number, None)

    def test_term_int_and_quit_stop_the_program(self) -> None:
        """
        An init system and a person at a terminal end it in the same way.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            self.setUp()
            self.receive(number)
            self.assertEqual((self.reactor.stops, self.calls), (1, []))

    def test_the_second_time_requests_are_cut(self) -> None:
        """
        Who asks twice does not want to wait; the reactor is stopped only once.
        """
        self.receive(signal.SIGINT)
        self.receive(signal.SIGTERM)
        self.assertEqual((self.reactor.stops, self.calls), (1, ["hurry"]))

    def test_who_is_about_to_come_back(self) -> None:
        """
        A program that ends to start again, and is asked to stop, ends for good; who
        asks once more does not want to wait.
        """
        returning = [True]
        self.signals.abandon = lambda: bool(returning) and returning.pop()
        self.signals.leave()
        self.receive(signal.SIGTERM)
        self.assertEqual((self.reactor.stops, self.calls), (1, []))
        self.receive(signal.SIGTERM)
        self.assertEqual((self.reactor.stops, self.calls), (1, ["hurry"]))

    def test_other_signals_have_their_action(self) -> None:
        """
        SIGHUP reloads and does not end the program.
        """
        self.receive(signal.SIGHUP)
        self.assertEqual((self.reactor.stops, self.calls), (0, ["reload"]))
