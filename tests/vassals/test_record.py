"""
Tests for L{emperor.vassals.record}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.record import Record
from emperor.vassals.status import Phase, VassalStatus

ID = make_spec().id


class RecordTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[VassalStatus] = []
        self.record = Record(ID, self.told.append)

    def counts(self, status: VassalStatus) -> tuple[int, int, int]:
        """
        What is told of starts, reloads and failed reloads.
        """
        self.record.tell(status)
        self.assertIs(self.record.told, self.told[-1])
        return self.told[-1].starts, self.told[-1].reloads, self.told[-1].failed_reloads

    def test_counts(self) -> None:
        """
        Starts are those of all generations, reloads those that led somewhere.
        """
        current = VassalStatus(ID, Phase.ACCEPTING, starts=2, reloads=3, failed_reloads=1)
        self.assertEqual((2, 3, 1), self.counts(current))
        self.record.count_start(VassalStatus(ID, Phase.HELD_BACK, starts=1, reloads=9))
        self.record.fail("no", ())
        self.assertEqual((3, 3, 2), self.counts(current))
        self.record.inherit(current)
        self.record.count_reload()
        self.assertEqual((4, 4, 2), self.counts(VassalStatus(ID, Phase.ACCEPTING, starts=1)))

    def test_trouble(self) -> None:
        """
        What is wrong is told until it is over; what is wrong with the current
        generation counts more.
        """
        self.record.fail("no", ("line",))
        self.record.tell(VassalStatus(ID, Phase.ACCEPTING))
        self.assertEqual(("no", ("line",)), (self.told[-1].trouble, self.told[-1].said))
        self.record.tell(VassalStatus(ID, Phase.STARTING, trouble="late", said=("x",)))
        self.assertEqual(("late", ("x",)), (self.told[-1].trouble, self.told[-1].said))
        self.record.forgive()
        self.record.tell(VassalStatus(ID, Phase.ACCEPTING))
        self.assertEqual(("", ()), (self.told[-1].trouble, self.told[-1].said))
