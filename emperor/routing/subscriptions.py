"""
All pools of subscribed nodes: announcements in, pools out.

A node stays as long as it announces itself, which uWSGI does every ten seconds.
One that was not heard of for the tolerance is silent: requests go to the others.
It is kept for a while longer and serves if all are silent, because a silence of
all nodes is more often a fault of the network, or of ours, than of each of them
at once.

Nothing here depends on anything but what is called when: the same announcements
give the same pools in every process.  A copy of a registry starts from
L{Registry.snapshot} and is told every announcement that was not refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from random import random as system_random

from emperor.addresses import Address, BadAddress, TlsAddress, UnixAddress, parse_announced
from emperor.routing.expiry import Expiring
from emperor.routing.health import Quarantine
from emperor.routing.lookups import BadKey, pool_key
from emperor.routing.members import Member, Sleeper
from emperor.routing.outcomes import Expiry, Outcome, Result
from emperor.routing.roster import RegistrySettings, Roster
from emperor.routing.snapshots import Remembered, dump, load
from emperor.routing.subscribed import SubscribedPool
from emperor.wire.subscription import Announcement

#: Seconds that a node from a snapshot has at least to be heard of again; nodes
#: announce themselves every ten.
RESTORED = 12.0

#: Seconds of silence after which a node from a snapshot is not believed to be
#: the same: its address may have been given to another site by then.
FORGOTTEN = 60 * 60.0


#: What nodes have to speak.
SPOKEN = "uwsgi"


class Registry:
    """
    Who has subscribed.
    """

    def __init__(
        self, settings: RegistrySettings, random: Callable[[], float] = system_random
    ) -> None:
        """
        @param random: gives a number from 0 to 1, for the length of quarantines.
        @raise emperor.routing.balancing.UnknownAlgorithm: the settings name one
            that there is not.
        @raise BadKey: the fallback key can be none.
        """
        self._settings = settings
        self._roster = Roster(settings, Quarantine(random, checked=settings.checked))
        self._expiring = Expiring(self._roster, settings.keep_last)

    @property
    def is_empty(self) -> bool:
        """
        Whether there is no pool.
        """
        return not self._roster.pools

    @property
    def pools(self) -> Collection[SubscribedPool]:
        """
        All pools, to be shown.
        """
        return self._roster.pools.values()

    def find(self, key: str) -> SubscribedPool | None:
        """
        The pool of this very key, without counting it as looked up.
        """
        return self._roster.pools.get(key)

    def serves(self, key: str) -> bool:
        """
        Whether the pool of a key, as it is kept, has a node that is awake.
        """
        pool = self._roster.pools.get(key)
        return pool is not None and bool(pool.members)

    def watch(self, watcher: Callable[[bool], object]) -> None:
        """
        Call C{watcher} with L{is_empty} whenever that changes: after the first
        pool came, after the last one went.
        """
        self._roster.watch(watcher)

    def greet(self, greeter: Callable[[SubscribedPool], object]) -> None:
        """
        Call C{greeter} with the pool after a node came into it that can serve; not
        when one that was there is heard of again.
        """
        self._roster.greet(greeter)

    def lookup(self, host: str, path: bytes = b"") -> SubscribedPool | None:
        """
        The pool for a request.

        @param host: or key, as the client sent it, each byte a character.
        @param path: without its query; only asked where there are mountpoints.
        @return: L{None}: there is none, not even the fallback's.
        """
        return self._roster.lookup(host, path)

    def announce(
        self, announcement: Announcement, now: float, hops: tuple[str, ...] = ()
    ) -> Outcome:
        """
        A node comes, stays or leaves.

        @param now: seconds of a clock that never goes back.
        @param hops: see L{Member}.
        """
        try:
            pool = self._pool(announcement)
            address = _address(announcement)
        except (BadKey, BadAddress) as error:
            return Outcome(Result.REFUSED, announcement.key, str(error))
        if announcement.leaving:
            return self._leave(pool, address, announcement)
        if announcement.protocol != SPOKEN:
            reason = f"the node speaks {announcement.protocol}; accepted: {SPOKEN}"
            return Outcome(Result.REFUSED, announcement.key, reason)
        if announcement.clear and announcement.vassal:
            return self._clear(pool, address, announcement, now)
        if address is None:
            return self._sleep(pool, announcement, now)
        return self._stay(pool, address, announcement, now, hops)

    def _stay(
        self,
        pool: SubscribedPool,
        address: Address,
        announcement: Announcement,
        now: float,
        hops: tuple[str, ...],
    ) -> Outcome:
        """
        A node serves.
        """
        deadline = now + self._settings.tolerance
        member = pool.members.get(address)
        if member is None:
            return self._join(pool, Member(address, announcement, now, deadline, hops))
        rank = member.rank
        member.heard(announcement, now, deadline, hops)
        self._expiring.look_at(deadline)
        if member.rank != rank:
            pool.sort_out()
        remark = self._roster.balance(pool, announcement.algorithm)
        return Outcome(Result.REFRESHED, pool.key, remark)

    def _join(self, pool: SubscribedPool, member: Member) -> Outcome:
        """
        A node is new; if it is a vassal that slept, it is awake now.
        """
        announcement = member.announcement
        awoken = announcement.vassal in pool.sleepers
        full = "" if awoken else self._roster.full(pool)
        if full:
            return Outcome(Result.REFUSED, pool.key, full)
        result = Result.NEW_NODE if pool.size else Result.NEW_POOL
        pool.sleepers.pop(announcement.vassal, None)
        pool.members[member.address] = member
        remark = self._roster.balance(pool, announcement.algorithm)
        self._expiring.look_at(member.deadline)
        self._roster.resized(pool, 0 if awoken else 1)
        self._roster.joined(pool)
        return Outcome(result, pool.key, remark)

    def _sleep(self, pool: SubscribedPool, announcement: Announcement, now: float) -> Outcome:
        """
        A vassal can be woken; if it is awake, it says so itself.
        """
        names = (member.announcement.vassal for member in pool.members.values())
        if announcement.vassal in names:
            return Outcome(Result.REFRESHED, pool.key)
        return self._lay_down(pool, announcement, now)

    def _clear(
        self,
        pool: SubscribedPool,
        address: Address | None,
        announcement: Announcement,
        now: float,
    ) -> Outcome:
        """
        A vassal that served sleeps from now on.
        """
        served = [
            member
            for member in pool.members.values()
            if member.address == address or member.announcement.vassal == announcement.vassal
        ]
        for member in served:
            del pool.members[member.address]
        return self._lay_down(pool, announcement, now, len(served))

    def _lay_down(
        self, pool: SubscribedPool, announcement: Announcement, now: float, served: int = 0
    ) -> Outcome:
        """
        @param served: nodes that were taken out for it.
        """
        added = 0 if announcement.vassal in pool.sleepers else 1
        full = self._roster.full(pool) if added and not served else ""
        if full:
            return Outcome(Result.REFUSED, pool.key, full)
        deadline = now + self._settings.tolerance_inactive
        asleep = replace(announcement, address="", clear=False)
        pool.sleepers[announcement.vassal] = Sleeper(asleep, now, deadline)
        self._expiring.look_at(deadline)
        self._roster.resized(pool, added - served)
        return Outcome(Result.SLEEPS, pool.key)

    def _leave(
        self, pool: SubscribedPool, address: Address | None, announcement: Announcement
    ) -> Outcome:
        """
        A node gets no more requests.
        """
        gone: object
        if address is None:
            gone = pool.sleepers.pop(announcement.vassal, None)
        else:
            gone = pool.members.pop(address, None)
        if gone is None:
            return Outcome(Result.UNKNOWN, pool.key)
        self._roster.resized(pool, -1)
        return Outcome(Result.LEFT, pool.key)

    def expire(self, now: float) -> list[Expiry]:
        """
        Take out who was not heard of; to be called every second.
        """
        return self._expiring.expire(now)

    def snapshot(self, now: float) -> dict[str, object]:
        """
        All nodes, to be taken in pieces (L{emperor.routing.snapshots.dump}).
        """
        return dump(self.pools, now)

    def restore(self, snapshot: object, now: float, age: float = 0) -> int:
        """
        Add the nodes of a snapshot, except those that have been heard of here.

        A node that is silent for longer than the tolerance by now serves for
        L{RESTORED} seconds unless it is heard of; after L{FORGOTTEN} not at all.

        @param age: seconds since the snapshot was made.
        @return: how many nodes were added.
        @raise emperor.routing.snapshots.BadSnapshot: it is none; nothing was
            added.
        """
        nodes = load(snapshot)
        return sum(self._restore(node, now, node.age + max(age, 0)) for node in nodes)

    def _restore(self, node: Remembered, now: float, age: float) -> bool:
        """
        @param age: seconds since the node was heard of.
        @return: whether it was added.
        """
        announcement = node.announcement
        if age > FORGOTTEN or self._find(announcement) is not None:
            return False
        self.announce(announcement, now, node.hops)
        found = self._find(announcement)
        if found is None:
            return False
        found.last_check = now - age
        found.deadline = max(found.deadline - age, min(found.deadline, now + RESTORED))
        self._expiring.look_at(found.deadline)
        if isinstance(found, Member) and node.silent:
            found.silent = True
            self._pool(announcement).sort_out()
        return True

    def put(
        self,
        announcement: Announcement,
        now: float,
        *,
        age: float,
        left: float,
        silent: bool,
        hops: tuple[str, ...] = (),
    ) -> None:
        """
        Know of a node what another registry knows.

        @param age: seconds since it was heard of there.
        @param left: seconds until it is silent there, or forgotten if it is.
        @param hops: see L{Member}.
        """
        self.announce(announcement, now, hops)
        found = self._find(announcement)
        if found is None:
            return
        found.last_check = now - age
        found.deadline = now + left
        self._expiring.look_at(found.deadline)
        if isinstance(found, Member) and found.silent != silent:
            found.silent = silent
            self._pool(announcement).sort_out()

    def _find(self, announcement: Announcement) -> Member | Sleeper | None:
        """
        Who announced itself so.
        """
        try:
            pool = self._pool(announcement)
            address = _address(announcement)
        except (BadKey, BadAddress):
            return None
        if address is None:
            return pool.sleepers.get(announcement.vassal)
        return pool.members.get(address)

    def _pool(self, announcement: Announcement) -> SubscribedPool:
        """
        @raise BadKey: there can be none.
        """
        return self._roster.pool(pool_key(announcement.key, self._settings.raw_keys))


def _address(announcement: Announcement) -> Address | None:
    """
    @return: L{None}: it is a sleeping vassal.
    @raise BadAddress: there is neither an address nor a vassal.
    """
    text = announcement.address
    if not text and announcement.vassal:
        return None
    address = parse_announced(text)
    server = address.server if isinstance(address, TlsAddress) else address
    if not isinstance(server, UnixAddress) and not server.port:
        raise BadAddress(f"nothing can listen at {text!r}: port 0 (accepted: 1 to 65535)")
    return address
