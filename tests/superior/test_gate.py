"""
Tests for L{emperor.superior.gate}.
"""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.superior.gate import PATIENCE, Gate
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus


class GateTests(SynchronousTestCase):
    """
    When the routers begin to accept.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.gate = Gate(self.clock)
        self.router = Service()
        self.router.setServiceParent(self.gate)

    def saw(self, name: str, phase: Phase) -> None:
        self.gate.saw(VassalStatus(VassalId("dir:///v", name), phase))

    def test_all_are_up(self) -> None:
        """
        When every vassal accepts, or has failed, sleeps or has gone.
        """
        self.gate.startService()
        for name in "abcd":
            self.saw(name, Phase.QUEUED)
        for name, phase in zip(
            "abc", (Phase.ACCEPTING, Phase.HELD_BACK, Phase.ASLEEP), strict=True
        ):
            self.saw(name, phase)
        self.assertFalse(self.router.running)
        self.saw("d", Phase.ACCEPTING)
        self.assertTrue(self.router.running)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_for_ever(self) -> None:
        """
        After a while, whoever is still starting; and only once.
        """
        self.gate.startService()
        self.saw("a", Phase.STARTING)
        self.clock.advance(PATIENCE)
        self.assertTrue(self.router.running)
        self.router.stopService()
        self.saw("a", Phase.ACCEPTING)
        self.assertFalse(self.router.running)

    def test_settled_before_it_starts(self) -> None:
        """
        Services start in their order, and it is not the first one.
        """
        self.saw("a", Phase.ASLEEP)
        self.assertFalse(self.router.running)
        self.gate.startService()
        self.clock.advance(PATIENCE)
        self.assertTrue(self.router.running)

    def test_stop(self) -> None:
        """
        A program that ends before has started them, so that they end as always.
        """
        self.gate.startService()
        self.gate.stopService()
        self.assertFalse(self.router.running)
        self.assertEqual(self.clock.getDelayedCalls(), [])
