"""
What a router has for those who subscribed: their mapper, who wakes them, and who
checks them.
"""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from emperor.announcing.sending import Sender
from emperor.config.settings import RouterSettings
from emperor.interfaces import INodeDialer, IVassalDirectory
from emperor.proxy.checking import Checker
from emperor.proxy.waking import Waker
from emperor.routing.mappers import Asked
from emperor.routing.pools import Pool
from emperor.routing.subscriptions import Registry


class Subscribed:
    """
    The nodes of one registry, as one router sees them.

    @ivar companions: to be started and stopped with the router.
    """

    def __init__(
        self,
        reactor: Any,
        settings: RouterSettings,
        registry: Registry,
        dialer: INodeDialer,
        vassals: IVassalDirectory,
    ) -> None:
        """
        @param reactor: knows the time, names, UDP and UNIX datagrams.
        @param vassals: those of this program, which it can wake itself.
        """
        self._registry = registry
        self._waker = Waker(reactor, settings, registry, Sender(reactor), vassals)
        self.companions: list[Service] = [self._waker]
        check = settings.subscriptions.check
        if check is not None:
            checker = Checker(
                reactor,
                settings.kind,
                registry,
                dialer,
                check,
                connect_timeout=settings.connect_timeout,
            )
            self.companions.append(checker)

    def mapper(self, asked: Asked) -> Pool | Deferred[Pool | None] | None:
        """
        The pool of a request; costs next to nothing while there is none.
        """
        if self._registry.is_empty:
            return None
        pool = self._registry.lookup(asked.host, asked.path)
        if pool is None or not pool.sleepers:
            return pool
        return self._waker.pool(pool, asked)
