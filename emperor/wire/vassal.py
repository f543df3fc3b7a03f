"""
What an Emperor and its vassal say over the pipe between them.

One byte is one message; there is no framing.  uWSGI calls the descriptor
C{UWSGI_EMPEROR_FD}; either side that sees the end of the stream knows that
the other one has gone.

A vassal without a file gets its configuration over a second pipe, which uWSGI calls
C{UWSGI_EMPEROR_FD_CONFIG}: a byte, the length, little-endian, in two, another byte,
and so many bytes.
"""

from __future__ import annotations

import struct
from enum import IntEnum

#: Bytes of a configuration: the length has no room for more.
CONFIGURATION_LIMIT = 0xFFFF

_HEAD = struct.Struct("<BHB")

#: The two bytes around the length.
_MARKS = (115, 0)


class BadConfiguration(ValueError):
    """
    What cannot be sent to a vassal, or has not been sent by an Emperor; the text
    says why.
    """


class Order(IntEnum):
    """
    What the Emperor tells a vassal.
    """

    #: Leave now.
    STOP = 0
    #: Read the configuration again, keeping the process.
    RELOAD = 1
    #: Leave when the requests in flight are answered; uWSGI 2.0.19 and later.
    STOP_GENTLY = 2


class Said(IntEnum):
    """
    What a vassal tells the Emperor.
    """

    #: Initialised; uWSGI says it at the first start only, not after a reload.
    READY = 1
    #: Please send my configuration again.
    CONFIGURATION = 2
    #: The first worker accepts requests; said again whenever that one starts.
    ACCEPTING = 5
    #: A worker has answered its first request.
    LOYAL = 17
    #: Idle for so long that it would rather leave.
    IDLE = 22
    #: A heartbeat.
    ALIVE = 26
    #: All workers are busy: send reinforcements.
    SOS = 30


def parse_said(data: bytes) -> list[Said]:
    """
    Read what a vassal said, each word once, in the order in which they came
    first: to say a word again says nothing new.  Bytes without a meaning are
    passed over, as uWSGI does, for a newer vassal may know more words.
    """
    return sorted((said for said in Said if said in data), key=data.index)


def parse_orders(data: bytes) -> list[Order]:
    """
    Read what the Emperor ordered, as L{parse_said} does.
    """
    return sorted((order for order in Order if order in data), key=data.index)


def build_configuration(body: bytes) -> bytes:
    """
    The bytes that bring a configuration to a vassal.

    @raise BadConfiguration: it is empty, which to uWSGI is no configuration, or
        longer than L{CONFIGURATION_LIMIT}.
    """
    if not body:
        raise BadConfiguration("its configuration is empty")
    if len(body) > CONFIGURATION_LIMIT:
        raise BadConfiguration(
            f"its configuration has {len(body)} bytes; a uWSGI takes at most {CONFIGURATION_LIMIT}"
        )
    before, after = _MARKS
    return _HEAD.pack(before, len(body), after) + body


def parse_configuration(data: bytes) -> tuple[bytes, bytes] | None:
    """
    Read what L{build_configuration} has built.

    @return: the configuration and what follows it; or L{None}: there is more to come.
    @raise BadConfiguration: it is something else.
    """
    if data and data[0] != _MARKS[0]:
        raise BadConfiguration(f"no configuration begins with the byte {data[0]}")
    if len(data) < _HEAD.size:
        return None
    before, length, after = _HEAD.unpack_from(data)
    if (before, after) != _MARKS or not length:
        raise BadConfiguration(f"{data[: _HEAD.size].hex(' ')} is no head of a configuration")
    end = _HEAD.size + length
    return (data[_HEAD.size : end], data[end:]) if len(data) >= end else None
