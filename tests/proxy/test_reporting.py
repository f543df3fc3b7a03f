"""
Tests for L{emperor.proxy.reporting} and L{emperor.proxy.tallies}: what one says
the other understands.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.settings import Node
from emperor.proxy import reporting
from emperor.proxy.reporting import BATCH, Reporter
from emperor.proxy.tallies import Share, Tally
from emperor.routing.members import Member
from emperor.routing.pools import FixedNodes
from emperor.routing.roster import RegistrySettings
from emperor.routing.statistics import Gauge, NodeStatistics
from emperor.routing.subscribed import SubscribedPool
from emperor.routing.subscriptions import Registry
from emperor.wire.control import (
    REPORT_LIMIT,
    Counts,
    FixedCount,
    NodeCount,
    PoolCount,
    Progress,
    RefusalCount,
    encode,
)
from emperor.wire.subscription import Announcement

FIXED = (Node(TcpAddress("127.0.0.1", 1)), Node(TcpAddress("127.0.0.1", 2)))


def announcement(key: str, port: int = 1, *, leaving: bool = False) -> Announcement:
    return Announcement(leaving=leaving, key=key, address=f"127.0.0.1:{port}")


def registry(*nodes: tuple[str, int]) -> Registry:
    found = Registry(RegistrySettings(raw_keys=True), random=lambda: 0)
    for key, port in nodes:
        found.announce(announcement(key, port), 0)
    return found


class Child:
    """
    A process with its own registry, which reports to the program's.
    """

    def __init__(self, tally: Tally, *nodes: tuple[str, int]) -> None:
        self.tally = tally
        self.registry = registry(*nodes)
        self.fixed = FixedNodes(FIXED, 30)
        self.reporter = Reporter(lambda: self.registry.pools, self.fixed.statistics)
        self.share: Share = tally.join()
        self.running: list[tuple[SubscribedPool, Member]] = []

    def request(self, key: str, *, now: float = 0) -> tuple[SubscribedPool, Member]:
        """
        One that a node has accepted.
        """
        pool = self.registry.lookup(key)
        assert pool is not None
        member = pool.pick(now, ())
        assert member is not None
        pool.accepted(member)
        return pool, member

    def happen(self, event: str) -> None:
        """
        One of the events of L{ReporterTests.test_sum}.
        """
        if event in {"a", "b"}:
            self.running.append(self.request(event))
        elif event == "report":
            self.report()
        elif event == "end" and self.running:
            pool, member = self.running.pop(0)
            pool.finished(member, 3, 5)
        elif event == "fail":
            pool, member = self.request("a")
            pool.finished(member)
            pool.failed(member, 0)

    def report(self, now: float = 0) -> list[Progress]:
        """
        What the program is told.
        """
        told = list(self.reporter.report(now))
        for progress in told:
            self.tally.add(self.share, progress)
        return told


class ReporterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = registry(("a", 1), ("a", 2), ("b", 1))
        self.tally = Tally(FIXED, self.registry)
        self.child = Child(self.tally, ("a", 1), ("a", 2), ("b", 1))

    def node(self, key: str, port: int) -> NodeStatistics:
        """
        What the program shows of a node.
        """
        name = f"127.0.0.1:{port}"
        (pool,) = (pool for pool in self.tally.pools() if pool.key == key)
        (node,) = (node for node in pool.nodes if node.name == name)
        return node

    def test_nothing(self) -> None:
        """
        Nodes without requests are nothing to talk about.
        """
        self.assertEqual([], self.child.report())

    def test_request(self) -> None:
        """
        A request's begin and end are told once each.
        """
        pool, member = self.child.request("a")
        address = member.address
        begin = PoolCount("a", 1, (NodeCount(address, requests=1, running=1),))
        self.assertEqual([Progress((begin,))], self.child.report())
        self.assertEqual([], self.child.report())
        pool.finished(member, 10, 200)
        end = PoolCount("a", 0, (NodeCount(address, sent=10, received=200),))
        self.assertEqual([Progress((end,))], self.child.report())
        self.assertEqual([], self.child.report())
        shown = self.node("a", 2)
        self.assertEqual((1, 1, 10, 200), (shown.requests, shown.last_requests, shown.rx, shown.tx))
        self.assertEqual([1, 0], [found.hits for found in self.tally.pools()])

    def test_quarantine(self) -> None:
        """
        That a node is spared is told, and that it is no more.
        """
        pool = self.child.registry.lookup("b")
        assert pool is not None
        member = pool.pick(0, ())
        assert member is not None
        pool.failed(member, 0)
        self.child.report(0.5)
        self.assertEqual((1, Gauge(0, 1)), (self.node("b", 1).failures, self.node("b", 1).gauge))
        self.child.report(2)
        self.assertEqual((1, Gauge()), (self.node("b", 1).failures, self.node("b", 1).gauge))

    def test_left(self) -> None:
        """
        What runs at a node that leaves is nobody's; a node that comes again
        begins anew.
        """
        pool, member = self.child.request("b")
        self.child.report()
        for each in (self.child.registry, self.registry):
            each.announce(announcement("b", leaving=True), 0)
        gone = PoolCount("b", 0, (NodeCount(member.address),))
        self.assertEqual([Progress((gone,))], self.child.report())
        self.assertEqual([], self.child.report())
        self.assertEqual({}, self.child.share.gauges)
        pool.finished(member, 1, 1)
        for each in (self.child.registry, self.registry):
            each.announce(announcement("b"), 0)
        self.assertEqual([], self.child.report())
        self.child.request("b")
        self.child.report()
        self.assertEqual((1, Gauge(1, 0)), (self.node("b", 1).requests, self.node("b", 1).gauge))

    def test_unknown(self) -> None:
        """
        What the program knows nothing of any more is left out.
        """
        self.registry.announce(announcement("b", leaving=True), 0)
        self.registry.announce(announcement("a", 2, leaving=True), 0)
        self.child.request("b")
        self.child.request("a")
        self.child.report()
        self.assertEqual({}, self.child.share.gauges)
        self.tally.add(self.child.share, Progress(fixed=(FixedCount(7, 1, 0),)))

    def test_fixed(self) -> None:
        """
        Configured nodes: how often they were picked, and since when they are
        in grace, in any process.
        """
        other = Child(self.tally)
        for child in (self.child, other):
            child.fixed.pick(1, ())
        self.child.fixed.failed(FIXED[0], 5)
        self.assertEqual(
            [Progress(fixed=(FixedCount(0, 1, 5),))],
            self.child.report(),
        )
        other.report()
        self.assertEqual([], self.child.report())
        shown = [(node.node, node.hits, node.failed_at) for node in self.tally.fixed()]
        self.assertEqual([(FIXED[0], 2, 5), (FIXED[1], 0, 0)], shown)
        self.child.fixed.accepted(FIXED[0])
        self.child.report()
        self.assertEqual(0, self.tally.fixed()[0].failed_at)

    def test_processes(self) -> None:
        """
        Requests are added up over processes; those in flight end with their
        process.
        """
        other = Child(self.tally, ("b", 1))
        for child in (self.child, other):
            child.request("b")
            child.report()
        self.assertEqual((2, Gauge(2, 0)), (self.node("b", 1).requests, self.node("b", 1).gauge))
        other.share.counts = Counts(3, (RefusalCount("no-room", 1),), 2, open=1)
        self.child.share.counts = Counts(1, open=1)
        self.tally.leave(other.share)
        self.assertEqual((2, Gauge(1, 0)), (self.node("b", 1).requests, self.node("b", 1).gauge))
        self.assertEqual(Counts(4, (RefusalCount("no-room", 1),), 2, open=1), self.tally.counts())

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 1),
                st.sampled_from(["a", "b", "end", "fail", "report", "leave", "come"]),
            ),
            max_size=60,
        )
    )
    def test_sum(self, events: list[tuple[int, str]]) -> None:
        """
        Whatever happens in which order, in the end the program's numbers are
        the sums of the processes'.
        """
        shared = registry(("a", 1), ("a", 2), ("b", 1))
        tally = Tally(FIXED, shared)
        children = [Child(tally, ("a", 1), ("a", 2), ("b", 1)) for _ in range(2)]
        for number, event in events:
            if event in {"leave", "come"}:
                for each in children:
                    each.report()
                for known in (shared, *(each.registry for each in children)):
                    known.announce(announcement("a", 2, leaving=event == "leave"), 0)
            else:
                children[number].happen(event)
        for child in children:
            child.report()
        for found in tally.pools():
            for node in found.nodes:
                self.assertEqual(expected(children, found.key, node.name), shown(node))

    def test_slices(self) -> None:
        """
        Only so many nodes are looked at, and told of, in one report; the rest
        follows.
        """
        self.patch(reporting, "LOOKED_AT", 7)
        self.patch(reporting, "TOLD", 3)
        nodes = [(f"k{number}", 1) for number in range(30)]
        tally = Tally((), registry(*nodes))
        child = Child(tally, *nodes)
        for key, _ in nodes:
            child.request(key)
        reports = 0
        while sum(pool.hits for pool in tally.pools()) < 30:
            found = sum(len(told.pools) for told in child.report())
            self.assertLessEqual(found, 3)
            reports += 1
            self.assertLess(reports, 60)
        child.report()
        for key, _ in nodes[:3]:
            child.request(key)
        for _ in range(20):
            child.report()
        requests = [node.requests for pool in tally.pools() for node in pool.nodes]
        self.assertEqual([2] * 3 + [1] * 27, requests)

    def test_size(self) -> None:
        """
        No message is longer than the program takes, whatever the names are.
        """
        most = 2**63
        node = NodeCount(UnixAddress(b"\xff" * 107), most, most, most, most, most)
        pools = tuple(PoolCount("\xff" * 255, most, (node,)) for _ in range(BATCH))
        fixed = tuple(FixedCount(most, most, 1e300 / 3) for _ in range(BATCH))
        self.assertLess(len(encode(Progress(pools, fixed))), REPORT_LIMIT)

    def test_batches(self) -> None:
        """
        Nodes of a pool with many of them are spread over messages.
        """
        nodes = [("a", port) for port in range(1, 2 * BATCH)]
        child = Child(Tally((), registry(*nodes)), *nodes)
        for _ in nodes:
            child.request("a")
        told = child.report()
        self.assertEqual([1, 1], [len(progress.pools) for progress in told])
        count = sum(len(progress.pools[0].nodes) for progress in told)
        self.assertEqual(len(nodes), count)
        self.assertEqual(len(nodes), sum(progress.pools[0].hits for progress in told))


def expected(children: list[Child], key: str, name: str) -> tuple[int, ...]:
    """
    The sums over the nodes of the processes.
    """
    found = [
        member
        for child in children
        for pool in child.registry.pools
        if pool.key == key
        for member in pool.members.values()
        if str(member.address) == name
    ]
    return tuple(
        sum(values)
        for values in zip(
            *((m.requests, m.failcnt, m.rx, m.tx, m.references) for m in found), strict=True
        )
    )


def shown(node: NodeStatistics) -> tuple[int, ...]:
    return node.requests, node.failures, node.rx, node.tx, node.gauge.running
