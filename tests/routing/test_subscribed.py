"""
The pool of the nodes that subscribed to one key.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.balancing import algorithm
from emperor.routing.hashing import rendezvous
from emperor.routing.health import TRIAL, Quarantine
from emperor.routing.members import Member, Sleeper
from emperor.routing.pools import Pool
from emperor.routing.subscribed import SubscribedPool
from tests.routing.nodes import Request, announcement, member


def pool_of(*nodes: Member, way: str = "wrr") -> SubscribedPool:
    pool = SubscribedPool("a", algorithm(way), Quarantine(lambda: 0, first=1, longest=30))
    pool.members.update((node.address, node) for node in nodes)
    pool.sort_out()
    return pool


def nodes_of(*levels: int) -> list[Member]:
    return [member(f"127.0.0.1:{port}", backup=level) for port, level in enumerate(levels, 1)]


class PickTests(SynchronousTestCase):
    def test_pool(self) -> None:
        """
        It is a pool that wants to be told of requests.
        """
        pool: Pool = pool_of()
        self.assertTrue(pool.counts)
        self.assertFalse(pool.from_host)

    def test_empty(self) -> None:
        """
        No node, no answer.
        """
        self.assertIsNone(pool_of().pick(0, ()))

    def test_single(self) -> None:
        """
        A single node is picked once for each request.
        """
        (node,) = nodes_of(0)
        pool = pool_of(node)
        self.assertIs(pool.pick(0, ()), node)
        self.assertIsNone(pool.pick(0, [node]))

    def test_algorithm(self) -> None:
        """
        Of several, the pool's algorithm chooses; it learns of the request.
        """
        nodes = nodes_of(0, 0, 0)
        pool = pool_of(*nodes)
        self.assertEqual([pool.pick(0, ()) for _ in range(4)], [nodes[2], *nodes[:2], nodes[2]])
        hashed = pool_of(*nodes, way="chash")
        self.assertIs(hashed.pick(0, (), Request(b"x")), rendezvous(b"x", nodes))

    def test_backups(self) -> None:
        """
        A request goes to the backups, level by level, once it has tried all
        nodes before them.
        """
        second, first, backup = nodes = nodes_of(1, 0, 2)
        pool = pool_of(*nodes)
        tried: list[Member] = []
        for expected in (first, second, backup):
            self.assertIs(pool.pick(0, tried), expected)
            tried.append(expected)
        self.assertIsNone(pool.pick(0, tried))

    def test_silent(self) -> None:
        """
        Silent nodes serve where no other does, not even a backup.
        """
        silent, backup = nodes = nodes_of(0, 1)
        silent.silent = True
        pool = pool_of(*nodes)
        self.assertIs(pool.pick(0, ()), backup)
        self.assertIs(pool.pick(0, [backup]), silent)

    @given(st.data())
    def test_everyone_once(self, data: st.DataObject) -> None:
        """
        However the nodes are, a request can try each of them, and none twice.
        """
        nodes = nodes_of(*data.draw(st.lists(st.integers(0, 2), max_size=6)))
        pool = pool_of(*nodes, way=data.draw(st.sampled_from(["wrr", "lrc", "iphash", "chash"])))
        for node in nodes:
            node.silent = data.draw(st.booleans())
            if data.draw(st.booleans()):
                pool.failed(node, data.draw(st.sampled_from([7.0, 9.5])))
        pool.sort_out()
        tried: list[Member] = []
        for _ in nodes:
            picked = pool.pick(10, tried, Request(b"1.2.3.4"))
            assert picked is not None
            self.assertNotIn(picked, tried)
            pool.failed(picked, 10)
            tried.append(picked)
        self.assertIsNone(pool.pick(10, tried))


class HealthTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.first, self.second, self.backup = self.nodes = nodes_of(0, 0, 1)
        self.pool = pool_of(*self.nodes)

    def picked(self, now: float, count: int = 4) -> set[Member | None]:
        return {self.pool.pick(now, ()) for _ in range(count)}

    def test_quarantine(self) -> None:
        """
        A node that failed is spared; then a single request tries it.
        """
        self.pool.failed(self.first, 10)
        self.assertEqual(self.picked(10.5), {self.second})
        picked = [self.pool.pick(11, ()) for _ in range(6)]
        self.assertEqual(picked.count(self.first), 1)
        self.assertEqual(self.picked(11), {self.second})

    def test_back(self) -> None:
        """
        When it accepts it is as before.
        """
        self.pool.failed(self.first, 10)
        self.pool.accepted(self.first)
        self.assertEqual(self.picked(10), {self.first, self.second})

    def test_backups_serve(self) -> None:
        """
        When all of a level are in quarantine, the next level serves; one request
        looks whether they are back.
        """
        self.pool.failed(self.first, 10)
        self.pool.failed(self.second, 10)
        self.assertEqual(self.picked(10), {self.backup})
        picked = [self.pool.pick(11, ()) for _ in range(5)]
        self.assertEqual(set(picked[:2]), {self.first, self.second})
        self.assertEqual(set(picked[2:]), {self.backup})

    def test_least_bad(self) -> None:
        """
        When every node is in quarantine, the one with the fewest failures is
        tried, then the others.
        """
        for node, times in ((self.first, (7, 9)), (self.second, (9.5,)), (self.backup, (9.2,))):
            for now in times:
                self.pool.failed(node, now)
        self.assertIs(self.pool.pick(10, ()), self.backup)
        self.assertIs(self.pool.pick(10, [self.backup]), self.second)
        self.assertIs(self.pool.pick(10, [self.backup, self.second]), self.first)

    def test_alone(self) -> None:
        """
        A node that is alone is tried by every request.
        """
        pool = pool_of(self.first)
        for now in (0, 0.1, 1, 1.1, 1 + TRIAL):
            self.assertIs(pool.pick(now, ()), self.first)
            pool.failed(self.first, now)
        self.assertEqual(self.first.failcnt, 5)

    def test_refresh(self) -> None:
        """
        That a node announces itself does not end its quarantine.
        """
        self.pool.failed(self.first, 10)
        self.first.heard(self.first.announcement, 10.1, 27)
        self.pool.sort_out()
        self.assertEqual(self.picked(10.5), {self.second})


class CheckTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.first, self.second = self.nodes = nodes_of(0, 0)
        self.pool = SubscribedPool("a", algorithm("wrr"), Quarantine(lambda: 0, checked=True))
        self.pool.members.update((node.address, node) for node in self.nodes)
        self.pool.sort_out()

    def picked(self, now: float) -> set[Member | None]:
        return {self.pool.pick(now, ()) for _ in range(4)}

    def test_failed(self) -> None:
        """
        A node that does not pass its check gets no requests until it passes one,
        however long that takes.
        """
        self.pool.check_failed(self.first, 10)
        self.assertEqual(self.picked(10), {self.second})
        self.assertEqual(self.picked(1000), {self.second})
        self.pool.check_passed(self.first)
        self.assertEqual(self.picked(1000), {self.first, self.second})

    def test_nothing_counted(self) -> None:
        """
        A check is no request.
        """
        self.pool.check_failed(self.first, 10)
        self.pool.check_passed(self.first)
        self.pool.check_passed(self.second)
        for node in self.nodes:
            counted = (node.requests, node.last_requests, node.references, node.failcnt)
            self.assertEqual(counted, (0, 0, 0, 0))

    def test_last_resort(self) -> None:
        """
        Where none passes, requests are sent all the same; that a node takes one
        does not make it well.
        """
        self.pool.check_failed(self.first, 10)
        self.pool.check_failed(self.second, 11)
        self.assertIs(self.pool.pick(12, ()), self.first)
        self.pool.accepted(self.first)
        self.assertFalse(self.first.health.may_serve(12))
        self.assertEqual(self.first.requests, 1)

    def test_asleep(self) -> None:
        """
        A pool sleeps when there is somebody to wake and none of the others may
        serve.
        """
        self.assertFalse(self.pool.is_asleep(0))
        self.pool.sleepers["v"] = Sleeper(announcement("", vassal="v"), 0, 17)
        self.assertFalse(self.pool.is_asleep(0))
        self.pool.check_failed(self.first, 0)
        self.assertFalse(self.pool.is_asleep(0))
        self.pool.check_failed(self.second, 0)
        self.assertTrue(self.pool.is_asleep(0))
        self.pool.members.clear()
        self.assertTrue(self.pool.is_asleep(0))
        self.pool.sleepers.clear()
        self.assertFalse(self.pool.is_asleep(0))


class CountTests(SynchronousTestCase):
    def test_requests(self) -> None:
        """
        Running requests and bytes are counted on the node.
        """
        (node,) = nodes_of(0)
        pool = pool_of(node)
        pool.accepted(node)
        pool.accepted(node)
        pool.finished(node, sent=10, received=20)
        self.assertEqual((node.references, node.requests, node.last_requests), (1, 2, 2))
        self.assertEqual((node.rx, node.tx), (10, 20))

    def test_least(self) -> None:
        """
        lrc sends a request to the node where the fewest run.
        """
        nodes = nodes_of(0, 0)
        pool = pool_of(*nodes, way="lrc")
        pool.accepted(nodes[0])
        self.assertEqual([pool.pick(0, ()) for _ in range(3)], [nodes[1]] * 3)
        pool.finished(nodes[0])
        pool.accepted(nodes[1])
        self.assertIs(pool.pick(0, ()), nodes[0])

    def test_gone(self) -> None:
        """
        A node that left finishes its requests, and may even fail.
        """
        nodes = nodes_of(0, 0)
        pool = pool_of(*nodes)
        pool.accepted(nodes[0])
        del pool.members[nodes[0].address]
        pool.sort_out()
        self.assertIs(pool.pick(0, ()), nodes[1])
        pool.finished(nodes[0])
        pool.failed(nodes[0], 0)
        self.assertEqual(nodes[0].references, 0)
        self.assertIs(pool.pick(0, ()), nodes[1])
