"""
A router as a node of other routers: what subscribes here is passed on, with the
router's own address in the place of the node's.

A pool of ours is one node there, which stays as long as the pool does.  What
comes in a moment is passed on together, each pool once, so that no two servers
can keep each other busy.

Each word bears the marks of the routers that it came through
(L{emperor.wire.hops}), and who finds his own does not heed it.  So when the last
node that came without a mark has gone, we take leave, and come back with the
marks of those that are left: a router that would only find itself behind us
does not keep us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.addresses import Address, BadAddress, parse_announced
from emperor.announcing.sending import CannotSend, Sender
from emperor.announcing.servers import Server, UdpServer
from emperor.routing.outcomes import Expiry, Result
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.ledger import Arrival
from emperor.subscriptions.places import Places
from emperor.wire.fields import BadAnnouncement
from emperor.wire.hops import HOPS_LIMIT, add_hops
from emperor.wire.subscription import Announcement, build_announcement

#: Seconds in which what comes is collected.
PAUSE = 0.5

#: Pools that are passed on at once.
BATCH = 500

#: Seconds that the last words may take.
LEAVING_TIMEOUT = 3.0

_STAYS = frozenset({Result.NEW_POOL, Result.NEW_NODE, Result.REFRESHED})


@dataclass(frozen=True, slots=True)
class Word:
    """
    What is to be said of a pool.

    @ivar announcement: without an address.
    """

    announcement: Announcement
    hops: tuple[str, ...]


class Resubscriber:
    """
    Follows one router's ledger.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        servers: Sequence[Server],
        registry: Registry,
        *,
        sender: Sender,
        places: Places,
        mark: str,
        protocol: str,
    ) -> None:
        """
        @param places: where the router listens.
        @param mark: of this router.
        @param protocol: that it speaks: C{"uwsgi"} or C{"http"}.
        """
        self._reactor = reactor
        self._servers = tuple(servers)
        self._registry = registry
        self._sender = sender
        self._places = places
        self._mark = mark
        self._protocol = protocol
        # By the pool and whether it is about to leave, which is said first.
        self._waiting: dict[tuple[str, bool], Word] = {}
        self._nodes: dict[str, dict[str, tuple[str, ...]]] = {}
        self._told: dict[str, Announcement] = {}
        self._troubles: dict[Server, str] = {}
        self._timer: IDelayedCall | None = None
        self._busy = self._stopped = False

    def arrived(self, arrival: Arrival) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.arrived}.
        """
        result, key = arrival.outcome.result, arrival.outcome.key
        node = _spelled(arrival.announcement.address)
        if result in _STAYS and len(arrival.hops) < HOPS_LIMIT:
            self._told[key] = self._as_ours(key, arrival.announcement)
            self._nodes.setdefault(key, {})[node] = arrival.hops
            self._stay(key, arrival.hops)
        elif result in (Result.LEFT, Result.SLEEPS):
            self._lose(key, node)

    def expired(self, expiries: Sequence[Expiry]) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.expired}.
        """
        for expiry in expiries:
            self._lose(expiry.key, _spelled(expiry.node))

    def stop(self) -> Deferred[None]:
        """
        Take leave of all servers.
        """
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()
        words = [self._leaving(each) for each in self._told.values()]
        leaving = ensureDeferred(self._tell_all(words))
        leaving.addTimeout(LEAVING_TIMEOUT, self._reactor, onTimeoutCancel=lambda *_: None)
        return leaving.addCallback(lambda _: ensureDeferred(self._sender.close()))

    def _as_ours(self, key: str, announcement: Announcement) -> Announcement:
        """
        The pool as a node of somebody else's: only we know how its nodes differ.
        """
        return Announcement(
            leaving=False,
            key=key,
            address="",
            modifier1=announcement.modifier1,
            modifier2=announcement.modifier2,
            protocol=self._protocol,
            sni_key=announcement.sni_key,
            sni_certificate=announcement.sni_certificate,
            sni_authority=announcement.sni_authority,
        )

    def _stay(self, key: str, hops: tuple[str, ...]) -> None:
        """
        Say that a pool is there; of several words the one with the fewest
        marks, which most will heed.
        """
        waiting = self._waiting.get((key, False))
        if waiting is None or len(hops) < len(waiting.hops):
            if not hops:
                self._waiting.pop((key, True), None)
            self._waiting[key, False] = Word(self._told[key], (*hops, self._mark))
        self._schedule()

    def _lose(self, key: str, node: str) -> None:
        """
        A node has gone, perhaps the last one, or the last without a mark.
        """
        nodes = self._nodes.get(key, {})
        was_direct = nodes.pop(node, None) == ()
        serves = self._registry.serves(key)
        if key not in self._told or (serves and (() in nodes.values() or not was_direct)):
            return
        self._waiting.pop((key, False), None)
        self._waiting[key, True] = self._leaving(self._told[key])
        if serves and nodes:
            self._stay(key, min(nodes.values(), key=len))
        elif not serves:
            del self._told[key]
            self._nodes.pop(key, None)
        self._schedule()

    def _leaving(self, announcement: Announcement) -> Word:
        return Word(replace(announcement, leaving=True), (self._mark,))

    def _schedule(self) -> None:
        if self._timer is None and self._waiting and not (self._busy or self._stopped):
            self._timer = self._reactor.callLater(PAUSE, self._flush)

    def _flush(self) -> None:
        self._timer = None
        keys = list(islice(self._waiting, BATCH))
        words = [self._waiting.pop(key) for key in keys]
        self._busy = True
        ensureDeferred(self._tell_all(words)).addErrback(self._broken).addCallback(self._done)

    def _done(self, _: object) -> None:
        self._busy = False
        self._schedule()

    def _broken(self, failure: Failure) -> None:
        self._log.failure("Subscriptions could not be passed on", failure)

    async def _tell_all(self, words: Sequence[Word]) -> None:
        for server in self._servers:
            trouble = ""
            try:
                address = await self._towards(server)
                await self._sender.send(server, *self._datagrams(words, address))
            except CannotSend as error:
                trouble = str(error)
            except OSError as error:
                trouble = f"{server}: {error.strerror}"
            self._note(server, trouble)

    async def _towards(self, server: Server) -> Address:
        """
        Our address as C{server} has to know it.
        """
        host = (await self._sender.resolve(server))[0] if isinstance(server, UdpServer) else ""
        return self._places.towards(host)

    def _datagrams(self, words: Iterable[Word], address: Address) -> Iterator[bytes]:
        for word in words:
            announcement = replace(word.announcement, address=str(address))
            try:
                yield add_hops(build_announcement(announcement), word.hops)
            except BadAnnouncement as error:
                self._log.warn(
                    "{key} cannot be passed on: {error}", key=announcement.key, error=error
                )

    def _note(self, server: Server, trouble: str) -> None:
        if trouble == self._troubles.get(server, ""):
            return
        self._troubles[server] = trouble
        if trouble:
            self._log.warn("Cannot pass subscriptions on to {trouble}", trouble=trouble)
        else:
            self._log.info("Passing subscriptions on to {server} again", server=server)


def _spelled(node: str) -> str:
    """
    One spelling for all of an address; what is none, as a sleeping vassal's
    name, stays.
    """
    try:
        return str(parse_announced(node))
    except BadAddress:
        return node
