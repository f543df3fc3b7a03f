"""
Tests for L{emperor.vassals.moment}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.moment import LONGEST, SETTLING, Moment
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, VassalStatus

FIRST, SECOND = make_spec(fingerprint=1), make_spec(fingerprint=2)


class MomentTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.told: list[VassalSpec] = []
        self.moment = Moment(self.clock, SETTLING, self.told.append)

    def status(self, phase: Phase) -> VassalStatus:
        now = self.clock.seconds()
        return VassalStatus(FIRST.id, phase, since=now, accepted_at=now)

    def test_at_once(self) -> None:
        """
        A vassal that accepts for a while, or does not run, is told at once.
        """
        settled = self.status(Phase.ACCEPTING)
        self.clock.advance(SETTLING)
        self.moment.change(FIRST, settled)
        self.moment.change(SECOND, self.status(Phase.HELD_BACK))
        self.assertEqual([FIRST, SECOND], self.told)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_never_kept(self) -> None:
        """
        Without a time to settle nothing is kept.
        """
        Moment(self.clock, 0, self.told.append).change(FIRST, self.status(Phase.READY))
        self.assertEqual([FIRST], self.told)

    def test_workers_come_up(self) -> None:
        """
        One that has just begun to accept is told when its workers are up.
        """
        self.moment.change(FIRST, self.status(Phase.ACCEPTING))
        self.assertEqual(([], FIRST), (self.told, self.moment.kept))
        self.clock.advance(SETTLING)
        self.assertEqual(([FIRST], None), (self.told, self.moment.kept))

    def test_before_it_accepts(self) -> None:
        """
        What comes while it starts or reloads is kept until it accepts, and only the
        last change counts.
        """
        for phase in (Phase.READY, Phase.RELOADING):
            status = self.status(phase)
            self.moment.change(FIRST, status)
            self.moment.change(SECOND, status)
            self.clock.advance(LONGEST - 1)
            self.moment.saw(self.status(Phase.ACCEPTING))
            self.clock.advance(SETTLING / 2)
            self.assertEqual([], self.told)
            self.clock.advance(SETTLING / 2)
            self.assertEqual([SECOND], self.told)
            self.told.clear()

    def test_never_accepts(self) -> None:
        """
        One that does not say that it accepts is told in the end.
        """
        ready = self.status(Phase.READY)
        self.moment.change(FIRST, ready)
        self.moment.saw(ready)
        self.clock.advance(LONGEST)
        self.moment.change(SECOND, ready)
        self.assertEqual([FIRST, SECOND], self.told)

    def test_death(self) -> None:
        """
        One that dies meanwhile is started with the change: when it has died, and not
        in the middle of that.
        """
        self.moment.change(FIRST, self.status(Phase.RELOADING))
        self.moment.saw(self.status(Phase.HELD_BACK))
        self.assertEqual([], self.told)
        self.clock.advance(0)
        self.assertEqual([FIRST], self.told)

    def test_leaves(self) -> None:
        """
        One that is asked to leave is told nothing.
        """
        self.moment.change(FIRST, self.status(Phase.READY))
        self.moment.saw(self.status(Phase.STOPPING))
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertIsNone(self.moment.kept)
