"""
What all connections of one router share, and its decisions for a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from emperor.config.settings import Mapper, RouterSettings
from emperor.interfaces import INodeDialer, IVassalDirectory
from emperor.proxy.backends import explain, is_absent, is_missing, is_timeout
from emperor.proxy.deadlines import Deadlines
from emperor.proxy.peers import Stranger
from emperor.proxy.refusals import Reason, Refusal, RefusalLog
from emperor.proxy.routes import OtherMapper, Routes
from emperor.proxy.sleepers import Sleepers
from emperor.proxy.strangers import Strangers
from emperor.routing.pools import FixedStatistics, Pool, Target
from emperor.wire.hops import HOPS_LIMIT, WAY, WAY_LIMIT, add_mark, make_mark, marks_of
from emperor.wire.uwsgi import PAYLOAD_LIMIT, find_variables


class Router:
    """
    One router, C{http} or C{fastrouter}.

    @ivar routes: the way from a host to a pool.
    @ivar leaving: see L{IVassalDirectory}; nearly always empty.
    @ivar sleepers: the vassals that can be woken.
    @ivar mark: see L{emperor.wire.hops}.
    @ivar draining: whether it stops; connections end with their request then.
    """

    def __init__(
        self,
        settings: RouterSettings,
        *,
        clock: IReactorTime,
        dialer: INodeDialer,
        vassals: IVassalDirectory,
        refusals: RefusalLog,
        mappers: Mapping[Mapper, OtherMapper] | None = None,
        mark: str = "",
    ) -> None:
        """
        @param mark: the same in all its processes; empty: one of its own.
        @param mappers: those that the settings alone cannot answer.
        """
        self.settings = settings
        self.dialer = dialer
        self.refusals = refusals
        self.clock = clock
        self.deadlines = Deadlines(clock)
        self.draining = False
        self.mark = mark or make_mark()
        self.routes = Routes(settings, mappers or {}, vassals.reason_for_keys)
        self._vassals = vassals
        self.leaving = vassals.leaving
        self._strangers = Strangers(clock, settings.kind)
        self.sleepers = Sleepers(clock, settings, vassals)

    def returned(self, way: bytes, host: str) -> Refusal | None:
        """
        The answer to a request that has come through this router already, or
        through so many that nobody knows where it will end.

        @param way: see L{WAY}.
        @return: L{None}: it may go on.
        """
        marks = marks_of(way)
        if self.mark in marks:
            return Refusal(Reason.LOOP, "the request has come back to this router", host)
        if len(marks) >= HOPS_LIMIT:
            detail = f"the request came through {HOPS_LIMIT} routers, and no node was found"
            return Refusal(Reason.LOOP, detail, host)
        return None

    def marked(self, payload: bytes) -> bytes:
        """
        A request's variables for a node that L{Target.may_return}.
        """
        return add_mark(payload, self.mark)

    def passed_over(self, node: Target, payload: bytes, host: str) -> Refusal | None:
        """
        The answer to a request that had better not go to C{node}.

        @param payload: its variables.
        @return: L{None}: it may.
        """
        if not node.may_return:
            return self.about_to_leave(node, host)
        if len(payload) + WAY_LIMIT > PAYLOAD_LIMIT:
            detail = "the request has no room for the mark of a router"
            return Refusal(Reason.BAD_REQUEST, detail, host, 431)
        way = find_variables(payload, frozenset([WAY])).get(WAY, b"")
        if not set(marks_of(way)).isdisjoint(node.hops):
            detail = f"{node.address} is a router that the request has come through"
            return Refusal(Reason.LOOP, detail, host)
        return self.about_to_leave(node, host)

    def about_to_leave(self, node: Target, host: str) -> Refusal | None:
        """
        The answer to a request whose node is a vassal that is being stopped:
        its socket still takes requests, and nobody answers them.

        @return: L{None}: it stays, or is no vassal.
        """
        if node.address not in self.leaving:
            return None
        reason = self._vassals.reason_for_absence(node.address)
        return Refusal(Reason.NODE_ABSENT, reason or f"{node.address} is about to leave", host)

    def not_answered(self, node: Target, host: str) -> Refusal:
        """
        The answer to a request whose node closed the connection without one.
        """
        absence = self._vassals.reason_for_absence(node.address)
        if absence is not None:
            return Refusal(Reason.NODE_ABSENT, absence, host)
        detail = f"{node.address} closed the connection without an answer"
        return Refusal(Reason.NODE_FAILED, detail, host)

    def not_connected(self, pool: Pool, node: Target, failure: Failure, host: str) -> Refusal:
        """
        The answer to a request whose node did not accept a connection.
        """
        if is_timeout(failure):
            detail = f"{node.address} did not accept within {self.settings.connect_timeout:g} s"
            return Refusal(Reason.NODE_TIMEOUT, detail, host)
        if isinstance(failure.value, Stranger):
            self._strangers.note(node, failure.value)
        if not is_absent(failure):
            detail = f"{node.address} cannot be reached: {explain(failure)}"
            return Refusal(Reason.NODE_FAILED, detail, host)
        absence = self._vassals.reason_for_absence(node.address)
        if absence is None and pool.from_host and is_missing(failure):
            detail = f"there is no site at {node.address}"
            return Refusal(Reason.UNKNOWN_HOST, detail, host)
        return Refusal(Reason.NODE_ABSENT, absence or f"nothing listens at {node.address}", host)

    def fixed_nodes(self) -> Sequence[FixedStatistics]:
        """
        How the nodes of C{to} do.
        """
        return self.routes.fixed_nodes()
