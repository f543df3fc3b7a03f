"""
Tests for L{emperor.vassals.subject}.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.doorways import Doorway
from emperor.config.settings import EmperorSettings
from emperor.testing.vassals import MemoryDoor, MemoryProcess, MemorySpawner, make_spec
from emperor.vassals.backoff import BackOff
from emperor.vassals.commandline import Program
from emperor.vassals.core import Court
from emperor.vassals.doors import Unclear
from emperor.vassals.launcher import Launcher
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.subject import Subject
from emperor.vassals.turns import StartQueue
from emperor.vassals.vassal import heard_by_machine
from emperor.wire.vassal import Said

DEMAND = Doorway(TcpAddress("", 9000), on_demand=True)

Found = Doorway | Deferred[Doorway | None] | None


class World:
    """
    One vassal in a world of memory.
    """

    def __init__(self, rest: Rest = Rest.NONE, doorway: Found = None) -> None:
        self.reactor = MemorySpawner()
        self.history: list[VassalStatus] = []
        self.doorway = doorway
        self.doors: list[MemoryDoor] = []
        self.fault: Exception | None = None
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
            tolerance=30,
            observe=self.history.append,
        )
        self.vassal = Subject(make_spec(), court, self.find, self.open, rest)
        self.vassal.wanted(make_spec())
        self.settle()

    def find(self, spec: VassalSpec) -> Found:
        if self.fault is not None:
            raise self.fault
        return self.doorway

    def open(self, id: VassalId, doorway: Doorway) -> MemoryDoor:
        self.doors.append(MemoryDoor(doorway))
        return self.doors[-1]

    @property
    def last(self) -> MemoryProcess:
        return self.reactor.last

    @property
    def phase(self) -> Phase:
        return self.vassal.status.phase

    @property
    def rest(self) -> Rest:
        return self.vassal.status.rest

    def settle(self) -> None:
        self.reactor.advance(0)

    def serve(self) -> None:
        """
        Its process accepts.
        """
        self.settle()
        self.last.says(Said.READY, Said.ACCEPTING)

    def end(self, code: int = 0) -> None:
        """
        Its process ends.
        """
        self.last.ends(code)
        self.settle()


class WaitingTests(SynchronousTestCase):
    """
    A vassal that waits for its first command.
    """

    def test_waits(self) -> None:
        """
        It is there, with nothing of it running, and a change starts nothing.
        """
        world = World(Rest.COMMAND)
        self.assertEqual((world.phase, world.rest), (Phase.ASLEEP, Rest.COMMAND))
        world.reactor.advance(5)
        world.vassal.wanted(make_spec(fingerprint=2))
        world.vassal.reload()
        world.vassal.pardon()
        world.reactor.advance(1000)
        self.assertEqual(world.reactor.processes, [])
        self.assertEqual([each.phase for each in world.history], [Phase.ASLEEP] * 2)
        self.assertEqual([each.since for each in world.history], [0, 5])
        self.assertEqual(world.vassal.spec.fingerprint, 2)

    def test_spawn(self) -> None:
        """
        A command starts it, with the newest file; then it is as any other.
        """
        world = World(Rest.COMMAND)
        world.vassal.wanted(make_spec(fingerprint=2))
        world.vassal.retry()
        world.serve()
        self.assertEqual((world.phase, world.rest), (Phase.ACCEPTING, Rest.NONE))
        world.end(1)
        self.assertEqual(world.phase, Phase.HELD_BACK)
        world.reactor.advance(2)
        self.assertEqual(len(world.reactor.processes), 2)

    def test_request(self) -> None:
        """
        A request is as good as a command, and what it has to wait for shows.
        """
        world = World(Rest.COMMAND)
        self.assertTrue(world.vassal.status.may_be_woken)
        world.vassal.wake()
        self.assertTrue(world.vassal.status.is_coming)
        world.settle()
        self.assertTrue(world.vassal.status.is_coming)
        world.serve()
        self.assertFalse(world.vassal.status.is_coming)
        self.assertFalse(world.vassal.status.woken)

    def test_on_demand(self) -> None:
        """
        One that is on demand as well has no socket yet, but it is known where it
        will be; told to start, it starts before anybody connects.
        """
        world = World(Rest.COMMAND, DEMAND)
        self.assertEqual(world.doors, [])
        self.assertEqual(world.vassal.address, DEMAND.address)
        world.vassal.retry()
        world.serve()
        self.assertEqual(len(world.doors), 1)
        self.assertEqual(world.phase, Phase.ACCEPTING)
        self.assertNotIn(Phase.ASLEEP, [each.phase for each in world.history[1:]])

    def test_door_that_takes_time(self) -> None:
        """
        Where its door will be may be known later, or never.
        """
        later: Deferred[Doorway | None] = Deferred()
        world = World(Rest.COMMAND, later)
        self.assertIsNone(world.vassal.address)
        later.callback(DEMAND)
        self.assertEqual(world.vassal.address, DEMAND.address)
        self.assertEqual([each.since for each in world.history], [0, 0])
        never: Deferred[Doorway | None] = Deferred()
        world = World(Rest.COMMAND, never)
        world.vassal.unwanted()
        self.assertTrue(never.called)
        self.assertEqual(world.phase, Phase.GONE)

    def test_door_fails(self) -> None:
        """
        One whose door cannot be found waits all the same.
        """
        world = World(Rest.COMMAND)
        world.fault = ZeroDivisionError()
        world.vassal.wanted(make_spec(fingerprint=2))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(world.phase, Phase.ASLEEP)

    def test_removed(self) -> None:
        """
        A removed file forgets it; one that is back waits again, also when the
        process of before has not gone yet.
        """
        world = World(Rest.COMMAND)
        world.vassal.unwanted()
        self.assertEqual(world.phase, Phase.GONE)
        world = World(Rest.COMMAND)
        world.vassal.retry()
        world.serve()
        world.vassal.unwanted()
        world.vassal.wanted(make_spec(fingerprint=3))
        self.assertEqual(world.phase, Phase.STOPPING)
        world.end()
        self.assertEqual((world.phase, world.rest), (Phase.ASLEEP, Rest.COMMAND))


class StoppedTests(SynchronousTestCase):
    """
    A vassal that a command has stopped.
    """

    def stopped(self, doorway: Found = None) -> World:
        world = World(doorway=doorway)
        world.vassal.retry()
        world.serve()
        world.vassal.stop()
        self.assertEqual(world.phase, Phase.STOPPING)
        world.end()
        self.assertEqual((world.phase, world.rest), (Phase.ASLEEP, Rest.STOPPED))
        return world

    def test_stays_so(self) -> None:
        """
        Neither its file nor a request starts it.
        """
        world = self.stopped()
        world.vassal.wanted(make_spec(fingerprint=2))
        world.vassal.wake()
        world.vassal.pardon()
        world.vassal.reload()
        world.reactor.advance(1000)
        self.assertEqual(len(world.reactor.processes), 1)
        self.assertFalse(world.vassal.status.may_be_woken)

    def test_starts_again(self) -> None:
        """
        Another command starts it; what it has done is still counted.
        """
        for start in (Subject.retry, Subject.respawn):
            world = self.stopped()
            start(world.vassal)
            world.serve()
            self.assertEqual((world.phase, world.rest), (Phase.ACCEPTING, Rest.NONE))
            self.assertEqual(world.vassal.status.starts, 2)

    def test_door_is_closed(self) -> None:
        """
        Nobody is to wait at the socket of one that is stopped.
        """
        world = self.stopped(DEMAND)
        self.assertTrue(world.doors[0].closed)
        world.vassal.retry()
        world.serve()
        self.assertEqual(world.phase, Phase.ACCEPTING)
        self.assertFalse(world.doors[1].closed)

    def test_broken_file(self) -> None:
        """
        A file that is broken takes no place away, nor one that is still looked for.
        """
        world = self.stopped(DEMAND)
        world.fault = Unclear("a.ini:3: hold-socket: no")
        with capturedLogs() as events:
            world.vassal.wanted(make_spec(fingerprint=2))
        self.assertEqual(world.vassal.doorway, DEMAND)
        (told,) = [formatEvent(event) for event in events]
        self.assertIn("unclear where to listen for it: a.ini:3: hold-socket: no", told)
        world.fault, world.doorway = None, Deferred()
        world.vassal.wanted(make_spec(fingerprint=3))
        self.assertEqual(world.vassal.doorway, DEMAND)
        before = len(world.history)
        world.doorway.callback(None)
        self.assertIsNone(world.vassal.doorway)
        self.assertEqual(len(world.history), before + 1)

    def test_told_to_start_while_it_stops(self) -> None:
        """
        It is started when the process of before has gone; one on demand, too.
        """
        for doorway in (None, DEMAND):
            world = World(doorway=doorway)
            world.vassal.retry()
            world.serve()
            world.vassal.stop()
            world.vassal.retry()
            self.assertEqual(world.phase, Phase.REPLACED)
            world.end()
            world.serve()
            self.assertEqual(world.phase, Phase.ACCEPTING)

    def test_every_moment(self) -> None:
        """
        It can be stopped while it waits, or comes, or is asleep.
        """
        world = World()
        world.end(1)
        self.assertEqual(world.phase, Phase.HELD_BACK)
        world.vassal.stop()
        self.assertEqual(world.rest, Rest.STOPPED)
        world = World(Rest.COMMAND)
        world.vassal.stop()
        self.assertEqual(world.rest, Rest.STOPPED)
        world = World(doorway=Deferred())
        world.vassal.stop()
        self.assertEqual((world.phase, world.rest), (Phase.ASLEEP, Rest.STOPPED))

    def test_removed(self) -> None:
        """
        The end of its file forgets that it was stopped; no command keeps what is
        to go.
        """
        world = self.stopped()
        world.vassal.unwanted()
        self.assertEqual(world.phase, Phase.GONE)
        world.vassal.wanted(make_spec())
        world.serve()
        world.vassal.unwanted()
        world.vassal.stop()
        world.vassal.retry()
        world.end()
        self.assertEqual(world.phase, Phase.GONE)


class CommandTests(SynchronousTestCase):
    """
    Commands to one that does not rest.
    """

    def test_retry(self) -> None:
        """
        One that is held back, in exile or asleep starts at once; one that runs
        is let be.
        """
        for code, phase in ((1, Phase.HELD_BACK), (26, Phase.EXILED)):
            world = World()
            world.end(code)
            self.assertEqual(world.phase, phase)
            world.vassal.retry()
            world.serve()
            self.assertEqual(world.phase, Phase.ACCEPTING)
            world.vassal.retry()
            self.assertEqual(world.last.orders, [])

    def test_respawn(self) -> None:
        """
        One that runs reloads.
        """
        world = World()
        world.serve()
        world.vassal.respawn()
        world.settle()
        self.assertEqual((world.phase, world.last.orders), (Phase.RELOADING, [1]))

    def test_idle(self) -> None:
        """
        One that is idle sleeps until a request comes, also if that is before it has
        gone.
        """
        for early in (False, True):
            world = World()
            world.serve()
            world.last.says(Said.IDLE)
            self.assertEqual(world.phase, Phase.RETIRING)
            if early:
                world.vassal.wake()
            world.end()
            if not early:
                self.assertEqual(world.phase, Phase.ASLEEP)
                world.vassal.wake()
            world.serve()
            self.assertEqual(world.phase, Phase.ACCEPTING)
            self.assertEqual(len(world.reactor.processes), 2)

    def test_idle_for_ever(self) -> None:
        """
        One that was woken and has nothing to do sleeps again.
        """
        world = World(doorway=DEMAND)
        world.vassal.wake()
        world.settle()
        world.last.says(Said.READY, Said.IDLE)
        world.end()
        self.assertEqual(world.phase, Phase.ASLEEP)
        self.assertEqual(len(world.reactor.processes), 1)

    @settings(max_examples=200, deadline=None)
    @given(
        st.sampled_from([Rest.NONE, Rest.COMMAND]),
        st.sampled_from([None, DEMAND]),
        st.lists(st.sampled_from("wWsrRkaied.g"), max_size=25),
    )
    def test_anything(self, rest: Rest, doorway: Found, events: list[str]) -> None:
        """
        Whatever happens, one that was told to stop has no process when it has had
        time, and one that is told to start has one.
        """
        world = World(rest, doorway)
        vassal = world.vassal
        does: dict[str, Callable[[], object]] = {
            "w": lambda: vassal.wanted(make_spec(fingerprint=len(world.history))),
            "W": vassal.wake,
            "s": vassal.stop,
            "r": vassal.retry,
            "R": vassal.respawn,
            "k": vassal.kill,
            "g": vassal.unwanted,
            ".": lambda: world.reactor.advance(1),
        }
        says = {"a": (Said.READY, Said.ACCEPTING), "i": (Said.IDLE,)}
        ends = {"e": 0, "d": 1}
        for event in events:
            running = [each for each in world.reactor.processes if not each.gone]
            # Renewed beside itself, it may have several; there is no door without that.
            self.assertTrue(doorway is not None or len(running) < 2)
            if event in does:
                does[event]()
            elif running and event in says:
                running[0].says(*says[event])
            elif running and event in ends:
                running[0].ends(ends[event])
            world.settle()
        vassal.wanted(make_spec(fingerprint="last"))
        vassal.stop()
        self.finish(world)
        self.assertEqual((world.phase, world.rest), (Phase.ASLEEP, Rest.STOPPED))
        vassal.retry()
        world.reactor.advance(10)
        self.assertEqual(len([each for each in world.reactor.processes if not each.gone]), 1)
        vassal.unwanted()
        self.finish(world)
        self.assertEqual(world.phase, Phase.GONE)
        self.assertEqual(world.history[-1].phase, Phase.GONE)

    def finish(self, world: World) -> None:
        """
        Let all processes end.
        """
        for _ in range(4):
            for each in world.reactor.processes:
                if not each.gone:
                    each.ends()
            world.reactor.advance(10)
