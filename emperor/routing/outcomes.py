"""
What became of announcements.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Result(Enum):
    """
    What an announcement did.
    """

    #: It is the first node of its pool.
    NEW_POOL = "new pool"
    #: The node is new in its pool, or it woke up.
    NEW_NODE = "new node"
    #: The node was known.
    REFRESHED = "refreshed"
    #: The node is a vassal that sleeps and can be woken.
    SLEEPS = "sleeps"
    #: The node has left.
    LEFT = "left"
    #: The node that wants to leave is not there.
    UNKNOWN = "unknown"
    #: Nothing was changed.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of an announcement.

    @ivar key: of the pool, as it is kept; of a refused one as it was sent.
    @ivar reason: why it was refused, or what of it is not as it was asked for;
        empty: nothing is to be said.
    """

    result: Result
    key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expiry:
    """
    A node that was taken out because it was not heard of.

    @ivar node: its address as it was announced, or the sleeping vassal's name.
    @ivar silence: seconds since it was heard of.
    """

    key: str
    node: str
    silence: float
