"""
When nodes fall silent, and when they are taken out.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from emperor.routing.outcomes import Expiry
from emperor.routing.roster import Roster
from emperor.routing.subscribed import SubscribedPool


class Expiring:
    """
    Looks at nobody before the earliest deadline that it knows of.  Nodes that
    were heard of since have a later one; that is found out then.
    """

    def __init__(self, roster: Roster, keep_last: float) -> None:
        """
        @param keep_last: seconds that a silent node is kept.
        """
        self._roster = roster
        self._keep_last = keep_last
        self._earliest = inf

    def look_at(self, deadline: float) -> None:
        """
        Somebody has a deadline.
        """
        self._earliest = min(self._earliest, deadline)

    def expire(self, now: float) -> list[Expiry]:
        """
        Take out whose time is over.
        """
        if now <= self._earliest:
            return []
        self._earliest = inf
        expired: list[Expiry] = []
        for pool in list(self._roster.pools.values()):
            gone = [*self._members(pool, now), *self._sleepers(pool, now)]
            if gone:
                self._roster.resized(pool, -len(gone))
                expired += gone
        return expired

    def _members(self, pool: SubscribedPool, now: float) -> Iterator[Expiry]:
        """
        The time that a silent node is kept counts from here: if it was this
        process that did not run for a while, nobody could be heard.
        """
        fell_silent = False
        for member in list(pool.members.values()):
            if now <= member.deadline:
                self.look_at(member.deadline)
            elif member.silent or not self._keep_last:
                del pool.members[member.address]
                yield Expiry(pool.key, member.announcement.address, now - member.last_check)
            else:
                member.silent = fell_silent = True
                member.deadline = now + self._keep_last
                self.look_at(member.deadline)
        if fell_silent:
            pool.sort_out()

    def _sleepers(self, pool: SubscribedPool, now: float) -> Iterator[Expiry]:
        for name, sleeper in list(pool.sleepers.items()):
            if now <= sleeper.deadline:
                self.look_at(sleeper.deadline)
            else:
                del pool.sleepers[name]
                yield Expiry(pool.key, name, now - sleeper.last_check)
