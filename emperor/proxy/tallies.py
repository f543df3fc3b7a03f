"""
What the processes of a router have done, put together.

Counts are added up over the processes that run and those that they replaced;
what is so now, such as requests in flight, only over those that run.  What is
told of a subscribed node is added to the node of the program's own registry,
and goes with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emperor.addresses import Address
from emperor.config.settings import Node
from emperor.routing.members import Member
from emperor.routing.pools import FixedStatistics
from emperor.routing.statistics import NOTHING, Gauge, PoolStatistics, pool_statistics
from emperor.routing.subscribed import SubscribedPool
from emperor.wire.control import Counts, NodeCount, PoolCount, Progress, RefusalCount

NO_COUNTS = Counts(0)


class Pools(Protocol):
    """
    What is needed of a L{emperor.routing.subscriptions.Registry}.
    """

    @property
    def pools(self) -> Collection[SubscribedPool]:
        """
        All of them.
        """

    def find(self, key: str) -> SubscribedPool | None:
        """
        The pool of a key.
        """


@dataclass(slots=True, eq=False)
class Share:
    """
    What one process has told.

    @ivar gauges: by key and address, where there is something to tell.
    @ivar failed_at: when the grace of configured nodes began, by their places.
    """

    counts: Counts = NO_COUNTS
    gauges: dict[tuple[str, Address], Gauge] = field(default_factory=dict)
    failed_at: dict[int, float] = field(default_factory=dict)


class Tally:
    """
    What all processes of one router have told.
    """

    def __init__(self, nodes: Sequence[Node], registry: Pools) -> None:
        """
        @param nodes: those of the configuration.
        @param registry: the program's own.
        """
        self._nodes = nodes
        self._registry = registry
        self._hits = [0] * len(nodes)
        self._shares: list[Share] = []
        self._past = NO_COUNTS

    def join(self) -> Share:
        """
        A process has begun.

        @return: to be filled with what it tells.
        """
        share = Share()
        self._shares.append(share)
        return share

    def leave(self, share: Share) -> None:
        """
        A process has gone.
        """
        self._shares.remove(share)
        self._past = added([self._past, share.counts], open=0)

    def add(self, share: Share, progress: Progress) -> None:
        """
        A process tells of nodes.
        """
        for fixed in progress.fixed:
            if fixed.place < len(self._hits):
                self._hits[fixed.place] += fixed.hits
                share.failed_at[fixed.place] = fixed.failed_at
        for told in progress.pools:
            self._add_pool(share, told)

    def _add_pool(self, share: Share, told: PoolCount) -> None:
        pool = self._registry.find(told.key)
        if pool is not None:
            pool.hits += told.hits
        for node in told.nodes:
            member = pool.members.get(node.address) if pool is not None else None
            if member is not None:
                _add_node(member, node)
            gauge = Gauge(node.running, node.quarantined)
            if member is not None and gauge != NOTHING:
                share.gauges[told.key, node.address] = gauge
            else:
                share.gauges.pop((told.key, node.address), None)

    def counts(self) -> Counts:
        """
        The sum.
        """
        each = [share.counts for share in self._shares]
        return added([self._past, *each], open=sum(counts.open for counts in each))

    def fixed(self) -> list[FixedStatistics]:
        """
        How the configured nodes do; one is in grace if it is in any process.
        """
        return [
            FixedStatistics(
                node,
                self._hits[place],
                max((share.failed_at.get(place, 0) for share in self._shares), default=0),
            )
            for place, node in enumerate(self._nodes)
        ]

    def pools(self) -> Iterator[PoolStatistics]:
        """
        How the pools do.
        """
        return pool_statistics(self._registry.pools, self._gauge())

    def _gauge(self) -> Callable[[str, Member], Gauge]:
        all_gauges = [share.gauges for share in self._shares]

        def gauge(key: str, member: Member) -> Gauge:
            place = key, member.address
            found = [gauges[place] for gauges in all_gauges if place in gauges]
            if not found:
                return NOTHING
            return Gauge(
                sum(each.running for each in found), sum(each.quarantined for each in found)
            )

        return gauge


def added(counts: Iterable[Counts], open: int) -> Counts:
    """
    The sum of what was counted.
    """
    counts = list(counts)
    refusals: Counter[str] = Counter()
    for each in counts:
        refusals.update({refusal.reason: refusal.count for refusal in each.refusals})
    return Counts(
        sum(each.connections for each in counts),
        tuple(RefusalCount(reason, count) for reason, count in sorted(refusals.items())),
        sum(each.requests for each in counts),
        open,
    )


def _add_node(member: Member, told: NodeCount) -> None:
    member.requests += told.requests
    member.last_requests += told.requests
    member.failcnt += told.failures
    member.rx += told.sent
    member.tx += told.received
