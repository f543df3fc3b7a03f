"""
Tests for L{emperor.vassals.news}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import UnixAddress, parse_address
from emperor.config.doorways import Doorway
from emperor.interfaces import IVassalDirectory, IVassalNews
from emperor.vassals.news import Herald, Mirror
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase
from emperor.wire.control import VassalNews, Vassals
from emperor.wire.vassal import Said
from tests.vassals.test_emperor import A, B, EmperorTestCase


class MirrorTests(EmperorTestCase):
    """
    A mirror says what the Emperor would say, all along.
    """

    def setUp(self) -> None:
        super().setUp()
        self.herald = Herald(self.reactor, self.emperor)
        self.mirror = Mirror(self.reactor)
        self.told: list[Vassals] = []
        self.herald.watch(self.told.append)
        self.herald.watch(self.mirror.update)

    def assert_same(self, name: str, reason: str | None) -> None:
        """
        Both give this reason for the absence of a vassal, once it is told.
        """
        self.reactor.advance(0)
        address = parse_address(f"/{name}.ini.sock")
        late = Mirror(self.reactor)
        late.update(self.herald.whole())
        for directory in (self.emperor, self.mirror, late):
            self.assertEqual(reason, directory.reason_for_absence(address))

    def test_interfaces(self) -> None:
        """
        Both ends can take their places.
        """
        verifyObject(IVassalNews, self.herald)
        verifyObject(IVassalDirectory, self.mirror)

    def test_life(self) -> None:
        """
        From a vassal's start to its end.
        """
        self.emperor.startService()
        self.assert_same("a", None)
        self.monitor.want(A)
        self.assert_same("a", "vassal a.ini is starting")
        self.reactor.last.says(Said.READY, Said.ACCEPTING)
        self.assert_same("a", None)
        self.monitor.want()
        self.assert_same("a", "vassal a.ini is stopping")
        self.reactor.last.ends()
        self.assert_same("a", None)

    def test_held_back(self) -> None:
        """
        The time until the next attempt runs in the mirror as well.
        """
        (process,) = self.run_with(A)
        process.ends(1)
        self.assert_same("a", "vassal a.ini died and is held back for 1 s")
        address = parse_address("/a.ini.sock")
        self.reactor.rightNow += 5
        self.assertEqual("vassal a.ini is restarting", self.mirror.reason_for_absence(address))

    def test_another_socket(self) -> None:
        """
        The socket that a vassal had is its own in both until it accepts with another
        one; who has it by then comes first.
        """
        (process,) = self.run_with(A)
        self.same_socket = True
        self.monitor.want(replace(A, fingerprint=2))
        self.assert_same("a", "vassal a.ini is reloading")
        self.assert_same("b", "vassal a.ini is reloading")
        self.monitor.want(replace(A, fingerprint=2), B)
        self.assert_same("b", "vassal b.ini is starting")
        process.says(Said.READY, Said.ACCEPTING)
        self.assert_same("a", None)

    def test_keys(self) -> None:
        """
        Both know whose a key is, whenever that becomes known and however late
        somebody asks, until its vassal is gone.
        """

        def assert_reason(reason: str | None) -> None:
            self.reactor.advance(0)
            late = Mirror(self.reactor)
            late.update(self.herald.whole())
            for directory in (self.emperor, self.mirror, late):
                self.assertEqual(reason, directory.reason_for_keys(["a.com"]))

        (process,) = self.run_with(A)
        self.emperor.name_keys(A.id, ["a.com"])
        self.emperor.name_keys(B.id, ["a.com"])  # It has gone meanwhile.
        assert_reason(None)
        self.monitor.want()
        assert_reason("vassal a.ini is stopping")
        self.emperor.name_keys(A.id, ["b.com"])
        assert_reason(None)
        self.emperor.name_keys(A.id, ["a.com"])
        process.ends()
        assert_reason(None)
        self.mirror.update(self.herald.whole())
        self.assertEqual((), self.mirror.keys(A.id))

    def test_the_emperor_has_the_socket(self) -> None:
        """
        Where a request may wait, and where nobody is coming, is the same in both.
        """
        held = parse_address("/held.sock")
        assert isinstance(held, UnixAddress)
        self.doorway = Doorway(held)
        (process,) = self.run_with(A)
        process.ends(code=1)
        self.reactor.advance(0)
        self.assertIn(held, self.emperor.leaving)
        self.assertEqual(self.emperor.leaving, self.mirror.leaving)
        self.reactor.pump([1, 0, 0])
        self.assertEqual((set(), set()), (self.emperor.leaving, self.mirror.leaving))

    def test_a_short_wait(self) -> None:
        """
        Who has served, died and comes back in a moment is sent requests, which wait
        in its socket: in both.
        """
        held = parse_address("/held.sock")
        assert isinstance(held, UnixAddress)
        self.doorway = Doorway(held)
        self.reactor.advance(1)
        (process,) = self.run_with(A)
        process.ends(code=1)
        self.assertEqual(Phase.HELD_BACK, self.emperor.states()[0].phase)
        self.reactor.advance(0)
        self.assertEqual((set(), set()), (self.emperor.leaving, self.mirror.leaving))

    def test_one_message_for_one_turn(self) -> None:
        """
        What happens to several vassals at once is one message.
        """
        self.emperor.startService()
        self.monitor.want(A, B)
        self.assertEqual([], self.told)
        self.reactor.advance(0)
        names = [[vassal.name for vassal in news.vassals] for news in self.told]
        self.assertEqual([["a.ini", "b.ini"]] * 2, names)  # queued, starting
        self.assertFalse(self.told[0].whole)

    def test_wakes(self) -> None:
        """
        A mirror knows who sleeps, asks for him once a second, and knows who is on
        his way.
        """
        asked: list[VassalId] = []
        mirror = Mirror(self.reactor, asked.append)
        self.herald.watch(mirror.update)
        (process,) = self.run_with(A)
        self.reactor.advance(0)
        address = parse_address("/a.ini.sock")
        self.assertFalse(mirror.rouse(address))
        self.assertEqual("", mirror.reason_named("a.ini"))
        process.says(Said.IDLE)
        process.ends()
        self.reactor.advance(0)
        self.assertEqual("vassal a.ini sleeps", mirror.reason_named("a.ini"))
        self.assertTrue(mirror.rouse(address))
        self.assertTrue(mirror.rouse_named("a.ini"))
        self.assertEqual([A.id], asked)
        self.reactor.advance(1)
        self.assertTrue(mirror.rouse_named("a.ini"))
        self.assertEqual([A.id, A.id], asked)
        self.herald.wake(A.id)
        self.herald.wake(B.id)  # It has gone meanwhile.
        self.reactor.advance(0)
        self.assertEqual([Phase.STARTING], self.phases())
        for directory in (self.emperor, mirror):
            self.assertTrue(directory.rouse(address))
        accepting: list[object] = []
        mirror.greet(accepting.append)
        self.reactor.last.says(Said.ACCEPTING)
        self.reactor.advance(0)
        self.assertEqual([(address,)], accepting)
        self.assertFalse(mirror.rouse(address))
        self.assertFalse(mirror.rouse_named("b.ini"))
        self.assertIsNone(mirror.reason_named("b.ini"))
        self.assertEqual([A.id, A.id], asked)
        self.emperor.stop(A.id)
        self.reactor.advance(0)
        for directory in (self.emperor, mirror):
            self.assertTrue(directory.is_stopped("a.ini"))
            self.assertFalse(directory.is_stopped("b.ini"))

    def test_those_who_leave(self) -> None:
        """
        The set of those who leave stays the same one, also when all is told anew.
        """
        leaving = self.mirror.leaving
        self.run_with(A)
        self.monitor.want()
        self.mirror.update(self.herald.whole())
        self.assertEqual({parse_address("/a.ini.sock")}, leaving)
        self.mirror.update(Vassals(True, ()))
        self.assertEqual(set(), leaving)


class WholeTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """
        What is not in the whole is not known any more.
        """
        mirror = Mirror(Clock())
        a = VassalNews("m", "a", Phase.STARTING, 0, (parse_address("/a"),))
        b = VassalNews("m", "b", Phase.STARTING, 0, (parse_address("/b"),))
        mirror.update(Vassals(True, (a,)))
        mirror.update(Vassals(False, (b,)))
        self.assertIsNotNone(mirror.reason_for_absence(parse_address("/a")))
        self.assertIsNotNone(mirror.reason_for_absence(parse_address("/b")))
        mirror.update(Vassals(True, (b,)))
        self.assertIsNone(mirror.reason_for_absence(parse_address("/a")))

    def test_unknown_end(self) -> None:
        """
        The end of a vassal that was never heard of changes nothing.
        """
        gone = VassalNews("m", "a", Phase.GONE, 0, (parse_address("/a"),))
        mirror = Mirror(Clock())
        mirror.update(Vassals(False, (gone, gone)))
        self.assertIsNone(mirror.reason_for_absence(parse_address("/a")))
