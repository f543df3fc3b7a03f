"""
What an Emperor and its vassal say over the pipe between them.

One byte is one message; there is no framing.  uWSGI calls the descriptor
C{UWSGI_EMPEROR_FD}; either side that sees the end of the stream knows that
the other one has gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum


class Order(IntEnum):
    """
    What the Emperor tells a vassal.
    """

    #: Leave now.
    STOP = 0
    #: Read the configuration again, keeping the process.
    RELOAD = 1
    #: Leave when the requests in flight are answered (uWSGI 2.0.19 and later).
    STOP_GRACEFULLY = 2


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


_MEANINGS = {int(said): said for said in Said}


def parse_said(data: bytes) -> Iterator[Said]:
    """
    Read what a vassal said; bytes without a meaning are passed over, as uWSGI
    does, for a newer vassal may know more words.
    """
    return (_MEANINGS[byte] for byte in data if byte in _MEANINGS)
