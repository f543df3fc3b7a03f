"""
Tests for L{emperor.subscriptions.naming}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.subscriptions.naming import NAMED_LIMIT, Naming
from emperor.vassals.spec import VassalId

A, B = VassalId("dir:///v", "a.ini"), VassalId("dir:///v", "b.ini")


class NamingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.read: list[VassalId] = []
        self.between: VassalId | None = None
        self.told: dict[VassalId, tuple[str, ...]] = {}
        self.naming = Naming(self.clock, self.look, self.told.__setitem__)

    def look(self, id: VassalId) -> list[str]:
        self.read.append(id)
        if self.between is not None:  # What else happens in the next turn.
            self.clock.callLater(0, self.read.append, self.between)
        return [f"{id.name}.com"]

    def test_until_it_accepts(self) -> None:
        """
        What a vassal named before counts until it accepts with what it names now.
        """
        self.naming.settled(A, ["a.com"])
        self.naming.heard(A, [])
        self.naming.heard(A, ["b.com"])
        self.assertEqual({A: ("b.com", "a.com")}, self.told)
        self.naming.settled(A, ["b.com"])
        self.assertEqual({A: ("b.com",)}, self.told)
        self.naming.gone(A)
        self.assertEqual(({A: ()}, False), (self.told, self.naming.knows(A)))

    def test_forms(self) -> None:
        """
        A key is told as each router may have it; what can be none is not.
        """
        self.naming.settled(A, ["A.com.", "", "b.com"])
        self.assertEqual({A: ("a.com", "A.com.", "b.com")}, self.told)

    def test_edited_for_ever(self) -> None:
        """
        However often a file is changed, the latest keys are kept.
        """
        for number in range(NAMED_LIMIT + 10):
            self.naming.heard(A, [f"{number}.com"])
        self.assertEqual(NAMED_LIMIT, len(self.told[A]))
        self.assertEqual(f"{NAMED_LIMIT + 9}.com", self.told[A][0])

    def test_waits(self) -> None:
        """
        The files of vassals that wait are read one in a turn, once, and not if their
        vassals come or go before.
        """
        others = [VassalId("dir:///v", f"{number}.ini") for number in range(3)]
        for id in (A, B, A, *others):
            self.naming.expect(id)
        self.assertTrue(self.naming.knows(A))
        self.naming.heard(B, [])
        self.naming.gone(others[0])
        self.assertEqual([], self.read)
        self.between = B
        self.clock.advance(0)
        self.assertEqual([A, B, others[1], B, others[2], B], self.read)
        self.assertEqual(("a.ini.com",), self.told[A])
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_stop(self) -> None:
        """
        At the end nothing is read any more.
        """
        self.naming.expect(A)
        self.naming.stop()
        self.assertEqual([], self.clock.getDelayedCalls())
