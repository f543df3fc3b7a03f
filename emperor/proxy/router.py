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
from emperor.proxy.refusals import Reason, Refusal, RefusalLog
from emperor.proxy.routes import OtherMapper, Routes
from emperor.routing.pools import FixedStatistics, Pool, Target


class Router:
    """
    One router, C{http} or C{fastrouter}.

    @ivar routes: the way from a host to a pool.
    @ivar leaving: see L{IVassalDirectory}; nearly always empty.
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
    ) -> None:
        """
        @param mappers: those that the settings alone cannot answer.
        """
        self.settings = settings
        self.dialer = dialer
        self.refusals = refusals
        self.clock = clock
        self.deadlines = Deadlines(clock)
        self.draining = False
        self.routes = Routes(settings, mappers or {})
        self._vassals = vassals
        self.leaving = vassals.leaving

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
