"""
Tests for L{emperor.vassals.broodlord}.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ProcessDone
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.commanding.obeying import Obedience
from emperor.config.commandsettings import CommandSettings
from emperor.config.doorways import Doorway
from emperor.config.settings import EmperorSettings
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
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.status import Phase, Rest
from emperor.wire.commands import VassalCommand, Verb
from emperor.wire.vassal import Order, Said

A, B = make_spec("a.ini"), make_spec("b.ini")


class BroodlordTestCase(SynchronousTestCase):
    """
    An Emperor in memory, with room for two zergs.
    """

    limit = 2
    doorway: Doorway | None = None

    def setUp(self) -> None:
        self.reactor = MemorySpawner()
        self.monitor = MemoryMonitor()
        settings = self.build()
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
            listening=lambda spec: frozenset(),
            find_door=lambda spec: None if spec.is_zerg else self.doorway,
            open_door=lambda id, doorway: MemoryDoor(doorway),
            random=lambda: 0,
        )

    def build(self, **changes: Any) -> EmperorSettings:
        return EmperorSettings(
            broodlord=self.limit, throttle=1, max_throttle=180, curse_tolerance=40, **changes
        )

    def run_with(self, *specs: VassalSpec) -> list[MemoryProcess]:
        """
        Start, and let each of these accept.
        """
        self.emperor.startService()
        self.monitor.want(*specs)
        self.reactor.advance(0)
        processes = list(self.reactor.processes)
        for process in processes:
            process.says(Said.READY, Said.ACCEPTING)
        self.reactor.advance(SETTLING)
        return processes

    def hatch(self, parent: MemoryProcess) -> MemoryProcess:
        """
        Let a vassal call, and its zerg accept.
        """
        before = len(self.reactor.processes)
        parent.says(Said.SOS)
        self.reactor.advance(0)
        self.assertEqual(before + 1, len(self.reactor.processes))
        zerg = self.reactor.last
        zerg.says(Said.READY, Said.ACCEPTING)
        self.reactor.advance(SETTLING)
        return zerg

    def states(self) -> dict[str, Phase]:
        """
        Of all vassals.
        """
        return {status.id.name: status.phase for status in self.emperor.states()}

    def calls_in_vain(self, *parents: MemoryProcess) -> None:
        """
        Check that nobody comes.
        """
        before = len(self.reactor.processes)
        for parent in parents:
            parent.says(Said.SOS)
        self.reactor.advance(0)
        self.assertEqual(before, len(self.reactor.processes))


class HelpTests(BroodlordTestCase):
    def test_a_call(self) -> None:
        """
        A vassal that calls for help gets another instance, which reads the
        section [zerg] of the same file and knows its number.
        """
        (a,) = self.run_with(A)
        with capturedLogs() as events:
            zerg = self.hatch(a)
        self.assertEqual(["/usr/bin/uwsgi", "--ini", "a.ini:zerg"], zerg.argv)
        self.assertEqual((a.directory, "1"), (zerg.directory, zerg.env["UWSGI_BROODLORD_NUM"]))
        self.assertNotIn("UWSGI_BROODLORD_NUM", a.env)
        self.assertEqual({"a.ini": Phase.ACCEPTING, "a.ini:zerg": Phase.ACCEPTING}, self.states())
        self.assertEqual([False, True], [each.zerg for each in self.emperor.states()])
        self.assertIn("Vassal a.ini calls for help and gets a.ini:zerg", map(formatEvent, events))

    def test_in_no_file(self) -> None:
        """
        A zerg of a vassal that its monitor has gets what its parent gets, by a pipe
        of its own; when that has changed, what it is then.
        """
        (a,) = self.run_with(replace(A, config=b"one"))
        zerg = self.hatch(a)
        self.assertEqual(["/usr/bin/uwsgi", "--ini", "emperor://a.ini:zerg"], zerg.argv)
        self.assertIn("UWSGI_EMPEROR_FD_CONFIG", zerg.env)
        self.assertEqual([b"one"], zerg.configurations)
        self.monitor.want(replace(make_spec("a.ini", 2), config=b"two"))
        a.says(Said.CONFIGURATION)
        self.reactor.advance(1)
        a.says(Said.ACCEPTING)
        zerg.ends()
        self.reactor.advance(0)
        again = self.reactor.last
        self.assertEqual([[b"one", b"two"], [b"one"]], [a.configurations, zerg.configurations])
        self.assertEqual(("emperor://a.ini:zerg", [b"two"]), (again.argv[-1], again.configurations))

    def test_names(self) -> None:
        """
        Each zerg has a name and a number of its own; a name that is free is given
        again, a number never.
        """
        (a,) = self.run_with(A)
        first, second = self.hatch(a), self.hatch(a)
        self.assertEqual(["a.ini", "a.ini:zerg", "a.ini:zerg2"], list(self.states()))
        self.assertEqual("a.ini:zerg", second.argv[-1])
        first.says(Said.LOYAL)
        self.reactor.advance(20)
        first.says(Said.IDLE)
        first.ends()
        third = self.hatch(a)
        self.assertEqual(["a.ini", "a.ini:zerg2", "a.ini:zerg"], list(self.states()))
        numbers = [each.env["UWSGI_BROODLORD_NUM"] for each in (first, second, third)]
        self.assertEqual(["1", "2", "3"], numbers)

    def test_one_at_a_time(self) -> None:
        """
        As long as a zerg comes up further calls mean nothing, however many there
        are.
        """
        (a,) = self.run_with(A)
        a.says(Said.SOS)
        a.says(Said.SOS)
        self.reactor.advance(0)
        self.assertEqual(2, len(self.reactor.processes))
        self.calls_in_vain(a)
        self.reactor.last.says(Said.READY)
        self.calls_in_vain(a)
        self.reactor.last.says(Said.ACCEPTING)
        self.hatch(a)

    def test_one_that_does_not_come(self) -> None:
        """
        A zerg that takes too long keeps the next one no longer.
        """
        (a,) = self.run_with(A)
        a.says(Said.SOS)
        self.reactor.advance(0)
        self.reactor.advance(299)
        self.calls_in_vain(a)
        self.reactor.advance(1)
        self.hatch(a)

    def test_limit(self) -> None:
        """
        There are as many zergs as the option says, of all vassals together; that
        there is no room is told once.
        """
        a, b = self.run_with(A, B)
        zerg = self.hatch(a)
        self.hatch(b)
        with capturedLogs() as events:
            self.calls_in_vain(a, b)
            self.calls_in_vain(a)
        self.assertEqual(
            [
                f"Vassal {name} calls for help in vain: there are 2 zergs, as many as "
                "emperor-broodlord allows"
                for name in ("a.ini", "b.ini")
            ],
            [formatEvent(event) for event in events],
        )
        self.reactor.advance(20)
        zerg.says(Said.IDLE)
        self.calls_in_vain(a)
        zerg.ends()
        self.hatch(b)

    def test_who_is_not_heard(self) -> None:
        """
        A zerg gets no zergs, nor does a vassal that is about to go.
        """
        (a,) = self.run_with(A)
        self.calls_in_vain(self.hatch(a))
        self.monitor.want()
        self.calls_in_vain(a)

    def test_without_a_file(self) -> None:
        """
        The uWSGI of our own file has no section to read.
        """
        (a,) = self.run_with(replace(A, config=b"[uwsgi]\n", is_instance=True))
        self.calls_in_vain(a)


class OffTests(BroodlordTestCase):
    limit = 0

    def test_off(self) -> None:
        """
        Without the option nobody gets anything.
        """
        (a,) = self.run_with(A)
        self.calls_in_vain(a)


class EndTests(BroodlordTestCase):
    def setUp(self) -> None:
        super().setUp()
        (self.parent,) = self.run_with(A)

    def test_idle(self) -> None:
        """
        A zerg that has nothing to do may leave, after the requests that it has
        taken just now, and is forgotten.
        """
        zerg = self.hatch(self.parent)
        self.reactor.advance(20)
        zerg.says(Said.IDLE, Said.IDLE)
        self.assertEqual([Order.STOP_GENTLY], zerg.orders)
        self.assertEqual(Phase.STOPPING, self.states()["a.ini:zerg"])
        zerg.ends()
        self.assertEqual(["a.ini"], list(self.states()))
        self.hatch(self.parent)

    def test_idle_at_once(self) -> None:
        """
        One that leaves as soon as it has come makes the next one wait, longer
        each time.
        """
        for pause in (1, 2, 4):
            zerg = self.hatch(self.parent)
            zerg.says(Said.IDLE)
            zerg.ends()
            self.reactor.advance(pause - 0.01)
            self.calls_in_vain(self.parent)
            self.reactor.advance(0.01)

    def test_death(self) -> None:
        """
        A zerg that dies is forgotten, and the next one has to wait as any vassal
        would; longer each time.
        """
        for pause in (1, 2, 4):
            zerg = self.hatch(self.parent)
            with capturedLogs() as events:
                zerg.ends(code=1)
            self.assertEqual(["a.ini"], list(self.states()))
            self.assertEqual(
                [
                    "Vassal a.ini:zerg has left: exit code 1",
                    "Vassal a.ini:zerg died: exit code 1",
                    f"Vassal a.ini gets no other zerg for {float(pause)} s",
                    "Vassal a.ini:zerg is gone",
                ],
                [formatEvent(event) for event in events],
            )
            self.reactor.advance(pause - 0.01)
            self.calls_in_vain(self.parent)
            self.reactor.advance(0.01)

    def test_death_after_a_good_life(self) -> None:
        """
        One that served well may be followed at once, and its deaths are forgotten.
        """
        self.hatch(self.parent).ends(code=1)
        self.reactor.advance(1)
        zerg = self.hatch(self.parent)
        self.reactor.advance(10)
        zerg.ends(signal=9)
        zerg = self.hatch(self.parent)
        zerg.says(Said.LOYAL)
        zerg.ends(signal=9)
        self.hatch(self.parent)

    def test_impossible_start(self) -> None:
        """
        One that cannot even be started is a death like any other.
        """
        self.reactor.fault = OSError(11, "no room")
        self.parent.says(Said.SOS)
        self.reactor.advance(0)
        self.assertEqual(["a.ini"], list(self.states()))
        self.reactor.fault = None
        self.calls_in_vain(self.parent)
        self.reactor.advance(1)
        self.hatch(self.parent)

    def test_exile(self) -> None:
        """
        When one has asked not to be started again, there is none until the file
        has changed.
        """
        with capturedLogs() as events:
            self.hatch(self.parent).ends(code=26)
        self.assertIn(
            "Vassal a.ini gets no other zerg until its file changes", map(formatEvent, events)
        )
        self.reactor.advance(100_000)
        self.calls_in_vain(self.parent)
        self.emperor.pardon_all()
        self.calls_in_vain(self.parent)
        self.emperor.reload_all()
        self.reactor.advance(0)
        self.parent.says(Said.ACCEPTING)
        self.calls_in_vain(self.parent)
        self.monitor.want(make_spec("a.ini", 2))
        self.parent.says(Said.ACCEPTING)
        self.hatch(self.parent)

    def test_pardon(self) -> None:
        """
        URG, and HUP, end the wait.
        """
        for act in (self.emperor.pardon_all, self.emperor.reload_all):
            self.hatch(self.parent).ends(code=1)
            act()
            self.reactor.advance(0)
            self.parent.says(Said.ACCEPTING)
            self.hatch(self.parent).ends(code=1)
            self.calls_in_vain(self.parent)
            self.reactor.advance(200)


class ParentTests(BroodlordTestCase):
    def setUp(self) -> None:
        super().setUp()
        (self.parent,) = self.run_with(A)
        self.zerg = self.hatch(self.parent)

    def test_file_goes(self) -> None:
        """
        Zergs leave when their parent's file goes.
        """
        self.monitor.want()
        self.assertEqual([Order.STOP_GENTLY], self.zerg.orders)
        self.parent.ends()
        self.assertEqual({"a.ini:zerg": Phase.STOPPING}, self.states())
        self.zerg.ends()
        self.assertEqual({}, self.states())

    def test_file_comes_back(self) -> None:
        """
        A file that is back before its zergs have left gets others.
        """
        self.monitor.want()
        self.parent.ends()
        self.monitor.want(A)
        self.reactor.advance(0)
        parent = self.reactor.last
        parent.says(Said.ACCEPTING)
        self.hatch(parent)
        self.zerg.ends()
        self.assertEqual({"a.ini": Phase.ACCEPTING, "a.ini:zerg2": Phase.ACCEPTING}, self.states())
        self.monitor.want()
        for process in (parent, self.reactor.last):
            process.ends()
        self.assertEqual({}, self.states())

    def test_one_that_waits(self) -> None:
        """
        One that has not been started yet is not.
        """
        self.parent.says(Said.SOS)
        self.monitor.want()
        self.parent.ends()
        self.zerg.ends()
        self.assertEqual({}, self.states())
        self.reactor.advance(1)
        self.assertEqual(2, len(self.reactor.processes))

    def test_parent_dies(self) -> None:
        """
        When the parent dies, its sockets are nobody's: its zergs leave.
        """
        self.parent.leaves(signal=9)
        self.assertEqual([Order.STOP_GENTLY], self.zerg.orders)

    def test_parent_changes(self) -> None:
        """
        When the parent's file changes its zergs are started again, but not before it
        has reloaded.
        """
        self.monitor.want(make_spec("a.ini", 2))
        self.assertEqual(([Order.RELOAD], []), (self.parent.orders, self.zerg.orders))
        self.parent.says(Said.ACCEPTING)
        self.assertEqual([Order.STOP_GENTLY], self.zerg.orders)
        self.assertEqual(Phase.REPLACED, self.states()["a.ini:zerg"])
        self.zerg.ends()
        self.reactor.advance(0)
        self.calls_in_vain(self.parent)
        again = self.reactor.last
        self.assertEqual("a.ini:zerg", again.argv[-1])
        again.says(Said.ACCEPTING)
        self.parent.says(Said.ACCEPTING)
        self.assertEqual([], again.orders)
        spec = self.emperor.spec(VassalId("dir:///v", "a.ini:zerg"))
        self.assertEqual((2, 1, True), (spec.fingerprint, spec.number, spec.is_zerg))

    def test_one_that_leaves_already(self) -> None:
        """
        A zerg that is about to leave is not called back by that.
        """
        self.reactor.advance(20)
        self.zerg.says(Said.IDLE)
        self.monitor.want(make_spec("a.ini", 2))
        self.parent.says(Said.ACCEPTING)
        self.zerg.ends()
        self.assertEqual({"a.ini": Phase.ACCEPTING}, self.states())

    def test_hangup(self) -> None:
        """
        HUP reloads each of them once.
        """
        self.emperor.reload_all()
        self.reactor.advance(0)
        self.assertEqual([], self.zerg.orders)
        self.parent.says(Said.ACCEPTING)
        self.assertEqual(
            ([Order.RELOAD], [Order.STOP_GENTLY]), (self.parent.orders, self.zerg.orders)
        )

    def test_log(self) -> None:
        """
        USR1 shows zergs as it shows other vassals.
        """
        with capturedLogs() as events:
            self.emperor.log_state()
        self.assertTrue(str(formatEvent(events[1])).startswith("Vassal a.ini:zerg is accepting"))

    def test_stop(self) -> None:
        """
        The program ends when the zergs have left too, and no other one comes.
        """
        stopped = self.emperor.stopService()
        self.calls_in_vain(self.parent)
        self.parent.ends()
        self.assertNoResult(stopped)
        self.zerg.ends()
        self.successResultOf(stopped)


class HeldTests(BroodlordTestCase):
    """
    A vassal whose socket is the Emperor's.
    """

    doorway = Doorway(TcpAddress("127.0.0.1", 9000))

    def test_renewal(self) -> None:
        """
        When its next generation fails its zergs serve on; when one takes over they
        are started again.
        """
        (parent,) = self.run_with(A)
        zerg = self.hatch(parent)
        self.assertNotEqual(77, zerg.fds[0])
        self.monitor.want(make_spec("a.ini", 2))
        self.reactor.advance(0)
        self.reactor.last.ends(code=1)
        self.assertEqual(([], [], 77), (parent.orders, zerg.orders, parent.fds[0]))
        self.monitor.want(make_spec("a.ini", 3))
        self.reactor.advance(0)
        self.reactor.last.says(Said.READY, Said.ACCEPTING)
        self.assertEqual([Order.STOP_GENTLY], zerg.orders)
        zerg.ends()
        self.reactor.advance(0)
        self.assertEqual("a.ini:zerg", self.reactor.last.argv[-1])


class NameTests(BroodlordTestCase):
    def test_a_colon(self) -> None:
        """
        A vassal whose name has a colon is no zerg: it is started again when it
        dies, and gets zergs itself.
        """
        odd = make_spec("http://a:zerg")
        (process,) = self.run_with(odd)
        process.says(Said.IDLE)
        self.assertEqual({"http://a:zerg": Phase.RETIRING}, self.states())
        process.ends()
        self.monitor.want(make_spec("http://a:zerg", 2))
        self.reactor.advance(0)
        process = self.reactor.last
        process.says(Said.ACCEPTING)
        self.assertEqual("http://a:zerg:zerg", self.hatch(process).argv[-1])
        self.hatch(process)

    def test_a_name_that_is_taken(self) -> None:
        """
        A zerg is not called as a vassal is.
        """
        a, _ = self.run_with(A, make_spec("a.ini:zerg"))
        self.hatch(a)
        self.assertEqual(["a.ini", "a.ini:zerg", "a.ini:zerg2"], list(self.states()))

    def test_a_name_that_is_needed(self) -> None:
        """
        If a file comes that is called as a zerg, the zerg leaves, and the file's
        vassal comes.
        """
        (a,) = self.run_with(A)
        zerg = self.hatch(a)
        self.monitor.want(A, make_spec("a.ini:zerg"))
        self.assertEqual([Order.STOP_GENTLY], zerg.orders)
        zerg.ends()
        self.reactor.advance(0)
        vassal = self.reactor.last
        self.assertNotIn("UWSGI_BROODLORD_NUM", vassal.env)
        vassal.says(Said.ACCEPTING)
        self.assertEqual([False, False], [each.zerg for each in self.emperor.states()])
        self.hatch(a)
        self.hatch(a)
        self.monitor.want()
        for process in self.reactor.processes:
            if not process.gone:
                process.ends()
        self.assertEqual({}, self.states())

    def test_a_name_that_is_needed_at_once(self) -> None:
        """
        The same while the zerg waits for its start.
        """
        (a,) = self.run_with(A)
        a.says(Said.SOS)
        self.monitor.want(A, make_spec("a.ini:zerg"))
        self.reactor.advance(0)
        self.assertEqual(2, len(self.reactor.processes))
        self.assertEqual(Phase.STARTING, self.states()["a.ini:zerg"])
        self.assertNotIn("UWSGI_BROODLORD_NUM", self.reactor.last.env)


class AnythingTests(BroodlordTestCase):
    """
    Whatever vassals say, and in whatever order things happen.

    @ivar reloaded: whether zergs may be started again, and so several at a time.
    """

    reloaded = False

    def act(self, what: str, who: int) -> None:
        """
        One thing happens; what cannot happen now does not.
        """
        alive = [each for each in self.reactor.processes if not each.gone]
        process = alive[who % len(alive)] if alive else None
        if what in Said.__members__ and process is not None:
            process.says(Said[what])
        elif what == "over" and process is not None:
            process.ends(code=who)
        elif what == "left" and process is not None:
            process.leaves(signal=9)
            process.hangs_up()
            process.protocol.processEnded(Failure(ProcessDone(0)))
        elif what == "advance":
            self.reactor.advance(who)
        elif what == "want":
            names = ("a.ini", "b.ini", "a.ini:zerg")
            self.monitor.want(*(make_spec(name, who) for name in names[: who % 4]))
        elif what in ("reload_all", "pardon_all"):
            getattr(self.emperor, what)()

    def check(self) -> None:
        """
        There are not more zergs than there may be, all of them are a vassal's, and
        one vassal has one at most that comes up.
        """
        ids = {status.id for status in self.emperor.states()}
        zergs = [spec for spec in map(self.emperor.spec, ids) if spec.is_zerg]
        coming = Counter(
            self.emperor.spec(status.id).parent
            for status in self.emperor.states()
            if status.phase is Phase.STARTING and self.emperor.spec(status.id).is_zerg
        )
        self.assertLessEqual(len(zergs), self.limit)
        self.assertEqual(len({spec.number for spec in zergs}), len(zergs))
        self.assertTrue(all(count == 1 for count in coming.values()) or self.reloaded, coming)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        *Said.__members__,
                        *["SOS", "ACCEPTING", "advance", "want"] * 2,
                        "over",
                        "left",
                        "reload_all",
                        "pardon_all",
                    ]
                ),
                st.integers(0, 30),
            ),
            max_size=60,
        )
    )
    def test_anything(self, events: list[tuple[str, int]]) -> None:
        """
        The limit holds, and at the end nothing is left.
        """
        self.setUp()
        self.reloaded = any(what in ("want", "reload_all") for what, _ in events)
        self.run_with(A, B)
        for what, who in events:
            self.act(what, who)
            self.check()
        stopped = self.emperor.stopService()
        while any(not each.gone for each in self.reactor.processes):
            for process in self.reactor.processes:
                if not process.gone:
                    process.ends()
        self.successResultOf(stopped)
        self.assertEqual({}, self.states())
        found = self.flushLoggedErrors()
        self.assertEqual([], [each.getTraceback() for each in found])


class CommandTests(BroodlordTestCase):
    """
    Zergs and commands.
    """

    def build(self, **changes: Any) -> EmperorSettings:
        return super().build(commands=CommandSettings(wait=True), **changes)

    def test_needs_no_command(self) -> None:
        """
        Where vassals wait for a command, a zerg does not; it goes when its parent is
        stopped, and nobody commands it.
        """
        self.emperor.startService()
        self.monitor.want(A)
        self.emperor.retry(A.id)
        self.reactor.advance(0)
        self.reactor.last.says(Said.READY, Said.ACCEPTING, Said.SOS)
        self.reactor.advance(0)
        parent, zerg = self.reactor.processes
        zerg.says(Said.READY, Said.ACCEPTING)
        obedience = Obedience(self.reactor, self.emperor)
        self.assertFalse(obedience.obey(VassalCommand(Verb.STOP, "a.ini:zerg")).done)
        self.emperor.stop(A.id)
        parent.ends()
        zerg.ends()
        states = [(each.id.name, each.rest) for each in self.emperor.states()]
        self.assertEqual([("a.ini", Rest.STOPPED)], states)
