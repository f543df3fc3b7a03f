"""
Tests for L{emperor.vassals.machine}, through L{emperor.vassals.vassal.Vassal}.
"""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import EmperorSettings
from emperor.testing.vassals import MemorySpawner, make_spec
from emperor.vassals.backoff import STABLE, BackOff
from emperor.vassals.commandline import Program
from emperor.vassals.core import Court
from emperor.vassals.launcher import Launcher
from emperor.vassals.status import Phase, VassalStatus
from emperor.vassals.turns import StartQueue
from emperor.vassals.vassal import Vassal, heard_by_machine
from emperor.wire.vassal import Said

TOLERANCE = 30
HEARTBEAT = 20
PATIENCE = 300


Event = Callable[["World"], object]


class World:
    """
    One vassal in a world of memory.
    """

    def __init__(self) -> None:
        self.reactor = MemorySpawner()
        self.history: list[VassalStatus] = []
        launcher = Launcher(
            self.reactor,
            EmperorSettings(),
            {},
            self.reactor,
            find=lambda binary: Program("/usr/bin/uwsgi"),
        )
        self.vassal = Vassal(
            make_spec(),
            Court(
                clock=self.reactor,
                turns=StartQueue(self.reactor),
                launch=heard_by_machine(launcher.launch),
                backoff=BackOff(1, 180, lambda: 0),
                tolerance=TOLERANCE,
                observe=self.history.append,
                heartbeat=HEARTBEAT,
                patience=PATIENCE,
            ),
        )

    @property
    def phase(self) -> Phase:
        """
        Where the vassal is.
        """
        return self.vassal.status.phase

    @property
    def alive(self) -> int:
        """
        How many processes there are.
        """
        return sum(not process.gone for process in self.reactor.processes)

    @property
    def holds_pipe(self) -> bool:
        """
        Whether anybody holds the vassal's end of the pipe.
        """
        return any(process.link.up for process in self.reactor.processes[-1:])

    def want(self, fingerprint: int = 1) -> None:
        """
        Want it, and let it have its turn.
        """
        self.vassal.wanted(make_spec(fingerprint=fingerprint))
        self.reactor.advance(0)

    def serve(self, seconds: float = 0) -> None:
        """
        Want it, and let it accept for some seconds.
        """
        self.want()
        self.reactor.last.says(Said.READY, Said.ACCEPTING)
        self.reactor.advance(seconds)


class MachineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.reactor = self.world.reactor

    def check(self, phase: Phase, alive: int = 1) -> None:
        """
        The vassal is in this phase, with that many processes.
        """
        self.assertEqual((phase, alive), (self.world.phase, self.world.alive))

    def test_coming_up(self) -> None:
        """
        A vassal waits for its turn, starts, is ready, and accepts.
        """
        self.world.vassal.wanted(make_spec())
        self.check(Phase.QUEUED, 0)
        self.reactor.advance(0)
        self.check(Phase.STARTING)
        self.reactor.last.says(Said.READY)
        self.check(Phase.READY)
        self.reactor.last.says(Said.ACCEPTING)
        self.check(Phase.ACCEPTING)
        self.assertEqual(self.reactor.last.pid, self.world.vassal.status.pid)

    def test_exit_on_reload(self) -> None:
        """
        A vassal that leaves in peace when it is asked to reload has not failed:
        it is started again at once.
        """
        self.world.serve()
        self.world.want(2)
        self.check(Phase.RELOADING)
        self.reactor.last.ends()
        self.assertEqual(0, self.world.vassal.status.failed_reloads)
        self.reactor.pump([0, 0])
        self.check(Phase.STARTING)

    def test_exit_on_reload_with_a_fault(self) -> None:
        """
        With another exit code it has failed, and so has one that leaves later.
        """
        self.world.serve()
        self.world.want(2)
        self.reactor.last.ends(code=1)
        self.check(Phase.HELD_BACK, 0)
        self.reactor.pump([0, 0])
        self.check(Phase.HELD_BACK, 0)

    def test_loyal_is_accepting(self) -> None:
        """
        A vassal without workers of its own (another Emperor) only ever says
        that it is loyal.
        """
        self.world.want()
        self.reactor.last.says(Said.LOYAL)
        self.check(Phase.ACCEPTING)

    def test_loyal_of_before(self) -> None:
        """
        A late word of a worker of before does not end a reload; of one that never
        says that it accepts it does.
        """
        self.world.serve()
        self.world.want(2)
        self.reactor.last.says(Said.LOYAL)
        self.check(Phase.RELOADING)
        self.reactor.last.says(Said.ACCEPTING)
        self.check(Phase.ACCEPTING)

    def test_loyal_is_accepting_again(self) -> None:
        """
        One that only ever says that it is loyal is back when it says so.
        """
        self.world.want()
        self.reactor.last.says(Said.LOYAL)
        for fingerprint in (2, 3):
            self.world.want(fingerprint)
            self.check(Phase.RELOADING)
            self.reactor.last.says(Said.LOYAL)
            self.check(Phase.ACCEPTING)

    def test_words_in_any_number(self) -> None:
        """
        Each worker says its words again; nothing comes of it.
        """
        self.world.serve()
        self.reactor.last.says(*set(Said) - {Said.IDLE}, *set(Said) - {Said.IDLE})
        self.check(Phase.ACCEPTING)
        self.assertEqual([], self.reactor.last.orders)

    def test_reload(self) -> None:
        """
        A changed file is one byte to the same process, which says when it
        accepts again.
        """
        self.world.serve()
        self.world.want(2)
        self.check(Phase.RELOADING)
        self.assertEqual([1], self.reactor.last.orders)
        self.reactor.last.says(Said.ACCEPTING)
        self.check(Phase.ACCEPTING)
        self.assertEqual((1, 1), (len(self.reactor.processes), self.world.vassal.status.reloads))

    def test_change_during_reload(self) -> None:
        """
        A file that changes again during a reload is another byte.
        """
        self.world.serve()
        self.world.want(2)
        self.world.want(3)
        self.assertEqual([1, 1], self.reactor.last.orders)
        self.assertEqual(3, self.world.vassal.spec.fingerprint)

    def test_change_while_starting(self) -> None:
        """
        A vassal that has not spoken yet may not read the pipe; it is replaced.
        """
        self.world.want()
        self.world.want(2)
        self.check(Phase.REPLACED)
        self.assertEqual(["TERM"], self.reactor.last.signals)
        self.reactor.last.ends(signal=15)
        self.reactor.advance(0)
        self.check(Phase.STARTING)

    def test_change_of_a_vassal_that_hung_up(self) -> None:
        """
        A vassal that closed its pipe cannot reload; it is replaced.
        """
        self.world.serve()
        self.reactor.last.hangs_up()
        self.world.want(2)
        self.check(Phase.REPLACED)

    def test_stop(self) -> None:
        """
        An unwanted vassal is told to leave, and then it is gone.
        """
        self.world.serve()
        self.world.vassal.unwanted()
        self.check(Phase.STOPPING)
        self.assertEqual([0], self.reactor.last.orders)
        self.reactor.last.ends()
        self.check(Phase.GONE, 0)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_stop_takes_too_long(self) -> None:
        """
        A vassal that does not leave is killed, again and again.
        """
        self.world.serve()
        self.world.vassal.unwanted()
        self.reactor.advance(TOLERANCE - 1)
        self.assertEqual([], self.reactor.last.signals)
        self.reactor.pump([1, TOLERANCE])
        self.assertEqual(["KILL", "KILL"], self.reactor.last.signals)

    def test_back_while_stopping(self) -> None:
        """
        A file that comes back is started when the old process is over: never
        are there two.
        """
        self.world.serve()
        self.world.vassal.unwanted()
        self.world.want(2)
        self.check(Phase.REPLACED)
        self.assertEqual([0], self.reactor.last.orders)
        self.reactor.last.ends()
        self.reactor.advance(0)
        self.check(Phase.STARTING)
        self.assertEqual(2, len(self.reactor.processes))

    def test_stop_of_the_next_one(self) -> None:
        """
        The process that came in place of a stopped one is stopped like any
        other, with a tolerance of its own.
        """
        self.world.serve()
        self.world.vassal.unwanted()
        self.world.want(2)
        self.reactor.advance(TOLERANCE - 1)
        self.reactor.last.ends()
        self.reactor.advance(0)
        self.reactor.last.says(Said.READY, Said.ACCEPTING)
        self.world.vassal.unwanted()
        self.reactor.advance(TOLERANCE - 1)
        self.assertEqual(([0], []), (self.reactor.last.orders, self.reactor.last.signals))

    def test_flapping_does_not_prolong(self) -> None:
        """
        A file that comes and goes gives a stopping vassal no more time.
        """
        self.world.serve()
        for _ in range(TOLERANCE):
            self.world.vassal.unwanted()
            self.world.vassal.wanted(make_spec())
            self.reactor.advance(1)
        self.assertEqual(["KILL"], self.reactor.last.signals)

    def test_accident(self) -> None:
        """
        A vassal that served well and is killed comes back at once.
        """
        self.world.serve(STABLE)
        self.reactor.last.ends(signal=9)
        self.assertEqual("killed by SIGKILL", self.world.vassal.status.ending)
        self.reactor.advance(0)
        self.check(Phase.STARTING)

    def test_loyal_accident(self) -> None:
        """
        So does one that answered a request.
        """
        self.world.serve(1)
        self.reactor.last.says(Said.LOYAL)
        self.reactor.last.ends(signal=9)
        self.reactor.advance(0)
        self.check(Phase.STARTING)

    def test_crash_loop(self) -> None:
        """
        A vassal that dies at each start waits longer each time.
        """
        self.world.want()
        for wait in (1, 2, 4, 8):
            self.reactor.last.ends(code=1)
            self.check(Phase.HELD_BACK, 0)
            self.assertEqual(wait, self.world.vassal.status.retry_at - self.reactor.seconds())
            self.reactor.advance(wait - 0.1)
            self.check(Phase.HELD_BACK, 0)
            self.reactor.pump([0.2, 0])
            self.check(Phase.STARTING)

    def test_mended(self) -> None:
        """
        A changed file of a held back vassal is tried at once, and its record
        is clean.
        """
        self.world.want()
        for _ in range(3):
            self.reactor.last.ends(code=1)
            self.reactor.pump([10, 0])
        self.reactor.last.ends(code=1)
        self.world.want(2)
        self.check(Phase.STARTING)
        self.reactor.last.ends(code=1)
        self.assertEqual(1, self.world.vassal.status.retry_at - self.reactor.seconds())

    def test_failed_reload(self) -> None:
        """
        A vassal that dies of its reload waits, however long it served before.
        """
        self.world.serve(100)
        self.world.want(2)
        self.reactor.last.ends(code=22)
        self.check(Phase.HELD_BACK, 0)
        self.assertEqual(1, self.world.vassal.status.retry_at - self.reactor.seconds())

    def test_what_is_known_of_a_failed_reload(self) -> None:
        """
        A reload that ends in a death is counted, and what the vassal said last
        is kept until it serves again.
        """
        self.world.serve(100)
        self.world.want(2)
        self.reactor.last.prints(b"Traceback\nno module named app\n")
        self.reactor.last.ends(code=22)
        status = self.world.vassal.status
        self.assertEqual("its reload failed: exit code 22", status.trouble)
        self.assertEqual(("Traceback", "no module named app"), status.said)
        self.assertEqual(1, status.failed_reloads)
        self.reactor.pump([1, 0])
        self.check(Phase.STARTING)
        self.assertEqual("its reload failed: exit code 22", self.world.vassal.status.trouble)
        self.reactor.last.says(Said.ACCEPTING)
        status = self.world.vassal.status
        self.assertEqual(("", (), 1), (status.trouble, status.said, status.failed_reloads))

    def test_last_words_of_a_start(self) -> None:
        """
        What a vassal said last is known of any death.
        """
        self.world.want()
        self.reactor.last.prints(b"no app")
        self.reactor.last.ends(code=22)
        status = self.world.vassal.status
        self.assertEqual((("no app",), "", 0), (status.said, status.trouble, status.failed_reloads))

    def test_endless_reload(self) -> None:
        """
        A reload that does not come back is told, counted once, and ended; then
        the vassal starts as after any death.
        """
        self.world.serve(100)
        self.world.want(2)
        self.reactor.last.prints(b"waiting for the database\n")
        self.reactor.advance(PATIENCE - 1)
        self.assertEqual("", self.world.vassal.status.trouble)
        self.reactor.advance(1)
        self.check(Phase.RELOADING)
        status = self.world.vassal.status
        self.assertEqual("its reload is not over after 300 s", status.trouble)
        self.assertEqual(("waiting for the database",), status.said)
        self.assertEqual(["KILL"], self.reactor.last.signals)
        self.reactor.advance(TOLERANCE)
        self.assertEqual(["KILL", "KILL"], self.reactor.last.signals)
        self.reactor.last.ends(signal=9)
        self.check(Phase.HELD_BACK, 0)
        self.assertEqual(1, self.world.vassal.status.failed_reloads)
        self.assertEqual("its reload is not over after 300 s", self.world.vassal.status.trouble)

    def test_endless_start(self) -> None:
        """
        A start that takes too long is told.  A vassal that has never said that it
        accepts may be one that never does, so it goes on; one that has said it
        is killed.
        """
        self.world.want()
        self.reactor.advance(PATIENCE / 2)
        self.reactor.last.says(Said.READY)
        self.reactor.advance(PATIENCE / 2)
        self.check(Phase.READY)
        self.assertEqual("its start is not over after 300 s", self.world.vassal.status.trouble)
        self.assertEqual([], self.reactor.last.signals)
        self.reactor.last.says(Said.ACCEPTING)
        self.assertEqual("", self.world.vassal.status.trouble)
        self.reactor.last.ends(signal=9)
        self.reactor.pump([1, 0])
        self.reactor.advance(PATIENCE)
        self.check(Phase.STARTING)
        self.assertEqual(["KILL"], self.reactor.last.signals)

    def test_second_reload_has_its_own_time(self) -> None:
        """
        A file that changes during a reload begins a new one.
        """
        self.world.serve(100)
        self.world.want(2)
        self.reactor.advance(PATIENCE - 1)
        self.world.want(3)
        self.reactor.advance(PATIENCE - 1)
        self.assertEqual([], self.reactor.last.signals)
        self.reactor.last.says(Said.ACCEPTING)
        self.reactor.advance(2 * PATIENCE)
        self.assertEqual([], self.reactor.last.signals)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_silent_heart(self) -> None:
        """
        A vassal whose heart stands still is asked to reload, and serves on when
        it does.
        """
        self.world.serve()
        self.reactor.last.says(Said.ALIVE)
        self.reactor.advance(HEARTBEAT - 1)
        self.reactor.last.says(Said.ALIVE)
        self.reactor.advance(HEARTBEAT - 1)
        self.check(Phase.ACCEPTING)
        self.reactor.advance(1)
        self.check(Phase.RELOADING)
        self.assertEqual([1], self.reactor.last.orders)
        self.assertEqual("its heart has not beaten for 20 s", self.world.vassal.status.trouble)
        self.reactor.last.says(Said.ACCEPTING, Said.ALIVE)
        self.check(Phase.ACCEPTING)
        self.assertEqual(0, self.world.vassal.status.failed_reloads)
        self.reactor.advance(HEARTBEAT)
        self.check(Phase.RELOADING)

    def test_dead_heart(self) -> None:
        """
        One that does not come back is killed after C{emperor-curse-tolerance}.
        Beats of the workers that are leaving do not help it.
        """
        self.world.serve()
        self.reactor.last.says(Said.ALIVE)
        self.reactor.advance(HEARTBEAT)
        self.reactor.last.says(Said.ALIVE)
        self.reactor.advance(TOLERANCE - 1)
        self.assertEqual([], self.reactor.last.signals)
        self.reactor.advance(1)
        self.assertEqual(["KILL"], self.reactor.last.signals)
        self.reactor.last.ends(signal=9)
        self.check(Phase.HELD_BACK, 0)
        self.assertEqual(1, self.world.vassal.status.failed_reloads)

    def test_heart_after_good_service(self) -> None:
        """
        One that is killed for its heart after good service comes back at once; the
        time for which its heart stood still does not count.
        """
        for served, wait in ((STABLE, 0), (STABLE - 1, 1)):
            self.setUp()
            self.world.serve(0)
            self.reactor.advance(served)
            self.reactor.last.says(Said.ALIVE)
            self.reactor.pump([HEARTBEAT, TOLERANCE])
            self.assertEqual(["KILL"], self.reactor.last.signals)
            self.reactor.last.ends(signal=9)
            status = self.world.vassal.status
            self.assertEqual(
                (Phase.HELD_BACK, wait), (status.phase, status.retry_at - self.reactor.seconds())
            )

    def test_heart_during_a_reload(self) -> None:
        """
        While a vassal reloads no beat is expected, however long that takes.
        """
        self.world.serve()
        self.reactor.last.says(Said.ALIVE)
        self.world.want(2)
        self.reactor.advance(2 * HEARTBEAT)
        self.check(Phase.RELOADING)
        self.assertEqual(("", []), (self.world.vassal.status.trouble, self.reactor.last.signals))

    def test_heart_of_one_that_leaves(self) -> None:
        """
        Of a vassal that was asked to leave no beat is expected.
        """
        self.world.serve()
        self.reactor.last.says(Said.ALIVE)
        self.world.vassal.unwanted()
        self.reactor.last.says(Said.ALIVE)
        self.reactor.advance(HEARTBEAT)
        self.check(Phase.STOPPING)
        self.reactor.last.ends()
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_idle(self) -> None:
        """
        A vassal that would rather leave does, and sleeps until it is woken.
        """
        self.world.serve(1)
        self.reactor.last.says(Said.IDLE, Said.LOYAL)
        self.check(Phase.RETIRING)
        self.assertEqual([0], self.reactor.last.orders)
        self.reactor.last.ends(code=1)
        self.check(Phase.ASLEEP, 0)
        self.reactor.advance(1000)
        self.assertEqual([], self.reactor.getDelayedCalls())
        self.world.vassal.wake()
        self.reactor.advance(0)
        self.check(Phase.STARTING)
        self.world.vassal.wake()
        self.reactor.last.ends(code=1)
        self.check(Phase.HELD_BACK, 0)
        self.reactor.pump([1, 0])
        self.check(Phase.STARTING)

    def test_idle_and_changed(self) -> None:
        """
        A changed file starts a vassal that sleeps, and one that is about to.
        """
        self.world.serve(1)
        self.reactor.last.says(Said.IDLE)
        self.world.want(2)
        self.check(Phase.REPLACED)
        self.reactor.last.ends()
        self.reactor.advance(0)
        self.reactor.last.says(Said.ACCEPTING, Said.IDLE)
        self.reactor.last.ends(code=26)
        self.check(Phase.ASLEEP, 0)
        self.world.want(3)
        self.check(Phase.STARTING)
        self.assertEqual(3, self.world.vassal.spec.fingerprint)

    def test_idle_but_stays(self) -> None:
        """
        One that says so and does not leave is killed like any other.
        """
        self.world.serve(1)
        self.reactor.last.says(Said.IDLE)
        self.reactor.advance(TOLERANCE)
        self.assertEqual(["KILL"], self.reactor.last.signals)

    def test_unwanted_before_its_turn_to_reload(self) -> None:
        """
        A vassal that waits for its turn to be tried again, and is not wanted any
        more, leaves no trace in the queue.
        """
        self.world.want()
        self.reactor.last.ends(code=1)
        self.world.vassal.reload()
        self.world.vassal.unwanted()
        self.check(Phase.GONE, 0)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_gently(self) -> None:
        """
        A vassal may be asked to answer its requests before it leaves.
        """
        self.world.serve()
        self.world.vassal.unwanted(gently=True)
        self.assertEqual([2], self.reactor.last.orders)

    def test_loyalty_is_kept(self) -> None:
        """
        When a vassal became loyal is known until its process is another one.
        """
        self.world.serve(1)
        self.reactor.last.says(Said.LOYAL)
        self.reactor.advance(5)
        self.reactor.last.says(Said.LOYAL)
        self.assertEqual(1, self.world.vassal.status.loyal_at)
        self.world.want(2)
        self.assertEqual(0, self.world.vassal.status.loyal_at)

    def test_loyalty_forgives(self) -> None:
        """
        A vassal that has come up after many deaths and answers a request waits
        no longer than at the beginning if it dies again.
        """
        self.world.want()
        for _ in range(5):
            self.reactor.last.ends(code=1)
            self.reactor.pump([200, 0])
        self.reactor.last.says(Said.LOYAL)
        self.assertEqual(1, self.world.vassal.status.failures)
        self.reactor.last.ends(code=1)
        self.assertEqual(1, self.world.vassal.status.retry_at - self.reactor.seconds())

    def test_exile(self) -> None:
        """
        Exit code 26 is for good, until the file changes.
        """
        self.world.serve(100)
        self.reactor.last.ends(code=26)
        self.check(Phase.EXILED, 0)
        self.assertEqual([], self.reactor.getDelayedCalls())
        self.world.want(2)
        self.check(Phase.STARTING)

    def test_orphaned(self) -> None:
        """
        Nothing is started while workers of the old process hold on.
        """
        self.world.serve(STABLE)
        self.reactor.last.leaves(signal=9)
        self.reactor.advance(1)
        self.check(Phase.ORPHANED, 0)
        self.assertEqual(1, len(self.reactor.processes))
        self.reactor.last.hangs_up()
        self.reactor.advance(0)
        self.reactor.advance(0)
        self.check(Phase.STARTING)

    def test_cannot_be_started(self) -> None:
        """
        A start that fails is a death: the vassal is held back and tried again.
        """
        self.reactor.fault = OSError(11, "Resource temporarily unavailable")
        self.world.want()
        self.check(Phase.HELD_BACK, 0)
        self.assertIn("Resource temporarily unavailable", self.world.vassal.status.ending)
        self.reactor.fault = None
        self.reactor.pump([1, 0])
        self.check(Phase.STARTING)

    def test_unwanted_while_nothing_runs(self) -> None:
        """
        A vassal that waits, for its turn or for a retry or for ever, is simply
        gone.
        """
        self.world.vassal.wanted(make_spec())
        self.world.vassal.unwanted()
        self.check(Phase.GONE, 0)
        for code in (1, 26):
            self.world.want()
            self.reactor.last.ends(code=code)
            self.world.vassal.unwanted()
            self.check(Phase.GONE, 0)
        self.assertEqual([], self.reactor.getDelayedCalls())


def say(*words: Said) -> Event:
    """
    The vassal says something.
    """

    def happen(world: World) -> None:
        if world.holds_pipe:
            world.reactor.last.says(*words)

    return happen


def end(code: int) -> Event:
    """
    All of the vassal's processes leave.
    """

    def happen(world: World) -> None:
        if world.alive and world.holds_pipe:
            world.reactor.last.ends(code)

    return happen


def leave(world: World) -> None:
    """
    The first process leaves, others may hold on.
    """
    if world.alive:
        world.reactor.last.leaves(1)


def hang_up(world: World) -> None:
    """
    Nobody holds the pipe any more.
    """
    if world.holds_pipe:
        world.reactor.last.hangs_up()


def change(world: World) -> None:
    """
    The file changes.
    """
    world.vassal.wanted(make_spec(fingerprint=object()))


def fail_to_start(world: World) -> None:
    """
    The system has no room, until it has again.
    """
    world.reactor.fault = None if world.reactor.fault else OSError(11, "no room")


EVENTS: dict[str, Event] = {
    "want": lambda world: world.vassal.wanted(world.vassal.spec),
    "change": change,
    "unwant": lambda world: world.vassal.unwanted(),
    "ready": say(Said.READY),
    "accepting": say(Said.ACCEPTING),
    "loyal": say(Said.LOYAL),
    "beat": say(Said.ALIVE),
    "idle": say(Said.IDLE),
    "wake": lambda world: world.vassal.wake(),
    "pardon": lambda world: world.vassal.pardon(),
    "retry": lambda world: world.vassal.retry(),
    "reload": lambda world: world.vassal.reload(),
    "five minutes": lambda world: world.reactor.advance(PATIENCE),
    "leave": leave,
    "end": end(1),
    "exile": end(26),
    "hang up": hang_up,
    "a moment": lambda world: world.reactor.advance(0),
    "a minute": lambda world: world.reactor.advance(60),
    "fail to start": fail_to_start,
}


class AnythingTests(SynchronousTestCase):
    @given(st.lists(st.sampled_from(sorted(EVENTS))))
    def test_never_two(self, events: list[str]) -> None:
        """
        Whatever happens in whatever order, there is an answer to it, and there
        are never two processes of one vassal.
        """
        world = World()
        for event in events:
            EVENTS[event](world)
            self.assertLessEqual(world.alive, 1)
            if world.phase in (
                Phase.GONE,
                Phase.EXILED,
                Phase.HELD_BACK,
                Phase.QUEUED,
                Phase.ASLEEP,
            ):
                self.assertEqual(0, world.alive)

    @given(st.lists(st.sampled_from(sorted(EVENTS))))
    def test_always_ends(self, events: list[str]) -> None:
        """
        After whatever happened, an unwanted vassal goes, and leaves no timer.
        """
        world = World()
        for event in events:
            EVENTS[event](world)
        world.vassal.unwanted()
        if world.phase is not Phase.GONE:
            leave(world)
            hang_up(world)
            world.reactor.advance(1)
        self.assertEqual(Phase.GONE, world.phase)
        self.assertEqual([], world.reactor.getDelayedCalls())
