"""
Tests for L{emperor.routing.statistics}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.roster import RegistrySettings
from emperor.routing.statistics import Gauge, PoolStatistics, own_gauge, place, pool_statistics
from emperor.routing.subscriptions import Registry
from emperor.wire.subscription import Announcement

NOW = 1000.0


class PlaceTests(SynchronousTestCase):
    def test_golden(self) -> None:
        """
        Numbers that uWSGI 2.0.30 shows.
        """
        self.assertEqual([11571, 11407], [place("foo.com"), place('ba"r.com')])

    @given(st.text(max_size=255))
    def test_any(self, key: str) -> None:
        """
        Every key has a place in the table.
        """
        self.assertIn(place(key), range(65535))


class StatisticsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = Registry(RegistrySettings(), random=lambda: 0)

    def announce(self, key: str, address: str = "127.0.0.1:1", **details: object) -> None:
        found = Announcement(leaving=False, key=key, address=address, **details)  # type: ignore[arg-type]
        self.registry.announce(found, NOW)

    def pools(self, now: float = NOW) -> list[PoolStatistics]:
        return list(pool_statistics(self.registry.pools, own_gauge(now)))

    def test_node(self) -> None:
        """
        What a node said of itself, and what it did.
        """
        self.announce("a.test", modifier1=5, cores=4, load=7, weight=3, backup=1, vassal="a.ini")
        pool = self.registry.lookup("a.test")
        assert pool is not None
        member = pool.pick(NOW, ())
        assert member is not None
        for _ in range(2):
            pool.accepted(member)
        pool.finished(member, 10, 300)
        pool.failed(member, NOW)
        (shown,) = self.pools()
        self.assertEqual(
            ("a.test", place("a.test"), 1, "wrr"),
            (shown.key, shown.place, shown.hits, shown.algorithm),
        )
        (node,) = shown.nodes
        self.assertEqual(("127.0.0.1:1", "a.ini", NOW), (node.name, node.vassal, node.last_check))
        self.assertEqual(
            (5, 0, 4, 7, 3, 1),
            (node.modifier1, node.modifier2, node.cores, node.load, node.weight, node.backup),
        )
        self.assertEqual(
            (2, 2, 300, 10, 1), (node.requests, node.last_requests, node.tx, node.rx, node.failures)
        )
        self.assertEqual((False, Gauge(1, 1)), (node.silent, node.gauge))

    def test_quarantine_ends(self) -> None:
        """
        After its quarantine a node is not spared any more.
        """
        self.announce("a.test")
        pool = self.registry.lookup("a.test")
        assert pool is not None
        member = pool.pick(NOW, ())
        assert member is not None
        pool.failed(member, NOW)
        (shown,) = self.pools(member.health.until)
        self.assertEqual([Gauge()], [node.gauge for node in shown.nodes])

    def test_sleeper(self) -> None:
        """
        A vassal that sleeps is a node without an address.
        """
        self.announce("a.test", "", vassal="a.ini", weight=0)
        (shown,) = self.pools()
        (node,) = shown.nodes
        self.assertEqual(("", "a.ini", 1), (node.name, node.vassal, node.weight))

    def test_silent(self) -> None:
        """
        A node that was not heard of is marked.
        """
        self.announce("a.test")
        self.registry.expire(NOW + 18)
        (shown,) = self.pools()
        self.assertEqual([True], [node.silent for node in shown.nodes])

    def test_changes_meanwhile(self) -> None:
        """
        Pools may come and go, and their nodes, while somebody reads.
        """
        for number in range(3):
            self.announce(f"{number}.test")
            self.announce(f"{number}.test", "127.0.0.1:2")
        reading = pool_statistics(self.registry.pools, own_gauge(NOW))
        first = next(reading)
        next(first.nodes)
        for number in range(3):
            for port in (1, 2):
                self.registry.announce(
                    Announcement(leaving=True, key=f"{number}.test", address=f"127.0.0.1:{port}"),
                    NOW,
                )
        self.announce("new.test")
        self.assertEqual(1, len(list(first.nodes)))
        self.assertEqual(
            [("1.test", []), ("2.test", [])], [(pool.key, list(pool.nodes)) for pool in reading]
        )
