"""
Keys whose nodes are written down in a Redis.

What was found is remembered for a time, so that a request seldom asks; a notice
that a key has changed makes it forgotten at once.  Notices come on a second
connection, since Redis does not let one do both.  What was missed while that
one was down is unknown: all that is remembered is doubted when it is back.

While the Redis is away, what was found before goes on serving, however old, and
a key that was not is told to be unavailable.  Nobody waits longer than the
time-out, no more than so many wait, and those who ask for the same key share a
question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ResponseError
from zope.interface import implementer

from emperor.config.redisurl import RedisSource
from emperor.interfaces import IKeyMapper
from emperor.proxy.redisconnection import (
    RedisConnection,
    RedisTrouble,
    explain,
)
from emperor.proxy.redisendpoints import redis_endpoint
from emperor.proxy.redislink import PAUSE, RedisLink, log_in
from emperor.routing.mapping import (
    BadNodes,
    MapperBroken,
    MapperUnavailable,
    make_pool,
    shown,
)
from emperor.routing.pools import Pool
from emperor.routing.remembering import Memory, Outcome

#: Bytes of a value.
VALUE_LIMIT = 8192

#: The notice that somebody asked for a key that is not there, which we do.
_MISS = b"keymiss"

#: Signs that mean more than themselves in the pattern of a subscription.
_GLOB = re.compile(r"([][*?\\])")

_ACCEPTED = "accepted: ADDRESS[,MODIFIER1], several joined by |"


@dataclass(eq=False, slots=True)
class _Question:
    """
    One key that is asked for.

    @ivar generation: of the memory, when it was asked.
    @ivar late: ends the wait.
    """

    key: str
    generation: int
    late: IDelayedCall | None = None
    waiting: list[Deferred[Pool | None]] = field(default_factory=list)
    connection: RedisConnection | None = None


@implementer(IKeyMapper)
class RedisMap:
    """
    One router's view of a Redis.
    """

    _log = Logger()

    def __init__(
        self,
        source: RedisSource,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        *,
        gracetime: float,
        pause: Callable[[int], float] = PAUSE,
    ) -> None:
        """
        @param gracetime: seconds for which a node that failed is passed over,
            if a key has several.
        @param pause: see L{RedisLink}.
        """
        self._source = source
        self._clock = clock
        self._gracetime = gracetime
        self._memory = Memory(source.cache_size, source.ttl, source.negative_ttl)
        self._questions: dict[str, _Question] = {}
        self._unsent: list[_Question] = []
        self._waiting = 0
        self._first: Deferred[None] | None = Deferred()
        link = partial(RedisLink, source, endpoint, clock, pause=pause)
        self._link = link(
            purpose="what is remembered goes on serving",
            prepare=partial(log_in, source=source),
            changed=self._link_changed,
        )
        self._notices = link(
            purpose=f"changed keys are noticed after {source.ttl:g} s",
            prepare=self._subscribe,
            noticed=self._noticed,
            changed=self._notices_changed,
        )

    def start(self) -> Deferred[None] | None:
        """
        See L{IKeyMapper.start}; fires when it is connected, or the first
        attempt has failed.
        """
        started = self._first
        self._link.start()
        self._notices.start()
        return started

    def stop(self) -> Deferred[Any]:
        """
        See L{IKeyMapper.stop}.
        """
        ending = [Deferred.fromCoroutine(link.stop()) for link in (self._link, self._notices)]
        for question in (*self._unsent, *self._questions.values()):
            self._unanswered(question, "the router is stopping")
        return DeferredList(ending)

    def lookup(self, key: str) -> Pool | Deferred[Pool | None] | None:
        """
        See L{IKeyMapper.lookup}.
        """
        outcome = self._memory.fresh(key, self._clock.seconds())
        if outcome is not None:
            return outcome.answer()
        if self._link.trouble:
            return self._last(key, self._link.trouble)
        if self._waiting >= self._source.waiting:
            return self._last(key, f"{self._waiting} requests wait for {self._source} already")
        asked = self._questions.get(key)
        question = asked or _Question(key, self._memory.generation)
        waiter = self._wait(question)
        if asked is None:
            self._ask(question)
        return waiter

    def _last(self, key: str, reason: str) -> Pool | None:
        """
        What was known before, as nobody can be asked.
        """
        last = self._memory.last(key)
        if last is None:
            raise MapperUnavailable(reason)
        return last.pool

    # Questions.

    def _wait(self, question: _Question) -> Deferred[Pool | None]:
        def give_up(waiter: Deferred[Pool | None]) -> None:
            question.waiting.remove(waiter)
            self._waiting -= 1

        waiter: Deferred[Pool | None] = Deferred(give_up)
        question.waiting.append(waiter)
        self._waiting += 1
        return waiter

    def _ask(self, question: _Question) -> None:
        """
        The answer may have come when this returns, so somebody waits by now.
        """
        self._questions[question.key] = question
        question.late = self._clock.callLater(self._source.timeout, self._too_late, question)
        if self._link.connection is None:
            self._unsent.append(question)
        else:
            self._send(question, self._link.connection)

    def _send(self, question: _Question, connection: RedisConnection) -> None:
        """
        Ask for one byte more than a value may have: neither a large value nor
        a missing one costs more.
        """
        question.connection = connection
        name = (self._source.prefix + question.key).encode("utf-8", "surrogateescape")
        asking = connection.ask("GETRANGE", name, 0, VALUE_LIMIT)
        asking.addCallback(partial(self._answered, question))
        asking.addErrback(partial(self._not_answered, question, connection))

    def _answered(self, question: _Question, reply: object) -> None:
        if not isinstance(reply, bytes):
            raise RedisTrouble("it answers with what is no value")
        self._told(question, self._outcome(question.key, reply))

    def _not_answered(
        self, question: _Question, connection: RedisConnection, failure: Failure
    ) -> None:
        error = failure.value
        if isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE"):
            trouble = f"{self._name(question.key)} is no string; {_ACCEPTED}"
            self._told(question, Outcome(trouble=trouble))
            return
        reason = connection.reason or explain(error)
        self._unanswered(question, f"{self._source} cannot be asked: {reason}")

    def _told(self, question: _Question, outcome: Outcome) -> None:
        if self._questions.get(question.key) is question:
            now = self._clock.seconds()
            self._memory.put(question.key, outcome, now, question.generation)
        self._end(question, outcome.answer)

    def _too_late(self, question: _Question) -> None:
        if question.connection is not None:
            question.connection.drop("it does not answer in time")
        within = f"within {self._source.timeout:g} s"
        self._unanswered(question, f"{self._source} does not answer {within}")

    def _unanswered(self, question: _Question, reason: str) -> None:
        self._end(question, partial(self._last, question.key, reason))

    def _end(self, question: _Question, answer: Callable[[], Pool | None]) -> None:
        if question.late is not None and question.late.active():
            question.late.cancel()
        if self._questions.get(question.key) is question:
            del self._questions[question.key]
        if question in self._unsent:
            self._unsent.remove(question)
        waiting, question.waiting = question.waiting, []
        self._waiting -= len(waiting)
        for waiter in waiting:
            try:
                pool = answer()
            except (MapperUnavailable, MapperBroken):
                waiter.errback()
            else:
                waiter.callback(pool)

    def _outcome(self, key: str, text: bytes) -> Outcome:
        """
        What a value means.  One that has not changed keeps its pool, which
        knows whose turn it is and who failed.
        """
        last = self._memory.last(key)
        if last is not None and last.text == text:
            return last
        if not text:
            return Outcome()
        try:
            if len(text) > VALUE_LIMIT:
                raise BadNodes(f"it is longer than {VALUE_LIMIT} bytes")
            pool = make_pool(text.decode("utf-8", "surrogateescape"), self._gracetime)
        except BadNodes as error:
            trouble = f"{self._name(key)} has the value {shown(text)}: {error}; {_ACCEPTED}"
            return Outcome(trouble=trouble)
        return Outcome(pool, text)

    def _name(self, key: str) -> str:
        return f"the key {shown(self._source.prefix + key)} of {self._source}"

    # What the connections tell.

    def _link_changed(self) -> None:
        connection = self._link.connection
        for question in tuple(self._unsent):
            if connection is None:
                self._unanswered(question, self._link.trouble)
            else:
                self._send(question, connection)
        self._unsent.clear()
        first, self._first = self._first, None
        if first is not None:
            first.callback(None)

    def _notices_changed(self) -> None:
        if self._notices.connection is not None:
            self._memory.doubt_all()

    async def _subscribe(self, connection: RedisConnection) -> None:
        await log_in(connection, self._source)
        if self._source.channel:
            await connection.ask("SUBSCRIBE", self._source.channel)
        else:
            prefix = _GLOB.sub(r"\\\1", self._source.prefix)
            await connection.ask("PSUBSCRIBE", f"{self._keyspace}{prefix}*")

    @property
    def _keyspace(self) -> str:
        return f"__keyspace@{self._source.db}__:"

    def _noticed(self, channel: bytes, message: bytes) -> None:
        """
        A key has changed.  The answer to a question about it that is under way
        may be the old one: it is given, and not remembered.
        """
        if not self._source.channel:
            name = channel.decode("utf-8", "surrogateescape").removeprefix(self._keyspace)
            if message == _MISS:
                return
        elif (name := message.decode("utf-8", "surrogateescape")) == "*":
            self._memory.forget_all()
            self._questions.clear()
            return
        key = name.removeprefix(self._source.prefix)
        self._memory.forget(key)
        self._questions.pop(key, None)


def redis_map(source: RedisSource, reactor: Any, gracetime: float) -> RedisMap:
    """
    A mapper for one router, not started.

    @raise emperor.config.errors.ConfigurationError: see L{redis_endpoint}.
    """
    return RedisMap(source, redis_endpoint(source, reactor), reactor, gracetime=gracetime)
