"""
One router's registry, and who follows it.

Whatever changes the registry goes through here, so that all who follow it hear
of it: the log, the router processes, other servers, the file on the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from emperor.config.settings import RouterSettings
from emperor.routing.outcomes import Expiry, Outcome
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.wire.subscription import Announcement


def make_registry(router: RouterSettings) -> Registry:
    """
    The registry of a router, or a copy of it in another process.
    """
    settings = router.subscriptions
    return Registry(
        RegistrySettings(
            tolerance=settings.tolerance,
            tolerance_inactive=settings.tolerance_inactive,
            keep_last=settings.keep_last,
            dotsplit=settings.dotsplit,
            mountpoints=settings.mountpoints,
            fallback_key=settings.fallback_key,
            algorithm=settings.algorithm,
            raw_keys=router.raw_host_key,
            checked=settings.check is not None,
        )
    )


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    An announcement and what became of it.

    @ivar hops: through which routers it has come (L{emperor.wire.hops}).
    """

    announcement: Announcement
    outcome: Outcome
    hops: tuple[str, ...] = ()


class Follower(Protocol):
    """
    Who wants to know what happens to a registry.
    """

    def arrived(self, arrival: Arrival) -> None:
        """
        An announcement was heeded, or refused.
        """

    def expired(self, expiries: Sequence[Expiry]) -> None:
        """
        Nodes were taken out.
        """


class Ledger:
    """
    See the module.

    @ivar registry: to be looked up in; only the ledger changes it.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, registry: Registry) -> None:
        """
        @param clock: the one of the routers.
        """
        self.registry = registry
        self._clock = clock
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """
        Tell C{follower} of everything from now on, after those before it.
        """
        self._followers.append(follower)

    def announce(self, announcement: Announcement, hops: tuple[str, ...] = ()) -> Outcome:
        """
        A node comes, stays or leaves.
        """
        outcome = self.registry.announce(announcement, self._clock.seconds(), hops)
        arrival = Arrival(announcement, outcome, hops)
        for follower in self._followers:
            try:
                follower.arrived(arrival)
            except Exception:
                self._log.failure("{follower} failed", follower=follower)
        return outcome

    def expire(self) -> None:
        """
        Take out who was not heard of; to be called every second.
        """
        expiries = self.registry.expire(self._clock.seconds())
        if not expiries:
            return
        for follower in self._followers:
            try:
                follower.expired(expiries)
            except Exception:
                self._log.failure("{follower} failed", follower=follower)
