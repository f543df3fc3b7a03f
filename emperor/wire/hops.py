"""
Through which routers a subscription has come.

A router that passes a subscription on puts itself into it as the node.  So when
two pass theirs on to each other, each would become a node of the other one.
Therefore each adds its mark, in a variable C{hops} of our own that other servers
pass over, and does not heed what bears its mark already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from secrets import token_hex

from emperor.wire.fields import BadAnnouncement
from emperor.wire.subscription import DATAGRAM_LIMIT, MODIFIER
from emperor.wire.uwsgi import HEADER, build_packet, encode_variable, iterate_variables

_NAME = b"hops"

#: Marks that a subscription may bear.
HOPS_LIMIT = 8

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
