"""
Tests for L{emperor.keeper.family}.
"""

from collections.abc import Iterable, Sequence

from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper import family as module
from emperor.keeper.family import Family, find_members, kill_children
from emperor.keeper.groups import Group
from emperor.keeper.processes import Process, Table

KEEPER = 100


class MemoryGroup(Group):
    """
    A control group in memory.
    """

    pids: list[int] = []
    can_kill = True

    def members(self) -> list[int]:
        return self.pids

    def kill(self) -> bool:
        return self.can_kill


def processes(*rows: tuple[int, int, int], dead: Iterable[int] = ()) -> dict[int, Process]:
    """
    From pid, parent and session.
    """
    return {pid: Process(pid, parent, session, pid in dead) for pid, parent, session in rows}


class FamilyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.killed: list[int] = []
        self.marked: dict[int, bytes] = {}
        self.holding: dict[int, int] = {}
        self.looks: list[int] = []
        self.patch(module, "kill", self.killed.extend)
        self.patch(module, "values", self.values)
        self.patch(module, "sockets", lambda pid: iter([self.holding.get(pid, 99)]))

    def values(self, pid: int, name: bytes) -> list[bytes]:
        self.looks.append(pid)
        return [b"another", self.marked.get(pid, b"")]

    def members(self, families: Sequence[Family], table: Table) -> dict[int, list[int]]:
        first = {family.pid for family in families if not family.left}
        return find_members(
            families,
            table,
            [each for each in table.values() if each.parent == KEEPER and each.pid not in first],
        )

    def end(self, family: Family, table: Table) -> bool:
        return family.kill(self.members([family], table)[family.number])

    def test_descendants(self) -> None:
        """
        All that descends from the first process is killed with it, and nobody
        else.
        """
        table = processes((7, KEEPER, 7), (8, 7, 7), (9, 8, 9), (10, KEEPER, 10), (11, 10, 10))
        self.assertTrue(self.end(Family(1, 7, "m", 5), table))
        self.assertEqual([7, 8, 9], sorted(self.killed))

    def test_adopted(self) -> None:
        """
        Of those that were adopted, the family's are known by session, mark or
        pipe; and what descends from them goes too.
        """
        table = processes(
            (8, KEEPER, 7), (9, KEEPER, 9), (10, KEEPER, 10), (11, 10, 11), (12, KEEPER, 12)
        )
        self.marked, self.holding = {9: b"m"}, {10: 5}
        self.assertTrue(self.end(Family(1, 7, "m", 5, left=True), table))
        self.assertEqual([8, 9, 10, 11], sorted(self.killed))

    def test_many(self) -> None:
        """
        However many families there are, each adopted process is looked at once.
        """
        families = [Family(each, each + 1000, f"m{each}", each, left=True) for each in range(1, 50)]
        table = processes(*((each, KEEPER, each) for each in range(200, 203)))
        self.marked, self.holding = {200: b"m7"}, {201: 8}
        found = self.members(families, table)
        self.assertEqual({7: [200], 8: [201]}, {each: pids for each, pids in found.items() if pids})
        self.assertEqual([200, 201, 202], self.looks)

    def test_number_of_another_one(self) -> None:
        """
        When the first process has left, its number means nothing any more.
        """
        table = processes((7, 1, 1), (8, 7, 1))
        self.assertFalse(self.end(Family(1, 7, "m", 5, left=True), table))
        self.assertEqual([], self.killed)

    def test_dead(self) -> None:
        """
        Who has ended is not there any more.
        """
        table = processes((8, KEEPER, 7), dead=[8])
        self.assertFalse(self.end(Family(1, 7, "m", 5, left=True), table))

    def test_group(self) -> None:
        """
        With a control group nothing else counts; one that cannot be killed as
        a whole is killed one by one.
        """
        group = MemoryGroup("/g")
        group_family = Family(1, 7, "m", 5, group)
        self.assertFalse(self.end(group_family, processes((7, KEEPER, 7))))
        MemoryGroup.pids = [20, 21]
        self.addCleanup(setattr, MemoryGroup, "pids", [])
        self.assertTrue(self.end(group_family, {}))
        self.assertEqual([], self.killed)
        self.patch(MemoryGroup, "can_kill", False)
        self.assertTrue(self.end(group_family, {}))
        self.assertEqual([20, 21], self.killed)

    def test_children(self) -> None:
        """
        All children and what descends from them are killed but those that are
        spared; who has ended counts until it was noticed.
        """
        table = processes((8, 7, 7), (9, 8, 7), (10, 7, 7), (11, 10, 7), (12, 7, 7), dead=[12])
        self.patch(module, "look", lambda: table)
        self.assertEqual([8, 12], kill_children(7, {10}))
        self.assertEqual([8, 9], sorted(self.killed))
