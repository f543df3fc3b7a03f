"""
How a vassal hands the pipe to its Emperor on (uWSGI's C{emperor-proxy-socket}).

Who connects gets one message, and with it the descriptors: the text
C{uwsgi-emperor}, and how many descriptors there are as a native C{int}.  The first
one is the pipe.
"""

from __future__ import annotations

import struct

GREETING = b"uwsgi-emperor"

_COUNT = struct.Struct("=i")

#: Bytes of the message.
SIZE = len(GREETING) + _COUNT.size

#: Descriptors in one message: the kernel's own limit.
MOST = 253


class BadHandOver(ValueError):
    """
    The bytes are not such a message.
    """


def parse_hand_over(data: bytes) -> int | None:
    """
    Read the message.

    @return: how many descriptors come with it; L{None}: there is more to come.
    @raise BadHandOver: it is something else.
    """
    if not GREETING.startswith(data[: len(GREETING)]) or len(data) > SIZE:
        raise BadHandOver("it does not begin with uwsgi-emperor, or is too long")
    if len(data) < SIZE:
        return None
    count: int = _COUNT.unpack_from(data, len(GREETING))[0]
    if not 1 <= count <= MOST:
        raise BadHandOver(f"it announces {count} descriptors; accepted: 1 to {MOST}")
    return count


def build_hand_over(count: int) -> bytes:
    """
    The message for so many descriptors.
    """
    return GREETING + _COUNT.pack(count)
