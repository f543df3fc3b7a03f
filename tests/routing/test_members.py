"""
What is known of a node.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import NamedAddress
from emperor.routing.members import WEIGHT_LIMIT, Member, foremost
from tests.routing.nodes import announcement, member


class MemberTests(SynchronousTestCase):
    def test_first(self) -> None:
        """
        A node is what its first announcement says.
        """
        node = member(modifier1=5, modifier2=6, weight=7, backup=2)
        self.assertEqual((node.modifier1, node.modifier2, node.weight), (5, 6, 7))
        self.assertEqual(node.rank, (False, False, 2))

    def test_heard(self) -> None:
        """
        A refresh brings all its values; what the node did stays.
        """
        node = member(modifier1=5)
        node.requests = node.last_requests = 3
        node.silent = True
        latest = announcement(modifier1=9, modifier2=1, weight=2, backup=1, cores=4, load=8)
        node.heard(latest, 10, 27)
        self.assertEqual((node.modifier1, node.modifier2, node.weight), (9, 1, 2))
        self.assertEqual((node.rank, node.announcement), ((False, False, 1), latest))
        self.assertEqual((node.last_check, node.deadline), (10, 27))
        self.assertEqual((node.requests, node.last_requests), (3, 0))

    def test_may_return(self) -> None:
        """
        A request may come back from what another router has, and from a name,
        but not from a node of our own.
        """
        node = member()
        self.assertFalse(node.may_return)
        node.heard(node.announcement, 10, 27, ("b" * 16,))
        self.assertEqual((node.may_return, node.hops), (True, ("b" * 16,)))
        node.heard(node.announcement, 20, 37)
        self.assertEqual((node.may_return, node.hops), (False, ()))
        named = Member(NamedAddress("app.test", 80), node.announcement, 0, 17)
        self.assertTrue(named.may_return)

    def test_weight(self) -> None:
        """
        No weight is below 1 or above the limit.
        """
        weights = [member(weight=weight).weight for weight in (-1, 0, 1, 10**12)]
        self.assertEqual(weights, [1, 1, 1, WEIGHT_LIMIT])

    def test_identity(self) -> None:
        """
        Nodes are told apart though they say the same.
        """
        self.assertNotEqual(member(), member())

    def test_salt(self) -> None:
        """
        The salt is the address's alone, also for names that are no text.
        """
        self.assertEqual(member(weight=1).salt, member(weight=2).salt)
        self.assertNotEqual(member("/a").salt, member("@a").salt)
        self.assertTrue(member("/\udcff").salt)


class ForemostTests(SynchronousTestCase):
    def test_levels(self) -> None:
        """
        The lowest level of those that are not silent, in their order.
        """
        nodes = [member(backup=level) for level in (2, 1, 0, 1)]
        nodes[2].silent = True
        self.assertEqual(foremost(nodes), [nodes[1], nodes[3]])
        self.assertEqual(foremost([nodes[2]]), [nodes[2]])
        self.assertEqual(foremost([]), [])

    def test_behind_routers(self) -> None:
        """
        What other routers have serves after all that announce themselves here,
        their backups too, but before those that are silent.
        """
        passed_on, backup, silent = member(), member(backup=9), member()
        passed_on.heard(passed_on.announcement, 1, 18, ("b" * 16,))
        silent.silent = True
        self.assertEqual(foremost([passed_on, backup, silent]), [backup])
        self.assertEqual(foremost([passed_on, silent]), [passed_on])
