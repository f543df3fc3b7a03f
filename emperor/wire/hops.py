"""
Through which routers a subscription, or a request, has come.

A router that passes a subscription on puts itself into it as the node.  So when
two pass theirs on to each other, each would become a node of the other one.
Therefore each adds its mark, in a variable C{hops} of our own that other servers
pass over, and does not heed what bears its mark already.

That is not enough for requests: when the nodes behind both have died, each is for
the other one still a node that lives.  So a request bears marks as well, in a
variable of its own, if it goes where it might come back from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from secrets import token_hex

from emperor.wire.fields import BadAnnouncement
from emperor.wire.subscription import DATAGRAM_LIMIT, MODIFIER
from emperor.wire.uwsgi import (
    HEADER,
    build_packet,
    encode_variable,
    find_variables,
    iterate_variables,
)

_NAME = b"hops"

#: Marks that a subscription may bear.
HOPS_LIMIT = 8

#: The variable of a request with the marks of the routers that it came through.
#: Each request is searched for it, and for others of the same length.
WAY = b"EMPEROR_ROUTER_MARKS"

#: Bytes that one more mark makes a request longer by, at most.
WAY_LIMIT = 4 + len(WAY) + 17 * HOPS_LIMIT

_MARKS = re.compile(rb"[0-9a-f]{16}(,[0-9a-f]{16})*")


def make_mark() -> str:
    """
    A mark that no other router has.
    """
    return token_hex(8)


def read_hops(datagram: bytes) -> tuple[str, ...]:
    """
    The marks that a subscription bears, the oldest first.

    @param datagram: one that L{emperor.wire.subscription.parse_announcement}
        has accepted.
    @raise BadAnnouncement: they are no marks, or too many.
    """
    if _NAME not in datagram:
        return ()
    values = [value for name, value in iterate_variables(datagram[HEADER.size :]) if name == _NAME]
    if not values:
        return ()
    value = b",".join(values)
    if not _MARKS.fullmatch(value):
        raise BadAnnouncement(f"hops is {value[:40]!r}; accepted: marks of 16 digits each")
    hops = tuple(value.decode("ascii").split(","))
    if len(hops) > HOPS_LIMIT:
        raise BadAnnouncement(f"it came through {len(hops)} routers; accepted: {HOPS_LIMIT}")
    return hops


def add_hops(datagram: bytes, hops: Sequence[str]) -> bytes:
    """
    The same subscription, which must be unsigned and bear no marks, with these.

    @raise BadAnnouncement: it would be too long.
    """
    modifier2 = datagram[HEADER.size - 1]
    mark = encode_variable(_NAME, ",".join(hops).encode("ascii"))
    if len(datagram) + len(mark) > DATAGRAM_LIMIT:
        raise BadAnnouncement(f"over {DATAGRAM_LIMIT} bytes with the marks of its way")
    return build_packet(MODIFIER, datagram[HEADER.size :] + mark, modifier2)


def marks_of(way: bytes) -> list[str]:
    """
    The marks in the value of L{WAY}, the oldest first; of more than a few only
    so many that there are L{HOPS_LIMIT}.
    """
    return [mark.decode("latin-1") for mark in way.split(b",", HOPS_LIMIT)[:HOPS_LIMIT] if mark]


def add_mark(payload: bytes, mark: str) -> bytes:
    """
    A request's variables with one mark more; of equal names the last one counts.

    @param payload: its variables, well-formed and with less than L{HOPS_LIMIT}
        marks; L{WAY_LIMIT} bytes more must fit into a packet.
    """
    way = find_variables(payload, frozenset([WAY])).get(WAY, b"")
    return payload + encode_variable(WAY, b",".join(filter(None, [way, mark.encode("ascii")])))
