"""
Tests for L{emperor.vassals.memoirs}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.attributes import Attributes, Domain
from emperor.testing.vassals import make_spec
from emperor.vassals.memoirs import NOBODY, Memoir, Memoirs
from emperor.vassals.status import Phase, VassalStatus
from emperor.wire.rights import User

SPEC = make_spec("a.ini")
ID = SPEC.id


class MemoirsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.memoirs = Memoirs()

    def saw(self, phase: Phase, since: float, **more: object) -> Memoir:
        status = VassalStatus(ID, phase, since, **{"pid": 7, **more})  # type: ignore[arg-type]
        self.memoirs.saw(status)
        return self.memoirs[ID]

    def test_unknown(self) -> None:
        """
        Of a vassal to which nothing has happened there is nothing to tell, and
        asking makes nothing.
        """
        self.assertEqual(Memoir(NOBODY), self.memoirs[ID])
        self.assertIsNot(self.memoirs[ID], self.memoirs[ID])

    def test_runs(self) -> None:
        """
        The first start stays; the last one is that, or a reload.
        """
        self.saw(Phase.QUEUED, 5, pid=0)
        self.assertEqual(0, self.saw(Phase.STARTING, 6, born=6, pid=0).first_run)
        memoir = self.saw(Phase.STARTING, 10, born=10)
        self.assertEqual((10, 10), (memoir.first_run, memoir.last_run))
        self.saw(Phase.RELOADING, 20, born=10)
        self.assertEqual((10, 20), (memoir.first_run, memoir.last_run))
        self.saw(Phase.STARTING, 30, born=30)
        self.assertEqual((10, 30), (memoir.first_run, memoir.last_run))

    def test_renewed(self) -> None:
        """
        One that is renewed runs anew from when its next generation starts.
        """
        memoir = self.saw(Phase.STARTING, 10, born=10)
        self.saw(Phase.RENEWING, 20, born=10)
        self.assertEqual(20, memoir.last_run)
        self.saw(Phase.RELOADING, 22, born=20.5)
        self.assertEqual(20.5, memoir.last_run)

    def test_ready(self) -> None:
        """
        One that accepts is ready, also if it does not say so.
        """
        memoir = self.saw(Phase.READY, 11, born=10)
        self.saw(Phase.ACCEPTING, 12, born=10, accepted_at=12)
        self.assertEqual(11, memoir.ready_at)
        self.saw(Phase.ACCEPTING, 22, born=20, accepted_at=22)
        self.assertEqual(22, memoir.ready_at)

    def test_deaths(self) -> None:
        """
        Of deaths in a row the first and the last one are known, until they are
        forgiven.
        """
        memoir = self.saw(Phase.HELD_BACK, 10, failures=1, retry_at=11)
        self.saw(Phase.STARTING, 11, born=11, failures=1)
        self.saw(Phase.HELD_BACK, 12, failures=2, retry_at=14.5)
        found = (memoir.first_death, memoir.last_death, memoir.wait)
        self.assertEqual((10, 12, 2.5), found)
        self.saw(Phase.ACCEPTING, 15, failures=0)
        self.assertEqual((0, 0, 0), (memoir.first_death, memoir.last_death, memoir.wait))

    def test_file(self) -> None:
        """
        What its file says, and whose it is.
        """
        pairs = (("customer", "7"),)
        self.memoirs.has_read(SPEC, Attributes(domains=(Domain("a.test"),), collected=pairs))
        self.memoirs.has_started(make_spec("a.ini", modified=5), User(7, 8))
        self.memoirs.has_started(make_spec("a.ini", modified=9), User(7, 8))
        memoir = self.memoirs[ID]
        self.assertEqual((pairs, ("a.test",)), (memoir.collected, memoir.domains))
        self.assertEqual((User(7, 8), 5), (memoir.user, memoir.modified))

    def test_gone(self) -> None:
        """
        Nothing is kept of one that is gone.
        """
        self.saw(Phase.STARTING, 10, born=10)
        self.assertEqual(Memoir(), self.saw(Phase.GONE, 20))

    def test_zerg(self) -> None:
        """
        The hosts that a zerg's file names are not its own.
        """
        attributes = Attributes(domains=(Domain("a.com"),))
        for parent, domains in ((ID, ()), (None, ("a.com",))):
            self.memoirs.has_read(replace(SPEC, parent=parent), attributes)
            self.assertEqual(domains, self.memoirs[ID].domains)
