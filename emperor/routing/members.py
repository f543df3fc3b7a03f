"""
A node of a pool: what it said of itself, how it does, what it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from emperor.addresses import ANYBODY, Address, NamedAddress
from emperor.routing.health import Health
from emperor.wire.subscription import Announcement

#: A node that claims more counts as this heavy.
WEIGHT_LIMIT = 65535


@dataclass(slots=True)
class Sleeper:
    """
    A vassal that is not running and has to be woken before it can serve.

    @ivar last_check: when it was last heard of, in the clock of the routers.
    @ivar deadline: when it is forgotten unless it is heard of before.
    """

    announcement: Announcement
    last_check: float
    deadline: float


@dataclass(slots=True, eq=False)
class Member:
    """
    A node in a pool, from its first announcement to its last.

    @ivar announcement: the latest one.
    @ivar last_check: when it was last heard of, in the clock of the routers.
    @ivar deadline: when it is silent, or forgotten if it is silent already,
        unless it is heard of before.
    @ivar hops: through which routers it has come (L{emperor.wire.hops}); empty: it
        has announced itself.
    @ivar silent: it has not announced itself for too long.
    @ivar wrr: requests left in this round (weighted round robin).
    @ivar turn: the larger, the later it was picked (least connections).
    @ivar salt: makes its consistent hash differ from those of other nodes; the
        same in every process.
    @ivar references: requests that run there.
    @ivar requests: that it has accepted.
    @ivar last_requests: that it has accepted since its last announcement.
    @ivar tx: bytes that came from it, as uWSGI counts.
    @ivar rx: bytes that went to it.
    @ivar failcnt: connections that it did not accept.
    @ivar may_return: see L{emperor.routing.pools.Target}; so C{owner}.
    """

    address: Address
    announcement: Announcement
    last_check: float
    deadline: float
    hops: tuple[str, ...] = ()
    silent: bool = False
    modifier1: int = 0
    modifier2: int = 0
    weight: int = 1
    backup: int = 0
    health: Health = field(default_factory=Health)
    wrr: int = 0
    turn: int = 0
    salt: bytes = b""
    references: int = 0
    requests: int = 0
    last_requests: int = 0
    tx: int = 0
    rx: int = 0
    failcnt: int = 0
    may_return: bool = False
    owner: int = ANYBODY

    def __post_init__(self) -> None:
        name = str(self.address).encode("utf-8", "surrogateescape")
        self.salt = blake2b(name, digest_size=16).digest()
        self._take_over(self.announcement)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """
        The lower, the sooner it serves.
        """
        return self.silent, bool(self.hops), self.backup

    def heard(
        self, announcement: Announcement, now: float, deadline: float, hops: tuple[str, ...] = ()
    ) -> None:
        """
        It announced itself again, perhaps with other values or another way.
        """
        self.last_check = now
        self.deadline = deadline
        self.hops = hops
        self.silent = False
        self.last_requests = 0
        self._take_over(announcement)

    def _take_over(self, announcement: Announcement) -> None:
        self.announcement = announcement
        # A name may well be that of this machine.
        self.may_return = bool(self.hops) or isinstance(self.address, NamedAddress)
        self.owner = announcement.owner
        self.modifier1 = announcement.modifier1
        self.modifier2 = announcement.modifier2
        self.weight = min(max(announcement.weight, 1), WEIGHT_LIMIT)
        self.backup = announcement.backup


def foremost(members: Iterable[Member]) -> list[Member]:
    """
    Those of the lowest rank, in their order: backups only where nothing else
    is left, then what other routers have, silent nodes after all others.
    """
    members = list(members)
    if not members:
        return members
    rank = min(member.rank for member in members)
    return [member for member in members if member.rank == rank]
