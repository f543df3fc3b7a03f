"""
How far a request has got, and what moves it on: L{emperor.proxy.session}.
"""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """
    How far a request has got.
    """

    # Enum hashes by name, in Python; that would be a tenth of a request's cost.
    __hash__ = object.__hash__

    #: A pool is known; no node has been asked.
    ROUTED = "routed"
    #: A node was asked for a connection.
    CONNECTING = "connecting"
    #: The node has the request's variables and gets its body.
    WAITING = "waiting"
    #: The node has sent the first bytes of its answer.
    ANSWERING = "answering"
    #: Nothing happens any more.
    OVER = "over"


class Event(Enum):
    """
    What moves a request on.
    """

    __hash__ = object.__hash__

    #: A node is asked for a connection: the first or the next one.
    DIALED = "dialed"
    #: The node accepted.
    CONNECTED = "connected"
    #: The node's first bytes came.
    ANSWERED = "answered"
    #: The answer is at its end.
    FINISHED = "finished"
    #: No node accepts, or the node failed, or it took too long.
    FAILED = "failed"
    #: The client has gone.
    ABANDONED = "abandoned"


#: For each event the phases in which it may come, and what they become.
PHASES: dict[Event, dict[Phase, Phase]] = {
    Event.DIALED: {
        Phase.ROUTED: Phase.CONNECTING,
        Phase.CONNECTING: Phase.CONNECTING,
        Phase.WAITING: Phase.CONNECTING,
    },
    Event.CONNECTED: {Phase.CONNECTING: Phase.WAITING},
    Event.ANSWERED: {Phase.WAITING: Phase.ANSWERING},
    Event.FINISHED: {Phase.ANSWERING: Phase.OVER},
    Event.FAILED: {
        Phase.ROUTED: Phase.OVER,
        Phase.CONNECTING: Phase.OVER,
        Phase.WAITING: Phase.OVER,
        Phase.ANSWERING: Phase.OVER,
    },
    Event.ABANDONED: {
        Phase.CONNECTING: Phase.OVER,
        Phase.WAITING: Phase.OVER,
        Phase.ANSWERING: Phase.OVER,
    },
}
