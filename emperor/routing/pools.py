"""
Nodes that answer for the same key, and which of them is next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from emperor.config.settings import Node


class Pool(Protocol):
    """
    Where the requests for a key go.

    @ivar from_host: whether the address was made from the client's host, so
        that its absence means: there is no such site.
    """

    from_host: bool

    def pick(self, now: float, tried: Collection[Node]) -> Node | None:
        """
        The node for a request.

        @param now: seconds of a clock that never goes back.
        @param tried: nodes that did not accept this request.
        @return: L{None}: none is left to try.
        """

    def failed(self, node: Node, now: float) -> None:
        """
        C{node} did not accept a connection.
        """

    def accepted(self, node: Node) -> None:
        """
        C{node} accepted a connection.
        """


class SingleNode:
    """
    A pool of one, which is tried whatever happened before.
    """

    def __init__(self, node: Node, *, from_host: bool) -> None:
        self._node = node
        self.from_host = from_host

    def pick(self, now: float, tried: Collection[Node]) -> Node | None:
        """
        The one node, once.
        """
        return None if self._node in tried else self._node

    def failed(self, node: Node, now: float) -> None:
        """
        Nothing is remembered.
        """

    def accepted(self, node: Node) -> None:
        """
        Nothing is remembered.
        """


class FixedNodes:
    """
    The nodes of C{http-to} or C{fastrouter-to}, taken in turn.

    A node that did not accept is passed over for C{gracetime} seconds, as long
    as another one is left.
    """

    from_host = False

    def __init__(self, nodes: Sequence[Node], gracetime: float) -> None:
        self._nodes = tuple(nodes)
        self._gracetime = gracetime
        self._turn = 0
        self._failed_at: dict[Node, float] = {}

    def pick(self, now: float, tried: Collection[Node]) -> Node | None:
        """
        The next node in turn that may be well; else one that is in grace.
        """
        count = len(self._nodes)
        turns = [(self._turn + step) % count for step in range(count)]
        left = [turn for turn in turns if self._nodes[turn] not in tried]
        if not left:
            return None
        well = [turn for turn in left if not self._in_grace(self._nodes[turn], now)]
        turn = (well or left)[0]
        self._turn = (turn + 1) % count
        return self._nodes[turn]

    def _in_grace(self, node: Node, now: float) -> bool:
        failed_at = self._failed_at.get(node)
        return failed_at is not None and now - failed_at < self._gracetime

    def failed(self, node: Node, now: float) -> None:
        """
        Its grace begins.
        """
        self._failed_at[node] = now

    def accepted(self, node: Node) -> None:
        """
        Its grace is over.
        """
        self._failed_at.pop(node, None)
