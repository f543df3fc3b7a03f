"""
The pool of the nodes that subscribed to one key.

Who may serve: of the nodes that are well, those that were heard of lately
before the silent ones, and of these the lowest backup level.  Where no node is
well the least bad one is tried.  One that comes out of quarantine is among the
well for one request (L{emperor.routing.health}).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from emperor.addresses import Address
from emperor.routing.balancing import Algorithm
from emperor.routing.health import Quarantine
from emperor.routing.members import Member, Sleeper, foremost
from emperor.routing.pools import ANYONE, Seeker, Target


class SubscribedPool:
    """
    See L{emperor.routing.pools.Pool}; L{emperor.routing.subscriptions.Registry}
    puts nodes in and takes them out.

    A node that was taken out gets no requests; those that run there are still
    counted on it.

    @ivar algorithm: chooses among those that may serve.
    @ivar asked: the name of an algorithm that a node asked for last, known or
        not; empty: none did.
    @ivar hits: how often the pool was looked up.
    @ivar members: in the order in which they came.
    @ivar sleepers: vassals that can be woken, by name.
    """

    from_host = False
    counts = True

    def __init__(self, key: str, algorithm: Algorithm, quarantine: Quarantine) -> None:
        self.key = key
        self.algorithm = algorithm
        self.asked = ""
        self.hits = 0
        self.members: dict[Address, Member] = {}
        self.sleepers: dict[str, Sleeper] = {}
        self._quarantine = quarantine
        self._foremost: Sequence[Member] = ()
        self._troubled = False

    @property
    def size(self) -> int:
        """
        How many nodes there are, asleep or not.
        """
        return len(self.members) + len(self.sleepers)

    def sort_out(self) -> None:
        """
        The members, their ranks or their health changed.
        """
        self._foremost = foremost(self.members.values())
        self._troubled = any(member.health.failures for member in self.members.values())

    def pick(self, now: float, tried: Collection[Target], seeker: Seeker = ANYONE) -> Member | None:
        """
        See L{emperor.routing.pools.Pool.pick}.
        """
        if tried or self._troubled:
            return self._pick_carefully(now, tried, seeker)
        return self._choose(self._foremost, seeker)

    def _pick_carefully(
        self, now: float, tried: Collection[Target], seeker: Seeker
    ) -> Member | None:
        left = [member for member in self.members.values() if member not in tried]
        well = foremost(member for member in left if member.health.may_serve(now))
        member = self._choose(well, seeker) if well else _least_bad(left)
        if member is not None:
            member.health.picked(now)
        return member

    def _choose(self, members: Sequence[Member], seeker: Seeker) -> Member | None:
        if len(members) > 1:
            return self.algorithm.choose(members, seeker)
        return members[0] if members else None

    def failed(self, node: Target, now: float) -> None:
        """
        See L{emperor.routing.pools.Pool.failed}.
        """
        assert isinstance(node, Member)
        node.failcnt += 1
        node.health.failed(now, self._quarantine)
        self.sort_out()

    def accepted(self, node: Target) -> None:
        """
        See L{emperor.routing.pools.Pool.accepted}.
        """
        assert isinstance(node, Member)
        node.references += 1
        node.requests += 1
        node.last_requests += 1
        if node.health.failures:
            node.health.accepted()
            self.sort_out()

    def check_passed(self, member: Member) -> None:
        """
        The node is well, as a check of ours shows; that is no request, so it is
        not counted.
        """
        if member.health.failures:
            member.health.passed()
            self.sort_out()

    def check_failed(self, member: Member, now: float) -> None:
        """
        The node did not pass a check.
        """
        member.health.failed(now, self._quarantine)
        self.sort_out()

    def is_asleep(self, now: float) -> bool:
        """
        Whether none of the nodes may serve, and there are vassals to be woken.
        """
        return bool(self.sleepers) and not any(
            member.health.may_serve(now) for member in self.members.values()
        )

    def finished(self, node: Target, sent: int = 0, received: int = 0) -> None:
        """
        See L{emperor.routing.pools.Pool.finished}.
        """
        assert isinstance(node, Member)
        node.references -= 1
        node.rx += sent
        node.tx += received


def _least_bad(members: Collection[Member]) -> Member | None:
    """
    The one with the fewest failures in a row; of several the one whose
    quarantine ends first.
    """
    return min(
        members,
        key=lambda member: (member.health.failures, member.health.until, member.rank),
        default=None,
    )
