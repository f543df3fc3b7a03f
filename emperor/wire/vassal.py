"""
What an Emperor and its vassal say over the pipe between them.

One byte is one message; there is no framing.  uWSGI calls the descriptor
C{UWSGI_EMPEROR_FD}; either side that sees the end of the stream knows that
the other one has gone.
"""

from __future__ import annotations

from enum import IntEnum


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
