"""
Tests for L{emperor.proxy.tallies}; what processes tell it of their nodes is in
L{tests.proxy.test_reporting}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.tallies import Tally, added
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.wire.control import Counts, PoolCount, Progress, RefusalCount


class TallyTests(SynchronousTestCase):
    def test_empty(self) -> None:
        """
        Where nobody has subscribed nothing is shown.
        """
        tally = Tally((), Registry(RegistrySettings()))
        tally.add(tally.join(), Progress((PoolCount("a", 1),)))
        self.assertEqual([], list(tally.pools()))
        self.assertEqual(Counts(0), tally.counts())


class AddedTests(SynchronousTestCase):
    def test_sum(self) -> None:
        """
        Refusals are added up for each reason.
        """
        one = Counts(1, (RefusalCount("b", 1), RefusalCount("a", 2)), 3, 4)
        two = Counts(10, (RefusalCount("b", 5),), 20, 30)
        total = Counts(11, (RefusalCount("a", 2), RefusalCount("b", 6)), 23, 7)
        self.assertEqual(total, added([one, two], open=7))
        self.assertEqual(Counts(0), added([], open=0))
