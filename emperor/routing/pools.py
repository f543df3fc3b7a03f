"""
Nodes that answer for the same key, and which of them is next.

What a pool is told of a node, in this order: it was picked; then it either
L{failed<Pool.failed>}, or it L{accepted<Pool.accepted>} and, later,
L{finished<Pool.finished>}.  A request may also be given up before the node has
accepted; the pool is not told then and does not wait for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from emperor.addresses import Address
from emperor.config.settings import Node


class Target(Protocol):
    """
    What a request needs to know of a node: a configured L{Node}, or one that
    subscribed.  Two of one pool are equal only if they are the same node.
    """

    @property
    def address(self) -> Address:
        """
        Where it listens.
        """

    @property
    def modifier1(self) -> int:
        """
        Of the uwsgi packet, 0 to 255.
        """

    @property
    def modifier2(self) -> int:
        """
        Of the uwsgi packet, 0 to 255.
        """

    @property
    def may_return(self) -> bool:
        """
        Whether it may be a router that sends requests back to this one.
        """

    @property
    def hops(self) -> tuple[str, ...]:
        """
        The marks of the routers through which it is known.
        """

    @property
    def owner(self) -> int:
        """
        The user who must listen at its UNIX socket; L{emperor.addresses.ANYBODY}: it
        does not matter.
        """


class Seeker(Protocol):
    """
    What balancing may ask about a request; most pools never ask.
    """

    def client_address(self) -> bytes:
        """
        The address of the client, not of a proxy before us; empty: unknown.
        """

    def header(self, name: bytes) -> bytes:
        """
        The value of a header.

        @param name: in lower case.
        @return: empty: there is none.
        """


class Anyone:
    """
    A request of which nothing is known.
    """

    def client_address(self) -> bytes:
        """
        Unknown.
        """
        return b""

    def header(self, name: bytes) -> bytes:
        """
        None.
        """
        return b""


ANYONE = Anyone()


class Pool(Protocol):
    """
    Where the requests for a key go.

    @ivar from_host: whether the address was made from the client's host, so
        that its absence means: there is no such site.
    @ivar counts: whether L{accepted} and L{finished} are of use to it; where
        not, they need not be called.
    """

    from_host: bool
    counts: bool

    def pick(self, now: float, tried: Collection[Target], seeker: Seeker = ANYONE) -> Target | None:
        """
        The node for a request.

        @param now: seconds of a clock that never goes back.
        @param tried: nodes that did not accept this request.
        @return: L{None}: none is left to try.
        """

    def failed(self, node: Target, now: float) -> None:
        """
        C{node}, which was picked here, did not accept a connection.
        """

    def accepted(self, node: Target) -> None:
        """
        C{node}, which was picked here, accepted; a request runs there now.
        """

    def finished(self, node: Target, sent: int = 0, received: int = 0) -> None:
        """
        A request that C{node} accepted is over, well or not.

        @param sent: bytes that went to the node.
        @param received: bytes that came from it.
        """


class SingleNode:
    """
    A pool of one, which is tried whatever happened before.
    """

    counts = False

    def __init__(self, node: Node, *, from_host: bool) -> None:
        self._node = node
        self.from_host = from_host

    def pick(self, now: float, tried: Collection[Target], seeker: Seeker = ANYONE) -> Node | None:
        """
        The one node, once.
        """
        return None if self._node in tried else self._node

    def failed(self, node: Target, now: float) -> None:
        """
        Nothing is remembered.
        """

    def accepted(self, node: Target) -> None:
        """
        Nothing is remembered.
        """

    def finished(self, node: Target, sent: int = 0, received: int = 0) -> None:
        """
        Nothing is remembered.
        """


@dataclass(frozen=True, slots=True)
class FixedStatistics:
    """
    One fixed node, for what people read.

    @ivar hits: how often it was picked.
    @ivar failed_at: when its grace began; 0: it is well.
    """

    node: Node
    hits: int
    failed_at: float


class FixedNodes:
    """
    The nodes of C{http-to} or C{fastrouter-to}, taken in turn.

    A node that did not accept is passed over for C{gracetime} seconds, as long
    as another one is left.
    """

    from_host = False
    counts = True

    def __init__(self, nodes: Sequence[Node], gracetime: float) -> None:
        self._nodes = tuple(nodes)
        self._gracetime = gracetime
        self._turn = 0
        self._hits = [0] * len(self._nodes)
        self._failed_at: dict[Node, float] = {}

    def pick(self, now: float, tried: Collection[Target], seeker: Seeker = ANYONE) -> Node | None:
        """
        The next node in turn that may be well; else one that is in grace.
        """
        turn = self._next(now, tried) if tried or self._failed_at else self._turn
        if turn is None:
            return None
        self._turn = (turn + 1) % len(self._nodes)
        self._hits[turn] += 1
        return self._nodes[turn]

    def _next(self, now: float, tried: Collection[Target]) -> int | None:
        count = len(self._nodes)
        turns = [(self._turn + step) % count for step in range(count)]
        left = [turn for turn in turns if self._nodes[turn] not in tried]
        well = [turn for turn in left if not self._in_grace(self._nodes[turn], now)]
        return next(iter(well or left), None)

    def _in_grace(self, node: Node, now: float) -> bool:
        failed_at = self._failed_at.get(node)
        return failed_at is not None and now - failed_at < self._gracetime

    def failed(self, node: Target, now: float) -> None:
        """
        Its grace begins.
        """
        assert isinstance(node, Node)
        self._failed_at[node] = now

    def accepted(self, node: Target) -> None:
        """
        Its grace is over.
        """
        if self._failed_at:
            assert isinstance(node, Node)
            self._failed_at.pop(node, None)

    def finished(self, node: Target, sent: int = 0, received: int = 0) -> None:
        """
        Nothing is remembered.
        """

    def statistics(self) -> list[FixedStatistics]:
        """
        How each node did, in the order of the configuration.
        """
        return [
            FixedStatistics(node, hits, self._failed_at.get(node, 0))
            for node, hits in zip(self._nodes, self._hits, strict=True)
        ]
