"""
Tests for L{emperor.vassals.succession}.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.doorways import Doorway
from emperor.config.settings import EmperorSettings
from emperor.testing.vassals import MemoryDoor, MemoryProcess, MemorySpawner, make_spec
from emperor.vassals.backoff import STABLE, BackOff
from emperor.vassals.commandline import Program
from emperor.vassals.core import Court
from emperor.vassals.doors import Blank, Unclear
from emperor.vassals.launcher import Launcher
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.status import Phase, VassalStatus
from emperor.vassals.succession import Succession
from emperor.vassals.turns import StartQueue
from emperor.vassals.vassal import heard_by_machine
from emperor.wire.vassal import Said

TOLERANCE = 30
PATIENCE = 300

HELD = Doorway(TcpAddress("", 9000))
DEMAND = Doorway(TcpAddress("", 9000), on_demand=True)
ELSEWHERE = Doorway(TcpAddress("", 9001))

Found = Doorway | Deferred[Doorway | None] | None


class World:
    """
    One vassal in a world of memory.
    """

    def __init__(self, doorway: Found = HELD) -> None:
        self.reactor = MemorySpawner()
        self.history: list[VassalStatus] = []
        self.doorway = doorway
        self.doors: list[MemoryDoor] = []
        self.fault = self.unclear = ""
        launcher = Launcher(
            self.reactor,
            EmperorSettings(),
            {},
            self.reactor,
            find=lambda binary: Program("/usr/bin/uwsgi"),
        )
        court = Court(
            clock=self.reactor,
            turns=StartQueue(self.reactor),
            launch=heard_by_machine(launcher.launch),
            backoff=BackOff(1, 180, lambda: 0),
            tolerance=TOLERANCE,
            observe=self.history.append,
            patience=PATIENCE,
        )
        self.vassal = Succession(make_spec(), court, self.find, self.open)

    def find(self, spec: VassalSpec) -> Found:
        """
        What its file says.
        """
        if self.unclear:
            raise Unclear(self.unclear)
        return self.doorway

    def open(self, id: VassalId, doorway: Doorway) -> MemoryDoor:
        """
        Listen.
        """
        self.doors.append(MemoryDoor(doorway, self.fault))
        return self.doors[-1]

    @property
    def status(self) -> VassalStatus:
        """
        How it is.
        """
        return self.vassal.status

    @property
    def alive(self) -> list[MemoryProcess]:
        """
        Its processes.
        """
        return [process for process in self.reactor.processes if not process.gone]

    def want(self, fingerprint: object = 1) -> None:
        """
        Want it, and let it have its turn.
        """
        self.vassal.wanted(make_spec(fingerprint=fingerprint))
        self.reactor.advance(0)

    def serve(self, seconds: float = STABLE) -> MemoryProcess:
        """
        Let it accept for a while.
        """
        self.want()
        if not self.alive:
            self.doors[-1].knock()
            self.reactor.advance(0)
        process = self.reactor.last
        process.says(Said.READY, Said.ACCEPTING, Said.LOYAL)
        self.reactor.advance(seconds)
        return process

    def renew(self) -> MemoryProcess:
        """
        Change its file.

        @return: the next generation.
        """
        self.want(object())
        return self.reactor.last


class RenewalTests(SynchronousTestCase):
    """
    Two generations on one socket.
    """

    def setUp(self) -> None:
        self.world = World()
        self.old = self.world.serve()

    def check(self, phase: Phase, *alive: MemoryProcess) -> None:
        """
        The vassal is in this phase and has these processes.
        """
        self.assertEqual((phase, [*alive]), (self.world.status.phase, self.world.alive))

    def test_good(self) -> None:
        """
        The next generation comes up beside the current one, which is asked to
        leave when it accepts, and answers its requests first.
        """
        new = self.world.renew()
        self.check(Phase.RENEWING, self.old, new)
        self.assertEqual((self.old.pid, new.pid), self.pids())
        self.assertEqual([], self.old.orders)
        new.says(Said.READY)
        self.assertEqual([], self.old.orders)
        new.says(Said.ACCEPTING)
        self.check(Phase.ACCEPTING, self.old, new)
        self.assertEqual((new.pid, 0), self.pids())
        self.assertEqual([2], self.old.orders)
        self.old.ends()
        self.check(Phase.ACCEPTING, new)
        self.assertEqual([77, 77], [each.fds[0] for each in self.world.reactor.processes])
        status = self.world.status
        self.assertEqual((2, 1, 0), (status.starts, status.reloads, status.failed_reloads))
        self.assertFalse(self.world.doors[0].closed)

    def pids(self) -> tuple[int, int]:
        return self.world.status.pid, self.world.status.successor

    def test_what_is_seen(self) -> None:
        """
        Who follows the vassal sees a reload, and never a vassal that does not
        serve.
        """
        self.world.history.clear()
        self.world.renew().says(Said.READY, Said.ACCEPTING)
        self.old.ends()
        self.assertEqual(
            [Phase.RENEWING, Phase.RELOADING, Phase.ACCEPTING],
            [status.phase for status in self.world.history],
        )

    def test_dies(self) -> None:
        """
        If the next generation dies the current one serves on, and it is told why.
        """
        new = self.world.renew()
        new.prints(b"no module named app\n")
        new.ends(code=22)
        self.check(Phase.ACCEPTING, self.old)
        status = self.world.status
        self.assertEqual(
            "its reload failed: exit code 22; the generation before serves on", status.trouble
        )
        self.assertEqual(("no module named app",), status.said)
        self.assertEqual((2, 0, 1), (status.starts, status.reloads, status.failed_reloads))
        self.assertEqual([], self.old.orders)
        self.world.reactor.advance(1000)
        self.check(Phase.ACCEPTING, self.old)

    def test_broken_file(self) -> None:
        """
        A file of which nobody can tell whether it has a door takes none away: the
        next generation may try.
        """
        self.world.unclear = "there is nothing in it"
        self.world.doorway = None
        with capturedLogs() as events:
            new = self.world.renew()
        told = [formatEvent(event) for event in events]
        self.assertIn(
            "Vassal hello.ini: it is unclear where to listen for it: there is nothing in it", told
        )
        self.check(Phase.RENEWING, self.old, new)
        new.ends(code=1)
        self.check(Phase.ACCEPTING, self.old)
        self.assertFalse(self.world.doors[0].closed)

    def test_goes_into_exile(self) -> None:
        """
        So it is if it does not want to be started again.
        """
        self.world.renew().ends(code=26)
        self.check(Phase.ACCEPTING, self.old)
        self.assertEqual(1, self.world.status.failed_reloads)

    def test_cannot_be_started(self) -> None:
        """
        So it is if there is no room for it.
        """
        self.world.reactor.fault = OSError(11, "no room")
        self.world.renew()
        self.check(Phase.ACCEPTING, self.old)
        self.assertIn("no room", self.world.status.trouble)

    def test_takes_too_long(self) -> None:
        """
        So it is if it does not accept in time; then it is stopped.
        """
        new = self.world.renew()
        self.world.reactor.advance(PATIENCE)
        self.check(Phase.ACCEPTING, self.old, new)
        self.assertIn("its start is not over after 300 s", self.world.status.trouble)
        self.assertEqual([0], new.orders)
        self.world.reactor.advance(TOLERANCE)
        self.assertEqual(["TERM", "KILL"], new.signals)
        new.ends(signal=9)
        self.check(Phase.ACCEPTING, self.old)
        self.assertEqual(1, self.world.status.failed_reloads)

    def test_mended(self) -> None:
        """
        The next change tries again, and what was wrong is forgotten.
        """
        self.world.renew().ends(code=22)
        new = self.world.renew()
        new.says(Said.ACCEPTING)
        self.old.ends()
        self.check(Phase.ACCEPTING, new)
        status = self.world.status
        self.assertEqual(("", (), 1), (status.trouble, status.said, status.failed_reloads))

    def test_forgotten(self) -> None:
        """
        What was wrong is forgotten also when the current one dies and comes back.
        """
        self.world.renew().ends(code=22)
        self.old.ends(signal=9)
        self.world.reactor.pump([0, 0])
        self.assertNotEqual("", self.world.status.trouble)
        self.world.reactor.advance(1)
        self.world.reactor.last.says(Said.ACCEPTING)
        self.assertEqual("", self.world.status.trouble)

    def test_changed_again(self) -> None:
        """
        A file that changes once more makes another next generation; there is
        never a third one that comes up.
        """
        first = self.world.renew()
        first.says(Said.READY)
        second = self.world.renew()
        self.check(Phase.RENEWING, self.old, first, second)
        self.assertEqual([0], first.orders)
        first.says(Said.ACCEPTING)
        first.ends()
        second.says(Said.ACCEPTING)
        self.old.ends()
        self.check(Phase.ACCEPTING, second)

    def test_current_dies_meanwhile(self) -> None:
        """
        If the current one dies while the next one comes up, the next one takes
        over when it can.
        """
        new = self.world.renew()
        self.old.ends(signal=9)
        self.world.reactor.pump([0, 0])
        self.assertEqual(Phase.STARTING, self.world.status.phase)
        new.says(Said.ACCEPTING)
        self.assertEqual(Phase.ACCEPTING, self.world.status.phase)
        again = next(each for each in self.world.alive if each is not new)
        again.ends()
        self.check(Phase.ACCEPTING, new)

    def test_unwanted(self) -> None:
        """
        When nobody wants it both leave, and then it is gone, with its socket.
        """
        new = self.world.renew()
        self.world.vassal.unwanted()
        self.check(Phase.STOPPING, self.old, new)
        self.old.ends()
        self.assertFalse(self.world.doors[0].closed)
        self.assertNotEqual(Phase.GONE, self.world.status.phase)
        new.ends()
        self.check(Phase.GONE)
        self.assertTrue(self.world.doors[0].closed)

    def test_unwanted_after_a_renewal(self) -> None:
        """
        It is not gone before its old generations are.
        """
        new = self.world.renew()
        new.says(Said.ACCEPTING)
        self.world.vassal.unwanted()
        new.ends()
        self.assertNotEqual(Phase.GONE, self.world.history[-1].phase)
        self.old.ends()
        self.check(Phase.GONE)

    def test_wanted_again(self) -> None:
        """
        A file that comes back keeps the socket open.
        """
        self.world.vassal.unwanted()
        self.world.want(2)
        self.check(Phase.REPLACED, self.old)
        self.old.ends()
        self.world.reactor.advance(0)
        self.check(Phase.STARTING, self.world.reactor.last)
        self.assertEqual([False], [door.closed for door in self.world.doors])

    def test_old_one_stays_too_long(self) -> None:
        """
        An old generation that does not leave is killed after the tolerance.
        """
        self.world.renew().says(Said.ACCEPTING)
        self.world.reactor.advance(TOLERANCE)
        self.assertEqual(["KILL"], self.old.signals)

    def test_reload(self) -> None:
        """
        SIGHUP renews it in the same way.
        """
        self.world.vassal.reload()
        self.world.reactor.advance(0)
        self.check(Phase.RENEWING, self.old, self.world.reactor.last)

    def test_loyalty_is_no_news(self) -> None:
        """
        What the current one says while the next one comes up changes nothing.
        """
        self.world.renew()
        self.old.says(Said.ALIVE, Said.LOYAL, Said.ACCEPTING)
        self.assertEqual(Phase.RENEWING, self.world.status.phase)
        self.assertGreater(self.world.vassal.beat_at, 0)

    def test_loyalty(self) -> None:
        """
        Loyalty is seen by whoever looks, and no news.
        """
        phases = [status.phase for status in self.world.history]
        self.assertEqual(1, phases.count(Phase.ACCEPTING))
        new = self.world.renew()
        new.says(Said.ACCEPTING)
        self.assertEqual(0, self.world.status.loyal_at)
        self.world.reactor.advance(3)
        new.says(Said.LOYAL)
        self.assertEqual(self.world.reactor.seconds(), self.world.status.loyal_at)

    def test_kill(self) -> None:
        """
        All generations can be killed.
        """
        new = self.world.renew()
        self.world.vassal.kill()
        self.assertEqual([["KILL"], ["KILL"]], [self.old.signals, new.signals])


class NotYetTests(SynchronousTestCase):
    """
    A vassal that has not said yet that it accepts.
    """

    def test_silent(self) -> None:
        """
        It is stopped first, and its socket stays open.
        """
        world = World()
        world.want()
        old = world.reactor.last
        world.want(2)
        self.assertEqual((Phase.REPLACED, ["TERM"]), (world.status.phase, old.signals))
        old.ends()
        world.reactor.advance(0)
        self.assertEqual((Phase.STARTING, 1), (world.status.phase, len(world.alive)))
        self.assertEqual([False], [door.closed for door in world.doors])

    def test_cheap(self) -> None:
        """
        Of a vassal that starts without workers it is enough that it is ready.
        """
        world = World(replace(HELD, cheap=True))
        world.want()
        old = world.reactor.last
        old.says(Said.READY)
        new = world.renew()
        self.assertEqual((Phase.RENEWING, []), (world.status.phase, old.orders))
        new.says(Said.READY)
        self.assertEqual((Phase.READY, [2]), (world.status.phase, old.orders))
        self.assertEqual(new.pid, world.status.pid)
        old.ends()
        world.renew().ends(code=1)
        self.assertEqual((Phase.READY, [new]), (world.status.phase, world.alive))

    def test_becomes_cheap(self) -> None:
        """
        It counts what the new file says.
        """
        world = World()
        old = world.serve()
        world.doorway = replace(HELD, cheap=True)
        world.renew().says(Said.READY)
        self.assertEqual((Phase.READY, [2]), (world.status.phase, old.orders))
        self.assertEqual([False], [door.closed for door in world.doors])

    def test_crash(self) -> None:
        """
        A vassal that dies keeps its door, and comes back behind it.
        """
        world = World()
        world.serve().ends(signal=9)
        world.reactor.advance(0)
        self.assertEqual((Phase.STARTING, True), (world.status.phase, world.status.held))
        self.assertEqual([False], [door.closed for door in world.doors])

    def test_socket_in_use(self) -> None:
        """
        A socket that cannot be opened is a start that failed, and tried again.
        """
        world = World()
        world.fault = "it is taken"
        world.want()
        self.assertEqual(
            (Phase.HELD_BACK, "it is taken"), (world.status.phase, world.status.ending)
        )
        world.doors[-1].fault = ""
        world.reactor.pump([1, 0])
        self.assertEqual(Phase.STARTING, world.status.phase)


class OnDemandTests(SynchronousTestCase):
    """
    A vassal that sleeps until somebody connects.
    """

    def setUp(self) -> None:
        self.world = World(DEMAND)

    @property
    def door(self) -> MemoryDoor:
        return self.world.doors[-1]

    def knock(self) -> MemoryProcess:
        """
        Somebody connects.
        """
        self.door.knock()
        self.world.reactor.advance(0)
        return self.world.reactor.last

    def test_sleep(self) -> None:
        """
        It starts with the first connection, which it finds in its socket.
        """
        self.world.want()
        self.assertEqual((Phase.ASLEEP, []), (self.world.status.phase, self.world.alive))
        self.assertTrue(self.door.watched)
        process = self.knock()
        self.assertEqual((Phase.STARTING, 77), (self.world.status.phase, process.fds[0]))
        self.assertFalse(self.door.watched)

    def test_idle(self) -> None:
        """
        When it has nothing to do it sleeps again; who connects while it leaves
        waits until it is gone.
        """
        process = self.world.serve()
        process.says(Said.IDLE)
        self.assertEqual((Phase.RETIRING, [0]), (self.world.status.phase, process.orders))
        self.assertFalse(self.door.watched)
        process.ends()
        self.assertEqual((Phase.ASLEEP, True), (self.world.status.phase, self.door.watched))
        self.knock()
        self.assertEqual(Phase.STARTING, self.world.status.phase)
        self.assertEqual([False], [door.closed for door in self.world.doors])

    def test_crash(self) -> None:
        """
        When it dies it sleeps again, and is started no sooner than any other: who
        waits in its socket is not lost.
        """
        self.world.want()
        self.knock().ends(code=1)
        self.assertEqual((Phase.HELD_BACK, False), (self.world.status.phase, self.door.watched))
        self.world.reactor.advance(1)
        self.assertEqual((Phase.ASLEEP, True), (self.world.status.phase, self.door.watched))
        self.knock().ends(code=1)
        self.assertEqual(2, self.world.status.retry_at - self.world.reactor.seconds())

    def test_changed_in_its_sleep(self) -> None:
        """
        A change does not wake it; what it reads when it wakes is its file as it
        is then.
        """
        self.world.want()
        self.world.want(2)
        self.assertEqual((Phase.ASLEEP, 2), (self.world.status.phase, self.fingerprint()))
        self.knock()
        self.assertEqual(1, len(self.world.reactor.processes))

    def fingerprint(self) -> object:
        return self.world.vassal.spec.fingerprint

    def test_renewed(self) -> None:
        """
        One that runs is renewed like any other, though nobody knocks.
        """
        old = self.world.serve()
        new = self.world.renew()
        self.assertEqual(Phase.RENEWING, self.world.status.phase)
        new.says(Said.ACCEPTING)
        old.ends()
        new.says(Said.IDLE)
        new.ends()
        self.assertEqual((Phase.ASLEEP, True), (self.world.status.phase, self.door.watched))

    def test_failed_renewal(self) -> None:
        """
        A next generation that fails does not sleep either: it is gone.
        """
        old = self.world.serve()
        self.world.renew().ends(code=1)
        self.assertEqual((Phase.ACCEPTING, [old]), (self.world.status.phase, self.world.alive))
        self.assertFalse(self.door.watched)

    def test_unwanted(self) -> None:
        """
        One that sleeps is gone at once.
        """
        self.world.want()
        self.world.vassal.unwanted()
        self.assertEqual((Phase.GONE, True), (self.world.status.phase, self.door.closed))

    def test_hand(self) -> None:
        """
        It can be woken by hand.
        """
        self.world.want()
        self.world.vassal.wake()
        self.world.reactor.advance(0)
        self.assertEqual(Phase.STARTING, self.world.status.phase)

    def test_not_on_demand_any_more(self) -> None:
        """
        The same socket may be on demand, and then not: nothing is closed.
        """
        self.world.want()
        self.world.doorway = HELD
        self.world.want(2)
        self.assertEqual(Phase.STARTING, self.world.status.phase)
        self.assertEqual([False], [door.closed for door in self.world.doors])


class UnclearTests(SynchronousTestCase):
    """
    A vassal of which nobody can tell where to listen for it.
    """

    def setUp(self) -> None:
        self.world = World(DEMAND)
        self.world.unclear = "the command failed"
        self.world.want()

    def check_held_back(self, wait: float) -> None:
        """
        It waits that long, and nothing was started.
        """
        status = self.world.status
        self.assertEqual((Phase.HELD_BACK, []), (status.phase, self.world.reactor.processes))
        self.assertEqual(wait, status.retry_at - self.world.reactor.seconds())
        self.assertEqual("it is unclear where to listen for it: the command failed", status.ending)

    def test_asked_again(self) -> None:
        """
        It is held back, and asked at each retry until there is an answer.
        """
        self.check_held_back(1)
        self.world.reactor.advance(1)
        self.check_held_back(2)
        self.world.unclear = ""
        self.world.reactor.advance(2)
        self.assertEqual(Phase.ASLEEP, self.world.status.phase)
        self.assertEqual(DEMAND, self.world.vassal.door.doorway)

    def test_asked_at_once(self) -> None:
        """
        SIGHUP, SIGURG and a command ask now; SIGURG forgets the earlier failures,
        and a command starts what sleeps.
        """
        self.world.vassal.reload()
        self.check_held_back(2)
        self.world.vassal.retry()
        self.check_held_back(4)
        self.world.vassal.pardon()
        self.check_held_back(1)
        for ask, phase in (
            (Succession.reload, Phase.ASLEEP),
            (Succession.pardon, Phase.ASLEEP),
            (Succession.retry, Phase.QUEUED),
        ):
            self.setUp()
            self.world.unclear = ""
            ask(self.world.vassal)
            self.assertEqual(phase, self.world.status.phase)

    def test_answers_later(self) -> None:
        """
        While the command runs it is queued, and nothing else asks it.
        """
        answer: Deferred[Doorway | None] = Deferred()
        self.world.unclear, self.world.doorway = "", answer
        self.world.reactor.advance(1)
        self.assertEqual(Phase.QUEUED, self.world.status.phase)
        self.world.vassal.reload()
        self.world.vassal.pardon()
        self.world.reactor.advance(1000)
        answer.errback(Unclear("the command failed"))
        self.check_held_back(1)

    def test_unwanted(self) -> None:
        """
        It is gone at once, and nobody is asked any more.
        """
        self.world.vassal.unwanted()
        self.assertEqual(Phase.GONE, self.world.status.phase)
        self.assertEqual([], self.world.reactor.getDelayedCalls())

    def test_changed(self) -> None:
        """
        A changed file is a new beginning.
        """
        self.world.vassal.reload()
        self.world.want(2)
        self.check_held_back(1)

    def test_blank(self) -> None:
        """
        One whose file says nothing is started: uWSGI will complain.
        """
        self.world.vassal.unwanted()
        self.world.doorway = Deferred()
        self.world.unclear = ""
        self.world.want(2)
        self.world.doorway.errback(Blank("there is nothing in it"))
        self.world.reactor.advance(0)
        self.assertEqual(Phase.STARTING, self.world.status.phase)


class ChangedDoorTests(SynchronousTestCase):
    """
    A vassal's file that says something else of its socket.
    """

    def test_another_address(self) -> None:
        """
        The next generation comes up at the new address, and the old one closes
        with the old generation.
        """
        world = World()
        old = world.serve()
        world.doorway = ELSEWHERE
        new = world.renew()
        self.assertEqual(Phase.RENEWING, world.status.phase)
        new.says(Said.ACCEPTING)
        self.assertEqual([False, False], [door.closed for door in world.doors])
        old.ends()
        self.assertEqual([True, False], [door.closed for door in world.doors])

    def test_there_and_back(self) -> None:
        """
        A socket that is wanted again before it was closed stays open.
        """
        world = World()
        old = world.serve()
        for doorway in (ELSEWHERE, HELD):
            world.doorway = doorway
            world.renew()
        second, third = world.reactor.processes[1:]
        third.says(Said.ACCEPTING)
        second.ends()
        old.ends()
        self.assertEqual([False, True], [door.closed for door in world.doors])
        self.assertEqual((Phase.ACCEPTING, [third]), (world.status.phase, world.alive))

    def test_another_address_before_it_served(self) -> None:
        """
        One that has not served yet is stopped; the new one starts at once, for
        it has a socket of its own.
        """
        world = World()
        world.want()
        old = world.reactor.last
        world.doorway = ELSEWHERE
        world.want(2)
        self.assertEqual((Phase.STARTING, 2), (world.status.phase, len(world.alive)))
        old.ends()
        self.assertEqual([True, False], [door.closed for door in world.doors])

    def test_its_own_socket(self) -> None:
        """
        When the vassal is to open its socket itself, or not any more, it is
        stopped first: both would want the same one.
        """
        for before, after in ((HELD, None), (None, HELD), (HELD, Doorway(HELD.address, mode=1))):
            world = World(before)
            old = world.serve()
            world.doorway = after
            world.want(2)
            self.assertEqual((Phase.REPLACED, [old]), (world.status.phase, world.alive))
            world.want(3)
            old.ends()
            world.reactor.advance(0)
            self.assertEqual((Phase.STARTING, 1), (world.status.phase, len(world.alive)))
            self.assertEqual(3, world.vassal.spec.fingerprint)
            still = [door.doorway for door in world.doors if not door.closed]
            self.assertEqual([after] if after else [], still)

    def test_nobody_uses_it(self) -> None:
        """
        A door that is not wanted any more, and that no generation has, is closed
        while an earlier generation is still leaving.
        """
        world = World(ELSEWHERE)
        world.want()
        world.doorway = DEMAND
        world.want(2)
        world.doorway = None
        world.want(3)
        world.vassal.unwanted()
        world.want(4)
        self.assertEqual([False, True], [door.closed for door in world.doors])
        world.reactor.processes[0].ends()
        self.assertEqual([True, True], [door.closed for door in world.doors])

    def test_changed_back(self) -> None:
        """
        A change that is taken back while the vassal leaves: it starts as it was.
        """
        world = World()
        old = world.serve()
        world.doorway = None
        world.want(2)
        world.doorway = HELD
        world.want(3)
        self.assertEqual(Phase.REPLACED, world.status.phase)
        old.ends()
        world.reactor.advance(0)
        self.assertEqual((Phase.STARTING, 77), (world.status.phase, world.reactor.last.fds[0]))

    def test_none(self) -> None:
        """
        A vassal that opens its socket itself reloads in its own process.
        """
        world = World(None)
        process = world.serve()
        world.want(2)
        self.assertEqual(([1], Phase.RELOADING), (process.orders, world.status.phase))
        process.says(Said.ACCEPTING)
        world.vassal.reload()
        world.reactor.advance(0)
        self.assertEqual([1, 1], process.orders)
        self.assertEqual((2, False), (world.status.reloads, world.status.held))


class SlowToFindTests(SynchronousTestCase):
    """
    A command has to be asked for the address.
    """

    def setUp(self) -> None:
        self.cancelled = 0
        self.answer: Deferred[Doorway | None] = Deferred(self.cancel)
        self.world = World(self.answer)

    def cancel(self, answer: object) -> None:
        self.cancelled += 1

    def test_answer(self) -> None:
        """
        Nothing starts before the answer.
        """
        self.world.want()
        self.assertEqual((Phase.QUEUED, []), (self.world.status.phase, self.world.alive))
        self.answer.callback(DEMAND)
        self.assertEqual(Phase.ASLEEP, self.world.status.phase)

    def test_unwanted(self) -> None:
        """
        Who is not wanted any more needs no answer.
        """
        self.world.want()
        self.world.vassal.unwanted()
        self.assertEqual((Phase.GONE, 1), (self.world.status.phase, self.cancelled))

    def test_changed(self) -> None:
        """
        Of two questions the last one counts.
        """
        self.world.want()
        self.world.doorway = HELD
        self.world.want(2)
        self.assertEqual((Phase.STARTING, 1), (self.world.status.phase, self.cancelled))

    def test_trouble(self) -> None:
        """
        Where the address cannot be found out, the vassal starts without a door.
        """
        self.world.want()
        self.answer.errback(ValueError("as the test wants"))
        self.world.reactor.advance(0)
        self.assertEqual((Phase.STARTING, False), (self.world.status.phase, self.world.status.held))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))


def _each(act: Callable[[MemoryProcess], object]) -> Callable[[World, int], None]:
    """
    Something that one of the processes does.
    """

    def happen(world: World, number: int) -> None:
        if world.alive:
            process = world.alive[number % len(world.alive)]
            if process.link.up:
                act(process)

    return happen


_DOORWAYS = [
    None,
    HELD,
    DEMAND,
    ELSEWHERE,
    Doorway(HELD.address, mode=0o600),
    replace(DEMAND, cheap=True),
]


def _change(world: World, number: int) -> None:
    world.doorway = _DOORWAYS[number % len(_DOORWAYS)]
    world.vassal.wanted(make_spec(fingerprint=object()))


def _knock(world: World, number: int) -> None:
    for door in world.doors:
        if not door.closed:
            door.knock()


EVENTS: dict[str, Callable[[World, int], object]] = {
    "change": _change,
    "want": lambda world, number: world.vassal.wanted(make_spec(fingerprint=object())),
    "unwant": lambda world, number: world.vassal.unwanted(),
    "reload": lambda world, number: world.vassal.reload(),
    "retry": lambda world, number: world.vassal.retry(),
    "pardon": lambda world, number: world.vassal.pardon(),
    "knock": _knock,
    "accept": _each(lambda process: process.says(Said.READY, Said.ACCEPTING)),
    "idle": _each(lambda process: process.says(Said.IDLE)),
    "beat": _each(lambda process: process.says(Said.ALIVE)),
    "die": _each(lambda process: process.ends(code=1)),
    "exile": _each(lambda process: process.ends(code=26)),
    "a moment": lambda world, number: world.reactor.advance(0),
    "a minute": lambda world, number: world.reactor.advance(60),
    "five minutes": lambda world, number: world.reactor.advance(PATIENCE),
}


class AnythingTests(SynchronousTestCase):
    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.integers(0, 5)), max_size=40))
    def test_always_ends(self, events: list[tuple[str, int]]) -> None:
        """
        Whatever happens in whatever order, there is an answer to it; no vassal
        that says that it accepts is without a process; and an unwanted one goes
        in the end, with all processes, doors and timers.
        """
        world = World(None)
        for event, number in events:
            EVENTS[event](world, number)
            if world.status.phase in (Phase.ACCEPTING, Phase.RENEWING):
                self.assertIn(world.status.pid, [each.pid for each in world.alive])
        world.vassal.unwanted()
        for process in world.alive:
            process.ends()
        world.reactor.advance(1)
        self.assertEqual((Phase.GONE, []), (world.status.phase, world.alive))
        self.assertEqual([True] * len(world.doors), [door.closed for door in world.doors])
        self.assertEqual([], world.reactor.getDelayedCalls())
