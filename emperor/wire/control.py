"""
What the program and its router processes tell each other.

A message is four bytes of length, big-endian, and so much JSON: an object whose
C{"is"} names the message.

Every message can be put down anywhere and read by anybody: it has no
descriptors, no numbers of processes and no positions in somebody's memory,
addresses are spelled out, and times are those of the wall clock.  What is known
of vassals comes as a whole first, then in changes that each say all of the
vassals they name; a change that comes twice changes nothing, and who has missed
some asks for the whole.  So it is with the nodes that have subscribed.  Only
L{Progress} says what is to be added: the program reads everything that its
processes say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from emperor.addresses import Address
from emperor.config.settings import HttpSettings, RouterSettings
from emperor.vassals.status import Phase, Rest
from emperor.wire.plain import NotPlain, from_plain, to_plain
from emperor.wire.subscription import Announcement

#: Bytes of one message of the program's; ten thousand rules have about three
#: million.
ORDER_LIMIT = 64 * 1024 * 1024

#: Bytes of one message of a router process: so much it can make us keep.
REPORT_LIMIT = 64 * 1024

_HEAD = 4


class BadControl(ValueError):
    """
    The other side's bytes are no message: the two do not fit together, and
    should hang up.
    """


@dataclass(frozen=True, slots=True)
class Configure:
    """
    Be this router, on the listening sockets of C{settings.listen} in their
    order.

    @ivar hostname: of this machine.
    @ivar grace: seconds that requests in flight have at the end.
    @ivar transport: C{"epoll"} or C{"twisted"}.
    @ivar subscribable: whether nodes may come into its pools.
    @ivar mark: of this router, in all its processes (L{emperor.wire.hops}).
    """

    settings: RouterSettings | HttpSettings
    hostname: str
    grace: float
    transport: str
    subscribable: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class VassalNews:
    """
    All there is to know of one vassal.

    @ivar monitor: with C{name}, which one it is.
    @ivar phase: L{Phase.GONE}: it is to be forgotten.
    @ivar retry_at: when it will be started again, in seconds of the epoch; 0 if
        it is not held back.
    @ivar addresses: where it listens.
    @ivar held: its sockets are the Emperor's, and closed to requests while it is
        held back.
    @ivar rest: see L{emperor.vassals.status.VassalStatus}; so C{woken}.
    @ivar former: where it listened before its configuration changed, and perhaps
        does.
    @ivar keys: of requests, that it names as its own.
    """

    monitor: str
    name: str
    phase: Phase
    retry_at: float
    addresses: tuple[Address, ...]
    held: bool = False
    rest: Rest = Rest.NONE
    woken: bool = False
    former: tuple[Address, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vassals:
    """
    What the Emperor knows.

    @ivar whole: there are no other vassals than these.
    """

    whole: bool
    vassals: tuple[VassalNews, ...]


@dataclass(frozen=True, slots=True)
class NodeNews:
    """
    A node that has subscribed, or left.

    @ivar announcement: the latest one.
    @ivar age: of the whole: seconds since it was heard.
    @ivar left: of the whole: seconds until it is silent, or forgotten if it is.
    @ivar silent: of the whole: it has not announced itself for too long.
    @ivar hops: the marks of the routers through which it has come.
    """

    announcement: Announcement
    age: float = 0
    left: float = 0
    silent: bool = False
    hops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """
    The nodes that have subscribed to the router.

    @ivar whole: there are no other nodes than these.
    @ivar more: it is not complete; what follows belongs to it.
    """

    whole: bool
    nodes: tuple[NodeNews, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Drain:
    """
    Accept nothing more, let requests end within the grace, then leave.
    """


@dataclass(frozen=True, slots=True)
class Cut:
    """
    End the requests in flight.
    """


@dataclass(frozen=True, slots=True)
class Ready:
    """
    It accepts connections.
    """


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """
    How many requests were refused for one reason.

    @ivar reason: the word of L{emperor.proxy.refusals.Reason}.
    """

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """
    What a router process has done since its start.

    One comes every second, also if nothing has changed: it says as well that
    the process is not stuck.

    @ivar connections: those it has accepted.
    @ivar requests: those that are over, with an answer of whomever or without.
    @ivar open: connections that are open now.
    """

    connections: int
    refusals: tuple[RefusalCount, ...] = ()
    requests: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class NodeCount:
    """
    What a router process has had to do with a node of a pool since it told of
    it the last time.

    @ivar requests: that the node has accepted.
    @ivar failures: connections that it did not accept.
    @ivar sent: bytes that went to it.
    @ivar received: bytes that came from it.
    @ivar running: requests there; not since then but now.
    @ivar quarantined: whether it gets none now.
    """

    address: Address
    requests: int = 0
    failures: int = 0
    sent: int = 0
    received: int = 0
    running: int = 0
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class PoolCount:
    """
    The same for a pool.

    @ivar hits: how often it was looked up.
    @ivar nodes: some of its nodes.
    """

    key: str
    hits: int
    nodes: tuple[NodeCount, ...] = ()


@dataclass(frozen=True, slots=True)
class FixedCount:
    """
    The same for one of the configured nodes.

    @ivar place: its index among them.
    @ivar hits: how often it was picked.
    @ivar failed_at: when its grace began; 0: it is well.
    """

    place: int
    hits: int
    failed_at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """
    Nodes for which there is something new; there may be more of them.
    """

    pools: tuple[PoolCount, ...] = ()
    fixed: tuple[FixedCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A request waits for this vassal, which sleeps.

    @ivar monitor: with C{name}, which one it is.
    """

    monitor: str
    name: str


Order = Configure | Vassals | Subscriptions | Drain | Cut
Report = Ready | Counts | Progress | Wanted
Message = Order | Report


def encode(message: Message) -> bytes:
    """
    The bytes of a message.

    @raise BadControl: it would be longer than L{ORDER_LIMIT}.
    """
    body = json.dumps(to_plain(Message, message), separators=(",", ":")).encode("ascii")
    if len(body) > ORDER_LIMIT:
        raise BadControl(f"a message of {len(body)} bytes; at most {ORDER_LIMIT} are allowed")
    return len(body).to_bytes(_HEAD) + body


class MessageReader:
    """
    Finds messages in bytes that come cut anywhere; holds one message at most.
    """

    def __init__(self, limit: int) -> None:
        """
        @param limit: bytes of one message.
        """
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """
        Take the next bytes and give the messages that they complete.

        @raise BadControl: what follows is no message, or too long.
        """
        self._rest += data
        while len(self._rest) >= _HEAD:
            end = _HEAD + int.from_bytes(self._rest[:_HEAD])
            if end - _HEAD > self._limit:
                raise BadControl(f"a message of {end - _HEAD} bytes; at most {self._limit}")
            if len(self._rest) < end:
                return
            body = bytes(self._rest[_HEAD:end])
            del self._rest[:end]
            yield decode(body)


def decode(body: bytes) -> Message:
    """
    The message of a body.

    @raise BadControl: there is none in it.
    """
    try:
        message: Message = from_plain(Message, json.loads(body))
    except (NotPlain, ValueError, RecursionError) as error:
        raise BadControl(f"no message: {error}") from error
    return message
