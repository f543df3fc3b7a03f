"""
What all connections of one router share, and its decisions for a request.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from emperor.config.settings import RouterSettings
from emperor.interfaces import IDialer, IVassalDirectory
from emperor.proxy.backends import error_number, is_absent, is_missing, is_timeout
from emperor.proxy.deadlines import Deadlines
from emperor.proxy.refusals import Reason, Refusal, RefusalLog
from emperor.routing.keys import BadHost, host_key
from emperor.routing.mappers import RouteTable, UnsafeHost
from emperor.routing.pools import FixedStatistics, Pool, Target

#: Hosts whose pools are kept at hand.
KNOWN_HOSTS = 8192


class Refused(Exception):
    """
    The request gets the router's own answer.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class Router:
    """
    One router, C{http} or C{fastrouter}.

    @ivar leaving: see L{IVassalDirectory}; nearly always empty.
    @ivar draining: whether it stops; connections end with their request then.
    """

    def __init__(
        self,
        settings: RouterSettings,
        *,
        clock: IReactorTime,
        dialer: IDialer,
        vassals: IVassalDirectory,
        refusals: RefusalLog,
    ) -> None:
        self.settings = settings
        self.dialer = dialer
        self.refusals = refusals
        self.deadlines = Deadlines(clock)
        self.draining = False
        self._table = RouteTable(settings)
        self._vassals = vassals
        self.leaving = vassals.leaving
        self._pools: dict[bytes, Pool] = {}

    def pool_for(self, host: bytes) -> Pool:
        """
        Where requests for a host go.

        @raise Refused: the host is malformed or nobody knows it.
        """
        pool = self._pools.get(host)
        if pool is None:
            pool = self._find_pool(host)
            if len(self._pools) >= KNOWN_HOSTS:
                self._pools.clear()
            self._pools[host] = pool
        return pool

    def _find_pool(self, host: bytes) -> Pool:
        shown = host.decode("ascii", "backslashreplace")
        try:
            key = host_key(host, self.settings.raw_host_key)
            pool = self._table.lookup(key)
        except (BadHost, UnsafeHost) as error:
            raise Refused(Refusal(Reason.BAD_HOST, str(error), shown)) from error
        if pool is None:
            detail = f"no site is configured for the host {key}"
            raise Refused(Refusal(Reason.UNKNOWN_HOST, detail, shown))
        return pool

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
            number = error_number(failure)
            why = os.strerror(number) if number else type(failure.value).__name__
            detail = f"{node.address} cannot be reached: {why}"
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
        return self._table.fixed_nodes()
