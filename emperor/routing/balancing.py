"""
Which of several nodes that may serve gets a request.

  - C{wrr}: weighted round robin, in uWSGI's order.  C{lrc}: the fewest running
    requests.  C{wlrc}: the fewest for its weight.

  - C{iphash}: by the client's address, with uWSGI's arithmetic; every node that
    comes or goes moves most clients.

  - C{chash}: by the client's address, C{chash:header:NAME} by a header,
    C{chash:cookie:NAME} by a cookie; a node that comes or goes moves its own
    share of the clients and no other.

A request without the value that is hashed goes where C{wrr} sends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol

from emperor.routing.hashing import client_number, cookie, rendezvous
from emperor.routing.members import Member
from emperor.routing.pools import Seeker

#: What a name can be.
ACCEPTED = "wrr, lrc, wlrc, iphash, chash, chash:header:NAME, chash:cookie:NAME"

#: A token of RFC 9110 section 5.6.2; longer names of headers are nobody's.
_KEYED = re.compile(r"chash:(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})", re.ASCII)


class UnknownAlgorithm(ValueError):
    """
    A name that is none of L{ACCEPTED}.
    """


class Algorithm(Protocol):
    """
    How a pool chooses.  What it remembers, it writes on the nodes, so that it
    can be changed at any time.
    """

    name: str

    def choose(self, members: Sequence[Member], seeker: Seeker) -> Member:
        """
        One of C{members}, of which there is at least one.
        """


class WeightedRoundRobin:
    """
    C{wrr}: in a round each node gets as many requests as its weight is times
    the least weight.  A round begins with the last node; this is uWSGI's order.
    """

    name = "wrr"

    def choose(self, members: Sequence[Member], seeker: Seeker) -> Member:
        """
        The first one that has requests left in this round.
        """
        for member in members:
            if member.wrr > 0:
                break
        else:
            least = min(member.weight for member in members)
            for member in members:
                member.wrr = member.weight // least
        member.wrr -= 1
        return member


class LeastConnections:
    """
    C{lrc} and C{wlrc}; where several are equal, the one whose turn is longest
    ago, so that requests that come before the first was accepted are spread.
    """

    #: One for all, so that a pool may change from one of these to another.
    _turns = count(1)

    def __init__(self, name: str, burden: Callable[[Member], float]) -> None:
        self.name = name
        self._burden = burden

    def choose(self, members: Sequence[Member], seeker: Seeker) -> Member:
        """
        The one with the least burden.
        """
        member = min(members, key=lambda member: (self._burden(member), member.turn))
        member.turn = next(self._turns)
        return member


class AddressHash:
    """
    C{iphash}: the client's address, modulo the number of nodes.
    """

    name = "iphash"

    def __init__(self) -> None:
        self._without = WeightedRoundRobin()

    def choose(self, members: Sequence[Member], seeker: Seeker) -> Member:
        """
        The client's node.
        """
        address = seeker.client_address()
        if not address:
            return self._without.choose(members, seeker)
        return members[client_number(address) % len(members)]


class ConsistentHash:
    """
    C{chash} and its kin.
    """

    def __init__(self, name: str, value: Callable[[Seeker], bytes]) -> None:
        self.name = name
        self._value = value
        self._without = WeightedRoundRobin()

    def choose(self, members: Sequence[Member], seeker: Seeker) -> Member:
        """
        The value's node.
        """
        value = self._value(seeker)
        return rendezvous(value, members) if value else self._without.choose(members, seeker)


def _by_header(name: str) -> ConsistentHash:
    field = name.rpartition(":")[2].lower().encode("ascii")
    return ConsistentHash(name, lambda seeker: seeker.header(field))


def _by_cookie(name: str) -> ConsistentHash:
    key = name.rpartition(":")[2].encode("ascii")
    return ConsistentHash(name, lambda seeker: cookie(seeker.header(b"cookie"), key))


_NAMED: dict[str, Callable[[], Algorithm]] = {
    "wrr": WeightedRoundRobin,
    "lrc": lambda: LeastConnections("lrc", lambda member: member.references),
    "wlrc": lambda: LeastConnections("wlrc", lambda member: member.references / member.weight),
    "iphash": AddressHash,
    "chash": lambda: ConsistentHash("chash", lambda seeker: seeker.client_address()),
}


def algorithm(name: str) -> Algorithm:
    """
    What a name stands for.

    @raise UnknownAlgorithm: nothing.
    """
    if name in _NAMED:
        return _NAMED[name]()
    keyed = _KEYED.fullmatch(name)
    if keyed is None:
        raise UnknownAlgorithm(f"{name[:80]!r} is no way to choose a node; accepted: {ACCEPTED}")
    return _by_header(name) if keyed[1] == "header" else _by_cookie(name)
