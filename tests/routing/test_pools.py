"""
Which node is next.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.config.settings import Node
from emperor.routing.pools import ANYONE, FixedNodes, FixedStatistics, Pool, SingleNode

A, B, C = (Node(parse_address(f"127.0.0.1:{port}")) for port in (1, 2, 3))


class SingleNodeTests(SynchronousTestCase):
    def test_once(self) -> None:
        """
        The node is tried once for each request, whatever happened before.
        """
        pool = SingleNode(A, from_host=True)
        pool.failed(A, 0)
        self.assertIs(pool.pick(0, ()), A)
        self.assertIsNone(pool.pick(0, [A]))
        pool.accepted(A)
        pool.finished(A, 1, 2)
        self.assertIs(pool.pick(0, (), ANYONE), A)
        self.assertTrue(pool.from_host)

    def test_counts(self) -> None:
        """
        It need not be told how requests end.
        """
        pool: Pool = SingleNode(A, from_host=True)
        self.assertFalse(pool.counts)


class FixedNodesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pool = FixedNodes([A, B, C], gracetime=30)

    def picked(self, count: int, now: float = 0) -> list[Node | None]:
        return [self.pool.pick(now, ()) for _ in range(count)]

    def test_turns(self) -> None:
        """
        The nodes are taken in turn.
        """
        self.assertEqual(self.picked(5), [A, B, C, A, B])

    def test_retries(self) -> None:
        """
        A request goes on to the nodes that it has not tried, then to none.
        """
        self.assertEqual(self.pool.pick(0, [A]), B)
        self.assertEqual(self.pool.pick(0, [A, B]), C)
        self.assertIsNone(self.pool.pick(0, [A, B, C]))

    def test_grace(self) -> None:
        """
        A failed node is passed over for the grace time.
        """
        self.pool.failed(B, 100)
        self.assertEqual(self.picked(4, 129.9), [A, C, A, C])
        self.assertEqual(self.picked(3, 130), [A, B, C])

    def test_all_in_grace(self) -> None:
        """
        Where all nodes have failed they are tried all the same.
        """
        for node in (A, B, C):
            self.pool.failed(node, 0)
        self.assertEqual(self.picked(4), [A, B, C, A])

    def test_only_graced_left(self) -> None:
        """
        A request that has tried the others tries one in grace.
        """
        self.pool.failed(B, 0)
        self.assertEqual(self.pool.pick(0, [A, C]), B)

    def test_accepted(self) -> None:
        """
        A node that accepts again is well at once.
        """
        self.pool.failed(B, 0)
        self.pool.accepted(B)
        self.pool.accepted(C)
        self.assertEqual(self.picked(3), [A, B, C])

    def test_failed_again(self) -> None:
        """
        Each failure begins a new grace.
        """
        self.pool.failed(A, 0)
        self.pool.failed(A, 20)
        self.assertEqual(self.picked(2, 40), [B, C])

    def test_shared(self) -> None:
        """
        A fixed node says nothing about the host.
        """
        self.assertFalse(self.pool.from_host)

    def test_statistics(self) -> None:
        """
        How often each was picked, and whose grace began when.
        """
        self.picked(4)
        self.pool.failed(C, 7)
        self.pool.finished(A)
        self.assertEqual(
            self.pool.statistics(),
            [FixedStatistics(A, 2, 0), FixedStatistics(B, 1, 0), FixedStatistics(C, 1, 7)],
        )


class AnyoneTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """
        Of a request that is not described nothing is known.
        """
        self.assertEqual((ANYONE.client_address(), ANYONE.header(b"cookie")), (b"", b""))
