"""
Tests for L{emperor.vassals.emperor}.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import Address, UnixAddress, parse_address
from emperor.config.commandsettings import CommandSettings
from emperor.config.doorways import Doorway
from emperor.config.settings import EmperorSettings
from emperor.interfaces import IRealm, IVassalDirectory
from emperor.testing.vassals import (
    MemoryDoor,
    MemoryMonitor,
    MemoryProcess,
    MemorySpawner,
    make_spec,
)
from emperor.vassals.commandline import Program
from emperor.vassals.emperor import Emperor
from emperor.vassals.launcher import Launcher
from emperor.vassals.moment import SETTLING
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, VassalStatus
from emperor.vassals.view import SourceView
from emperor.wire.vassal import Said

MERCY = 30

A, B, C = make_spec("a.ini"), make_spec("b.ini"), make_spec("c.ini")


def listening(spec: VassalSpec) -> frozenset[Address]:
    """
    Each vassal listens at C{/NAME.sock}.
    """
    return frozenset({parse_address(f"/{spec.id.name}.sock")})


class EmperorTestCase(SynchronousTestCase):
    """
    An Emperor with a monitor, in memory.
    """

    def setUp(self) -> None:
        self.reactor = MemorySpawner()
        self.monitor = MemoryMonitor()
        self.settings = EmperorSettings(
            throttle=1, max_throttle=180, curse_tolerance=40, reload_mercy=MERCY
        )
        self.removed: list[bytes] = []
        self.build(self.settings)
        self.doorway: Doorway | None = None
        self.same_socket = False
        self.port = ""
        self.listening_fault: Exception | None = None
        self.read: list[str] = []

    def build(self, settings: EmperorSettings) -> None:
        launcher = Launcher(
            self.reactor,
            settings,
            {},
            self.reactor,
            find=lambda binary: Program("/usr/bin/uwsgi"),
        )
        self.emperor = Emperor(
            self.reactor,
            [self.monitor],
            launcher.launch,
            settings=settings,
            listening=self.listening,
            find_door=lambda spec: self.doorway,
            open_door=lambda id, doorway: MemoryDoor(doorway),
            random=lambda: 0,
            remove_socket=self.removed.append,
        )

    def listening(self, spec: VassalSpec) -> frozenset[Address]:
        self.read.append(spec.id.name)
        if self.listening_fault is not None:
            raise self.listening_fault
        if self.port:
            return frozenset({parse_address(self.port)})
        return listening(make_spec("b.ini") if self.same_socket else spec)

    def run_with(self, *specs: VassalSpec) -> list[MemoryProcess]:
        """
        Start, and let each of these accept.
        """
        self.emperor.startService()
        self.monitor.want(*specs)
        self.reactor.advance(0)
        for process in self.reactor.processes:
            process.says(Said.READY, Said.ACCEPTING)
        self.reactor.advance(SETTLING)
        return self.reactor.processes

    def phases(self) -> list[Phase]:
        """
        Of all vassals.
        """
        return [status.phase for status in self.emperor.states()]

    def why(self, name: str) -> str | None:
        """
        Why nothing accepts at that vassal's socket.
        """
        return self.emperor.reason_for_absence(parse_address(f"/{name}.sock"))


class EmperorTests(EmperorTestCase):
    def test_interfaces(self) -> None:
        """
        It is what monitors and routers expect.
        """
        verifyObject(IRealm, self.emperor)
        verifyObject(IVassalDirectory, self.emperor)

    def test_first_look(self) -> None:
        """
        What the monitors want at the start is started.
        """
        self.monitor.specs = (A, B)
        self.emperor.startService()
        self.reactor.advance(0)
        self.assertEqual(["a.ini", "b.ini"], [each.argv[-1] for each in self.reactor.processes])

    def test_the_socket_of_a_vassal_that_is_gone(self) -> None:
        """
        A stopped vassal's socket file goes with it, so its host is free.
        """
        a, _ = self.run_with(A, B)
        self.monitor.want(B)
        self.assertEqual([], self.removed)
        a.ends()
        self.assertEqual([b"/a.ini.sock"], self.removed)

    def test_the_socket_of_a_broken_file(self) -> None:
        """
        A vassal whose file is broken is still known by the socket that it had, and
        the file of that goes with it.
        """
        (process,) = self.run_with(A)
        self.listening_fault = OSError("garbage")
        self.monitor.want(replace(A, fingerprint=(99,)))
        process.ends(code=1)
        self.reactor.pump([0, 1, 0])
        self.reactor.last.ends(code=1)
        self.assertEqual(2, len(self.flushLoggedErrors(OSError)))
        self.assertIn("died and is held back", str(self.why("a.ini")))
        self.monitor.want()
        self.assertEqual([b"/a.ini.sock"], self.removed)

    def test_the_socket_of_another_name(self) -> None:
        """
        When a vassal accepts with another socket the old one's file goes.
        """
        (process,) = self.run_with(A)
        self.same_socket = True
        self.monitor.want(replace(A, fingerprint=(99,)))
        self.assertEqual([], self.removed)
        self.assertEqual("vassal a.ini is reloading", self.why("a.ini"))
        process.says(Said.READY, Said.ACCEPTING)
        self.assertEqual([b"/a.ini.sock"], self.removed)
        self.assertIsNone(self.why("a.ini"))

    def test_sleeping(self) -> None:
        """
        It is known where a vassal can be woken, and what it does; a request may
        wait there, unless the vassal is not coming.
        """
        held = parse_address("/held.sock")
        self.doorway = Doorway(cast(UnixAddress, held), on_demand=True)
        self.run_with(A)
        self.assertEqual("vassal a.ini sleeps", self.emperor.reason_for_absence(held))
        self.assertEqual((held, set()), (self.emperor.door(A.id), self.emperor.leaving))
        self.assertIn(held, self.emperor.addresses(A.id))
        self.emperor.wake(A.id)
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING], self.phases())
        self.assertEqual((set(), 77), (self.emperor.leaving, self.reactor.last.fds[0]))
        self.reactor.last.ends(code=1)
        self.assertIn(held, self.emperor.leaving)
        self.monitor.want()
        self.assertEqual(set(), self.emperor.leaving)
        self.assertIn(b"/held.sock", self.removed)

    def test_a_port_that_another_vassal_leaves(self) -> None:
        """
        A renamed file is started when the old vassal has left their TCP port, and
        so does not die of it.
        """
        self.port = ":9000"
        (a,) = self.run_with(A)
        self.monitor.want(B)
        self.reactor.advance(1)
        self.assertEqual([Phase.STOPPING, Phase.QUEUED], self.phases())
        a.ends()
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING], self.phases())

    def test_many_ports_that_others_leave(self) -> None:
        """
        Of who waits the file is read once, however many go meanwhile.
        """
        self.port = ":9000"
        old = [make_spec(f"old{number}.ini") for number in range(10)]
        processes = self.run_with(*old)
        self.monitor.want(B)
        self.read.clear()
        for process in list(processes):
            self.assertEqual(Phase.QUEUED, self.phases()[-1])
            process.ends()
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING], self.phases())
        self.assertEqual(["b.ini"], self.read)  # When it starts.

    def test_a_port_that_is_not_needed_any_more(self) -> None:
        """
        Who waited for a port and is not wanted any more is gone.
        """
        self.port = ":9000"
        (a,) = self.run_with(A)
        self.monitor.want(B)
        self.monitor.want()
        a.ends()
        self.reactor.advance(0)
        self.assertEqual(([], 1), (self.phases(), len(self.reactor.processes)))

    def test_a_socket_that_another_vassal_has(self) -> None:
        """
        A renamed file is a new vassal with the old socket, which stays.
        """
        self.same_socket = True
        a, _ = self.run_with(A, B)
        self.monitor.want(B)
        a.ends()
        self.assertEqual([], self.removed)

    def test_leaving(self) -> None:
        """
        The routers are told whose vassal is about to leave.
        """
        leaving = self.emperor.leaving
        a, _ = self.run_with(A, B)
        self.assertEqual(set(), leaving)
        self.monitor.want(B)
        self.assertEqual({parse_address("/a.ini.sock")}, leaving)
        a.ends()
        self.assertEqual(set(), leaving)

    def test_only_the_changed_one(self) -> None:
        """
        One changed file reloads one vassal, one removed file stops one.
        """
        a, b, c = self.run_with(A, B, C)
        self.monitor.want(A, make_spec("b.ini", 2))
        self.assertEqual(([], [1], [0]), (a.orders, b.orders, c.orders))
        self.assertEqual([Phase.ACCEPTING, Phase.RELOADING, Phase.STOPPING], self.phases())

    def test_same_report_again(self) -> None:
        """
        A report that says nothing new changes nothing.
        """
        (a,) = self.run_with(A)
        self.monitor.want(A)
        self.assertEqual([], a.orders)

    def test_two_monitors(self) -> None:
        """
        What one monitor wants is no business of another, even under one name.
        """
        self.run_with(A)
        self.emperor.wanted(
            "dir:///other", [make_spec("a.ini", monitor="dir:///other", directory="/tmp")]
        )
        self.reactor.advance(0)
        self.assertEqual(2, len(self.reactor.processes))
        self.emperor.wanted("dir:///other", [])
        self.assertEqual([Phase.ACCEPTING, Phase.STOPPING], self.phases())

    def test_one_file_in_two_monitors(self) -> None:
        """
        A file that two monitors see is one vassal; the second one is refused,
        with one warning, until the first wants it no more.
        """
        self.run_with(A)
        again = make_spec("/a.ini", monitor="glob:///*.ini", directory="/tmp")
        with capturedLogs() as events:
            for _ in range(2):
                self.emperor.wanted("glob:///*.ini", [again])
        self.assertEqual([Phase.ACCEPTING], self.phases())
        self.assertEqual(
            ["/a.ini of glob:///*.ini is not started: it is a vassal of dir:///v already"],
            [formatEvent(event) for event in events],
        )
        self.monitor.want()
        self.emperor.wanted("glob:///*.ini", [again])
        self.assertEqual([Phase.STOPPING, Phase.QUEUED], self.phases())

    def test_unavailable(self) -> None:
        """
        A monitor that cannot look changes nothing; what it wanted is started
        again when it dies meanwhile.
        """
        (a,) = self.run_with(A)
        with capturedLogs() as events:
            self.monitor.break_down("No such file or directory")
            self.monitor.break_down("No such file or directory")
        self.assertEqual([], a.orders)
        self.assertEqual(
            ["Monitor dir:///v is not available: No such file or directory; its 1 vassals stay"],
            [formatEvent(event) for event in events],
        )
        a.ends(code=1)
        self.reactor.pump([1, 0])
        self.assertEqual([Phase.STARTING], self.phases())

    def test_views(self) -> None:
        """
        Who looks sees each vassal as it is when its turn comes, and nothing of
        one that has gone meanwhile.
        """
        held = cast(UnixAddress, parse_address("/held.sock"))
        self.doorway = Doorway(held)
        a, b = self.run_with(A, B)
        views = self.emperor.views()
        first = next(views)
        self.assertEqual((A, self.doorway), (first.spec, first.doorway))
        self.assertEqual({held, *listening(A)}, first.addresses)
        self.assertEqual((a.pid, Phase.ACCEPTING), (first.status.pid, first.status.phase))
        self.assertEqual(0, first.beat_at)
        self.reactor.advance(5)
        a.says(Said.ALIVE)
        self.assertEqual(SETTLING + 5, next(self.emperor.views()).beat_at)
        self.monitor.want(A)
        b.ends()
        self.assertEqual([], list(views))

    def test_sources(self) -> None:
        """
        So are the monitors: how many vassals they want, and why they cannot look.
        """
        self.run_with(A, B)
        self.assertEqual((SourceView("dir:///v", 2, ""),), self.emperor.sources())
        self.monitor.break_down("away")
        self.assertEqual((SourceView("dir:///v", 2, "away"),), self.emperor.sources())

    def test_empty_after_trouble(self) -> None:
        """
        That a source is empty is believed only the second time, if it was away
        just before.
        """
        self.run_with(A)
        self.monitor.break_down()
        self.monitor.want()
        self.assertEqual([Phase.ACCEPTING], self.phases())
        self.monitor.want()
        self.assertEqual([Phase.STOPPING], self.phases())

    def test_gone_and_back(self) -> None:
        """
        A vassal whose file is back before it has left is started after it.
        """
        (a,) = self.run_with(A)
        self.monitor.want()
        self.monitor.want(A)
        self.assertEqual([Phase.REPLACED], self.phases())
        a.ends()
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING], self.phases())

    def test_one_trouble_is_not_all(self) -> None:
        """
        A vassal that cannot be started does not hurt the others.
        """
        (a,) = self.run_with(A)
        self.monitor.want(A, make_spec("b.ini", directory="/no/such/place"))
        self.reactor.advance(0)
        self.assertEqual([Phase.ACCEPTING, Phase.HELD_BACK], self.phases())
        self.assertEqual([], a.orders)

    def test_many_at_once(self) -> None:
        """
        Hundreds of vassals are all started, only some of them together, and the
        first ones serve while the last ones wait.
        """
        self.run_with(*(make_spec(f"{number}.ini") for number in range(500)))
        rate = EmperorSettings().spawn_rate
        self.assertEqual(rate, self.phases().count(Phase.ACCEPTING))
        for served in range(rate, 500, rate):
            self.reactor.pump([0] * rate)
            self.assertEqual(served, self.phases().count(Phase.ACCEPTING))
            for process in self.reactor.processes[served:]:
                process.says(Said.READY, Said.ACCEPTING)
        self.assertEqual({Phase.ACCEPTING}, set(self.phases()))
        self.assertEqual(500, len(self.reactor.processes))

    def test_reload_all(self) -> None:
        """
        SIGHUP reloads every vassal and retries those that are held back, but
        not those that asked to be left alone.
        """
        a, b, c = self.run_with(A, B, C)
        b.ends(code=1)
        c.ends(code=26)
        self.emperor.reload_all()
        self.reactor.advance(0)
        self.assertEqual([1], a.orders)
        self.assertEqual([Phase.RELOADING, Phase.STARTING, Phase.EXILED], self.phases())

    def test_reload_all_in_turn(self) -> None:
        """
        SIGHUP does not stop all sites for all others: only some reload at the
        same time.
        """
        rate = EmperorSettings().spawn_rate
        self.reactor.advance(1)
        self.run_with(*(make_spec(f"{number}.ini") for number in range(2 * rate)))
        self.reactor.pump([0] * rate)
        for process in self.reactor.processes:
            process.says(Said.READY, Said.ACCEPTING)
        self.reactor.advance(SETTLING)
        self.emperor.reload_all()
        self.reactor.pump([0] * 2 * rate)
        self.assertEqual(rate, self.phases().count(Phase.RELOADING))
        for process in self.reactor.processes[:rate]:
            process.says(Said.ACCEPTING)
        self.reactor.pump([0] * rate)
        self.assertEqual([[1]] * 2 * rate, [each.orders for each in self.reactor.processes])

    def test_unwanted_before_its_reload(self) -> None:
        """
        A vassal that is to leave before it was its turn to reload only leaves.
        """
        (a,) = self.run_with(A)
        self.emperor.reload_all()
        self.monitor.want()
        self.reactor.pump([0] * 3)
        self.assertEqual([0], a.orders)

    def test_pardon(self) -> None:
        """
        SIGURG forgets all deaths: who is held back starts at once and with a
        clean record; who runs, and who asked to be left alone, is let be.
        """
        a, b, c = self.run_with(A, B, C)
        c.ends(code=26)
        for _ in range(3):
            b.ends(code=1)
            self.reactor.pump([200, 0])
            b = self.reactor.last
        b.ends(code=1)
        self.emperor.pardon_all()
        self.reactor.advance(0)
        self.assertEqual([Phase.ACCEPTING, Phase.STARTING, Phase.EXILED], self.phases())
        self.assertEqual([], a.orders)
        self.reactor.last.ends(code=1)
        status = self.emperor.states()[1]
        self.assertEqual((1, 1), (status.retry_at - self.reactor.seconds(), status.failures))

    def test_retry(self) -> None:
        """
        By hand a vassal is started even if it asked to be left alone.
        """
        a, b = self.run_with(A, B)
        a.ends(code=26)
        b.ends(code=1)
        for id in (A.id, B.id):
            self.emperor.retry(id)
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING, Phase.STARTING], self.phases())
        with self.assertRaises(KeyError):
            self.emperor.retry(C.id)

    def test_mercy_at_the_end(self) -> None:
        """
        When the program stops vassals have reload-mercy, whatever they have
        otherwise.
        """
        (a,) = self.run_with(A)
        stopped = self.emperor.stopService()
        self.reactor.advance(MERCY - 1)
        self.assertEqual([], a.signals)
        self.reactor.advance(1)
        self.assertEqual(["KILL"], a.signals)
        a.ends(signal=9)
        self.successResultOf(stopped)

    def test_rescan(self) -> None:
        """
        SIGWINCH makes every monitor look.
        """
        self.run_with(A)
        self.emperor.rescan()
        self.assertEqual(1, self.monitor.rescans)

    def test_log_state(self) -> None:
        """
        SIGUSR1 writes a line per vassal.
        """
        _, b = self.run_with(A, B)
        b.ends(code=1)
        self.reactor.advance(0.5)
        with capturedLogs() as events:
            self.emperor.log_state()
        self.assertEqual(
            [
                "Vassal a.ini is accepting (pid 1000, age 1.0 s, 1 starts, 0 reloads, "
                "next try in 0 s)",
                "Vassal b.ini is held back (pid 0, age 0 s, 1 starts, 0 reloads, "
                "next try in 0.5 s)",
            ],
            [formatEvent(event) for event in events],
        )

    def test_news(self) -> None:
        """
        The log tells when a vassal accepts, and how long that took.
        """
        self.emperor.startService()
        self.monitor.want(A)
        self.reactor.advance(0)
        self.reactor.advance(1.5)
        with capturedLogs() as events:
            self.reactor.last.says(Said.READY, Said.ACCEPTING)
        self.assertEqual("Vassal a.ini accepts requests (pid 1000, 1.5 s)", formatEvent(events[-1]))

    def test_told_before_the_vassal(self) -> None:
        """
        Who watches hears that a vassal is to leave before the vassal does: so it
        gets no request that it would not answer.
        """
        a, _ = self.run_with(A, B)
        heard: list[list[int]] = []
        self.emperor.watch(lambda status: heard.append(list(a.orders)))
        self.monitor.want(B)
        self.assertEqual([[]], heard)
        self.assertEqual([0], a.orders)

    def test_spec(self) -> None:
        """
        What a vassal is can be asked while there is one.
        """
        self.run_with(A)
        self.assertEqual(A, self.emperor.spec(A.id))
        self.assertRaises(KeyError, self.emperor.spec, B.id)

    def test_watch(self) -> None:
        """
        Others may be told of each change.
        """
        seen: list[VassalStatus] = []
        self.emperor.watch(seen.append)
        self.run_with(A)
        self.assertEqual(
            [Phase.QUEUED, Phase.STARTING, Phase.READY, Phase.ACCEPTING],
            [status.phase for status in seen],
        )


class AbsenceTests(EmperorTestCase):
    def test_life(self) -> None:
        """
        Whoever asks why nobody accepts at a vassal's socket is told what the
        vassal is doing.
        """
        self.emperor.startService()
        self.monitor.want(A)
        self.reactor.advance(0)
        self.assertEqual("vassal a.ini is starting", self.why("a.ini"))
        self.reactor.last.says(Said.READY, Said.ACCEPTING)
        self.assertIsNone(self.why("a.ini"))
        self.reactor.advance(SETTLING)
        self.monitor.want(make_spec("a.ini", 2))
        self.assertEqual("vassal a.ini is reloading", self.why("a.ini"))
        self.reactor.last.ends(code=1)
        self.assertEqual("vassal a.ini died and is held back for 1 s", self.why("a.ini"))
        self.reactor.pump([1, 0])
        self.assertEqual("vassal a.ini is starting", self.why("a.ini"))
        self.monitor.want()
        self.assertEqual("vassal a.ini is stopping", self.why("a.ini"))
        self.reactor.last.ends()
        self.assertIsNone(self.why("a.ini"))

    def test_unknown(self) -> None:
        """
        Nothing is known of a socket that is no vassal's.
        """
        self.run_with(A)
        self.assertIsNone(self.why("b.ini"))

    def test_unreadable(self) -> None:
        """
        A configuration that we cannot read hurts nobody.
        """
        self.listening_fault = ValueError("what is this?")
        self.run_with(A)
        self.assertIsNone(self.why("a.ini"))
        self.assertEqual([Phase.ACCEPTING], self.phases())
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))


class StopTests(EmperorTestCase):
    def test_nothing_to_stop(self) -> None:
        """
        An Emperor without vassals stops at once.
        """
        self.emperor.startService()
        self.successResultOf(self.emperor.stopService())
        self.assertIsNone(self.monitor.realm)

    def test_waits_for_all(self) -> None:
        """
        It has stopped when the last process has left, and leaves no timer.
        """
        a, b = self.run_with(A, B)
        stopped = self.emperor.stopService()
        a.ends()
        self.assertNoResult(stopped)
        b.ends()
        self.successResultOf(stopped)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_kills(self) -> None:
        """
        Who does not leave is killed when the tolerance is over.
        """
        (a,) = self.run_with(A)
        self.emperor.stopService()
        self.reactor.advance(30)
        self.assertEqual(([0], ["KILL"]), (a.orders, a.signals))

    def test_nothing_starts_any_more(self) -> None:
        """
        What waits for its turn or its retry is not started, and a late report
        changes nothing.
        """
        a, _ = self.run_with(A, B)
        a.ends(code=1)
        self.monitor.want(A, B, C)
        stopped = self.emperor.stopService()
        self.emperor.wanted(self.monitor.source, [A])
        self.reactor.processes[1].ends()
        self.successResultOf(stopped)
        self.reactor.advance(100)
        self.assertEqual(2, len(self.reactor.processes))


class FaultTests(EmperorTestCase):
    """
    What fails around a vassal does not keep the Emperor from its work.
    """

    def test_no_descriptors(self) -> None:
        """
        Vassals for which there are no descriptors are tried again, all of them,
        and are up when there are some again.
        """
        self.reactor.pipe_fault = OSError(24, "Too many open files")
        self.emperor.startService()
        self.monitor.want(A, B, C)
        self.reactor.pump([0] * 5)
        self.assertEqual([Phase.HELD_BACK] * 3, self.phases())
        self.reactor.pipe_fault = None
        self.reactor.pump([1, 0, 0])
        self.assertEqual([Phase.STARTING] * 3, self.phases())

    def test_odd_faults(self) -> None:
        """
        So it is with a launcher that fails in an unforeseen way; and such a
        vassal can be stopped.
        """
        fault = RuntimeError("as the test wants")

        def launch(*arguments: object) -> None:
            raise fault

        emperor = Emperor(
            self.reactor,
            [self.monitor],
            launch,  # type: ignore[arg-type]
            settings=EmperorSettings(throttle=1, max_throttle=180, curse_tolerance=30),
            listening=self.listening,
        )
        emperor.startService()
        self.monitor.want(A, B, C)
        self.reactor.pump([0] * 5)
        self.assertEqual([Phase.HELD_BACK] * 3, [each.phase for each in emperor.states()])
        self.successResultOf(emperor.stopService())
        self.assertEqual(3, len(self.flushLoggedErrors(RuntimeError)))

    def test_hooks(self) -> None:
        """
        Neither a watcher nor the removal of a socket can keep a vassal from
        being gone.
        """
        self.emperor._sockets._remove = self.fail
        self.emperor.watch(self.fail)
        (a,) = self.run_with(A)
        stopped = self.emperor.stopService()
        a.ends()
        self.successResultOf(stopped)
        self.assertTrue(self.flushLoggedErrors(self.failureException))

    def test_what_cannot_be_killed(self) -> None:
        """
        A vassal that survives everything is killed once more, and the program
        ends and says so.
        """
        (a,) = self.run_with(A)
        stopped = self.emperor.stopService()
        self.reactor.advance(30)
        self.assertNoResult(stopped)
        with capturedLogs() as events:
            self.reactor.pump([1] * 5)
        self.successResultOf(stopped)
        self.assertIn("Given up, and killed once more: a.ini", map(formatEvent, events))
        self.assertGreater(a.signals.count("KILL"), 1)


class CommandTests(EmperorTestCase):
    """
    What commands and requests do.
    """

    def wait_for_command(self, *ignored: str) -> None:
        commands = CommandSettings(wait=True, ignored=frozenset(ignored))
        self.build(replace(self.settings, commands=commands))

    def test_waits(self) -> None:
        """
        Vassals wait, except those that are named; what is missing is told.
        """
        self.wait_for_command("b.ini")
        self.run_with(A, B)
        self.assertEqual([Phase.ASLEEP, Phase.ACCEPTING], self.phases())
        self.assertEqual("vassal a.ini waits for a command", self.why("a.ini"))
        self.assertEqual("vassal a.ini waits for a command", self.emperor.reason_named("a.ini"))
        self.emperor.retry(A.id)
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING, Phase.ACCEPTING], self.phases())

    def test_the_uwsgi_of_our_own_file(self) -> None:
        """
        It does not wait.
        """
        self.wait_for_command()
        self.run_with(replace(A, config=b"[uwsgi]\n", is_instance=True))
        self.assertEqual([Phase.ACCEPTING], self.phases())

    def test_request(self) -> None:
        """
        A request at the vassal's address, or for its name, wakes it.
        """

        def by_address() -> bool:
            return self.emperor.rouse(parse_address("/a.ini.sock"))

        def by_name() -> bool:
            return self.emperor.rouse_named("a.ini")

        for rouse in (by_address, by_name):
            self.wait_for_command()
            self.run_with(A)
            heard: list[Collection[Address]] = []
            self.emperor.greet(heard.append)
            self.assertTrue(rouse())
            self.reactor.advance(0)
            self.assertTrue(rouse())
            self.reactor.last.says(Said.READY, Said.ACCEPTING)
            self.assertFalse(rouse())
            self.assertEqual([{parse_address("/a.ini.sock")}], heard)

    def test_nobody(self) -> None:
        """
        Nobody is woken where nobody sleeps.
        """
        self.run_with(A)
        self.assertFalse(self.emperor.rouse(parse_address("/a.ini.sock")))
        self.assertFalse(self.emperor.rouse(parse_address("/b.ini.sock")))
        self.assertFalse(self.emperor.rouse_named("b.ini"))
        self.assertIsNone(self.emperor.reason_named("b.ini"))
        self.assertEqual("", self.emperor.reason_named("a.ini"))

    def test_stopped(self) -> None:
        """
        A request does not start what a command has stopped; the end of its file
        forgets that.
        """
        (process,) = self.run_with(A)
        self.emperor.stop(A.id)
        process.ends()
        self.assertEqual("vassal a.ini was stopped by a command", self.why("a.ini"))
        self.assertFalse(self.emperor.rouse(parse_address("/a.ini.sock")))
        self.assertTrue(self.emperor.is_stopped("a.ini"))
        self.assertFalse(self.emperor.is_stopped("b.ini"))
        self.emperor.rescan()
        self.reactor.advance(100)
        self.assertEqual([Phase.ASLEEP], self.phases())
        self.monitor.want()
        self.assertEqual([], self.phases())
        self.assertEqual((), self.emperor.named("a.ini"))
        self.monitor.want(A)
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING], self.phases())

    def test_end(self) -> None:
        """
        The program ends although vassals wait.
        """
        self.wait_for_command()
        self.run_with(A)
        self.successResultOf(self.emperor.stopService())
        self.assertEqual([], self.phases())
