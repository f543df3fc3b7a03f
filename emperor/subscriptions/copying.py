"""
The registry in several processes: the program has it, each router process has a
copy.

A copy begins with all nodes and hears of each announcement from then on; it
expires by itself.  What it learns about its nodes, such as one that does not
accept, stays its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.interfaces import ISubscriptionNews
from emperor.routing.outcomes import Expiry, Result
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.ledger import Arrival
from emperor.wire.control import NodeNews, Subscriptions
from emperor.wire.subscription import Announcement

#: Nodes in one message.
PIECE = 1024

#: Announcements that wait for a process that does not read; one that misses
#: more gets the whole.
BACKLOG_LIMIT = 16 * PIECE

#: Seconds between two looks for who was not heard of.
EXPIRY_INTERVAL = 1.0


@implementer(ISubscriptionNews)
class Copyist:
    """
    Follows a ledger and tells those who keep a copy; what happens in one turn of
    the reactor is one message.
    """

    def __init__(self, clock: IReactorTime, registry: Registry) -> None:
        self._clock = clock
        self._registry = registry
        self._heard: list[NodeNews] = []
        self._listeners: list[Callable[[Subscriptions], object]] = []

    def whole(self) -> Sequence[Subscriptions]:
        """
        See L{ISubscriptionNews.whole}.
        """
        return list(_pieces(True, self._nodes()))

    def watch(self, listener: Callable[[Subscriptions], object]) -> None:
        """
        See L{ISubscriptionNews.watch}.
        """
        self._listeners.append(listener)

    def arrived(self, arrival: Arrival) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.arrived}.
        """
        if arrival.outcome.result is Result.REFUSED or not self._listeners:
            return
        if not self._heard:
            self._clock.callLater(0, self._tell)
        self._heard.append(NodeNews(arrival.announcement, hops=arrival.hops))

    def expired(self, expiries: Sequence[Expiry]) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.expired}; a copy finds out
        by itself.
        """

    def _tell(self) -> None:
        heard, self._heard = self._heard, []
        for piece in _pieces(False, iter(heard)):
            for listener in self._listeners:
                listener(piece)

    def _nodes(self) -> Iterator[NodeNews]:
        now = self._clock.seconds()
        for pool in self._registry.pools:
            for member in pool.members.values():
                yield NodeNews(
                    member.announcement,
                    now - member.last_check,
                    member.deadline - now,
                    member.silent,
                    member.hops,
                )
            for sleeper in pool.sleepers.values():
                yield NodeNews(
                    sleeper.announcement, now - sleeper.last_check, sleeper.deadline - now
                )


def _pieces(whole: bool, nodes: Iterator[NodeNews]) -> Iterator[Subscriptions]:
    """
    At least one message; only those of a whole belong together.
    """
    piece = tuple(islice(nodes, PIECE))
    while True:
        following = tuple(islice(nodes, PIECE))
        yield Subscriptions(whole, piece, more=whole and bool(following))
        if not following:
            return
        piece = following


class Backlog:
    """
    What one process has not been told yet; of each node the latest.
    """

    def __init__(self, limit: int = BACKLOG_LIMIT) -> None:
        self._limit = limit
        self._news: dict[tuple[str, str, str], NodeNews] = {}
        self._missed = False

    def add(self, news: Subscriptions) -> None:
        """
        Keep what was announced.
        """
        for node in news.nodes:
            self._news.pop(_name(node.announcement), None)
            self._news[_name(node.announcement)] = node
        if len(self._news) > self._limit:
            self._news.clear()
            self._missed = True

    def take(self, source: ISubscriptionNews) -> Sequence[Subscriptions]:
        """
        What is to be told now.
        """
        news, self._news = self._news, {}
        missed, self._missed = self._missed, False
        if missed:
            return source.whole()
        return list(_pieces(False, iter(news.values()))) if news else ()


def _name(announcement: Announcement) -> tuple[str, str, str]:
    return announcement.key, announcement.address, announcement.vassal


class Copy:
    """
    Keeps a registry equal to the program's.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, registry: Registry) -> None:
        self.registry = registry
        self._clock = clock
        self._parts: list[NodeNews] = []
        self._loop = LoopingCall(self._expire)
        self._loop.clock = clock

    def start(self) -> Deferred[object]:
        """
        Begin to forget who is not heard of.
        """
        return self._loop.start(EXPIRY_INTERVAL, now=False).addErrback(self._broken)

    def stop(self) -> None:
        """
        Forget nobody any more.
        """
        if self._loop.running:
            self._loop.stop()

    def update(self, news: Subscriptions) -> None:
        """
        Take over what is new.
        """
        if not news.whole:
            now = self._clock.seconds()
            for node in news.nodes:
                self.registry.announce(node.announcement, now, node.hops)
            return
        self._parts += news.nodes
        if not news.more:
            nodes, self._parts = self._parts, []
            self._replace(nodes)

    def _replace(self, nodes: Sequence[NodeNews]) -> None:
        """
        Those that stay keep what was learned about them.
        """
        now = self._clock.seconds()
        known = {_name(node.announcement) for node in nodes}
        for announcement in self._announcements():
            if _name(announcement) not in known:
                self.registry.announce(replace(announcement, leaving=True), now)
        for node in nodes:
            self.registry.put(
                node.announcement,
                now,
                age=node.age,
                left=node.left,
                silent=node.silent,
                hops=node.hops,
            )

    def _announcements(self) -> list[Announcement]:
        found: list[Announcement] = []
        for pool in self.registry.pools:
            found += [member.announcement for member in pool.members.values()]
            found += [sleeper.announcement for sleeper in pool.sleepers.values()]
        return found

    def _expire(self) -> None:
        self.registry.expire(self._clock.seconds())

    def _broken(self, failure: Failure) -> None:
        self._log.failure("Nodes are not forgotten any more", failure)
