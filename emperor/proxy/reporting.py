"""
What a router process tells the program of its nodes.

Only what has changed is told, and only so much at once: a look at all nodes
goes on over several seconds where there are many, and what is not told yet is
told with the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from emperor.routing.members import Member
from emperor.routing.pools import FixedStatistics
from emperor.routing.statistics import is_quarantined
from emperor.routing.subscribed import SubscribedPool
from emperor.wire.control import FixedCount, NodeCount, PoolCount, Progress

#: Pools and nodes that are looked at for one report; so many take 3 ms.
LOOKED_AT = 2048

#: Changes that are told in one report; the program spends 10 ms on so many.
TOLD = 400

#: Changes in one message, which is never longer than
#: L{emperor.wire.control.REPORT_LIMIT} so.
BATCH = 20


@dataclass(frozen=True, slots=True)
class _Change:
    """
    Something new of the pool C{key}.
    """

    key: str
    hits: int = 0
    node: NodeCount | None = None


class Reporter:
    """
    Finds what was not told yet.
    """

    def __init__(
        self,
        pools: Callable[[], Iterable[SubscribedPool]],
        fixed: Callable[[], Sequence[FixedStatistics]],
    ) -> None:
        """
        @param pools: those that there are.
        @param fixed: the nodes of the configuration.
        """
        self._pools = pools
        self._fixed = fixed
        self._now = 0.0
        self._fixed_told: dict[int, FixedCount] = {}
        self._hits: dict[SubscribedPool, int] = {}
        self._nodes: dict[Member, tuple[str, NodeCount]] = {}
        self._look = self._look_at_all()

    def report(self, now: float) -> Iterator[Progress]:
        """
        What is new, as far as it was found this time.
        """
        self._now = now
        fixed = list(self._fixed_changes())
        changes = list(islice(filter(None, islice(self._steps(), LOOKED_AT)), TOLD))
        while fixed or changes:
            yield Progress(tuple(_grouped(changes[:BATCH])), tuple(fixed[:BATCH]))
            del fixed[:BATCH], changes[:BATCH]

    def _steps(self) -> Iterator[_Change | None]:
        """
        The look that was begun, to its end at most.
        """
        for step in self._look:  # noqa: UP028  # "yield from" would end it with us
            yield step
        self._look = self._look_at_all()

    def _look_at_all(self) -> Iterator[_Change | None]:
        """
        @return: for each node and pool what is new, or L{None}.
        """
        before_hits, self._hits = self._hits, {}
        before, self._nodes = self._nodes, {}
        for pool in list(self._pools()):
            self._hits[pool] = pool.hits
            hits = pool.hits - before_hits.get(pool, 0)
            yield _Change(pool.key, hits) if hits else None
            for member in list(pool.members.values()):
                yield self._node(pool.key, member, before.pop(member, None))
        # These have left; what runs there is nobody's.
        for key, node in before.values():
            if node.running or node.quarantined:
                yield _Change(key, node=NodeCount(node.address))

    def _node(
        self, key: str, member: Member, before: tuple[str, NodeCount] | None
    ) -> _Change | None:
        quarantined = is_quarantined(member, self._now)
        if before is None and not (member.requests or member.failcnt or quarantined):
            return None
        told = before[1] if before is not None else NodeCount(member.address)
        total = NodeCount(
            member.address,
            member.requests,
            member.failcnt,
            member.rx,
            member.tx,
            member.references,
            quarantined,
        )
        self._nodes[member] = key, total
        return _Change(key, node=_since(told, total)) if total != told else None

    def _fixed_changes(self) -> Iterator[FixedCount]:
        for place, node in enumerate(self._fixed()):
            total = FixedCount(place, node.hits, node.failed_at)
            told = self._fixed_told.get(place, FixedCount(place, 0, 0))
            if total != told:
                self._fixed_told[place] = total
                yield replace(total, hits=total.hits - told.hits)


def _since(told: NodeCount, total: NodeCount) -> NodeCount:
    return replace(
        total,
        requests=total.requests - told.requests,
        failures=total.failures - told.failures,
        sent=total.sent - told.sent,
        received=total.received - told.received,
    )


def _grouped(changes: Iterable[_Change]) -> Iterator[PoolCount]:
    for key, group in groupby(changes, lambda change: change.key):
        of_pool = list(group)
        nodes = tuple(change.node for change in of_pool if change.node is not None)
        yield PoolCount(key, sum(change.hits for change in of_pool), nodes)
