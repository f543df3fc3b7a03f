"""
Keys whose nodes a Python function of the administrator's tells.

The function is called for each request and its results are not remembered, so
that it may take turns.  It runs in the router's own thread: one that waits must
return a Deferred or be a coroutine, and is waited for up to the time-out.  One
that does not come back is ended after the same time (L{emperor.proxy.alarm}), and
so is each step of a coroutine.

Every process of a router loads the file for itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Generator
from functools import lru_cache
from types import coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.config.settings import CodeSource
from emperor.interfaces import IKeyMapper
from emperor.proxy.alarm import TookTooLong, within
from emperor.proxy.codefile import CodeFile, describe, line_of
from emperor.routing.mapping import (
    BadNodes,
    MapperBroken,
    MapperUnavailable,
    parse_node,
    shown,
)
from emperor.routing.pools import Pool, SingleNode

#: Requests that may wait for answers at a time.
MOST_WAITING = 1000

#: Seconds that a function may take all requests' time without a remark.
BLOCKING = 0.1

#: Seconds between two remarks on the same thing.
REMARK_INTERVAL = 60.0

#: Things that remarks are remembered of.
MOST_REMARKS = 100

_ACCEPTED = "accepted: ADDRESS[,MODIFIER1] or None"


@implementer(IKeyMapper)
class CodeMapper:
    """
    Asks one function.
    """

    _log = Logger()

    def __init__(self, source: CodeSource, clock: IReactorTime) -> None:
        self._source = source
        self._name = f"{source.function}() of {source.path}"
        self._clock = clock
        self._file = CodeFile(source, clock)
        self._waiting = 0
        self._answers: set[Deferred[Pool | None]] = set()
        self._remarked: dict[str, float] = {}

    def start(self) -> None:
        """
        See L{IKeyMapper.start}.
        """
        self._file.load()

    def stop(self) -> None:
        """
        See L{IKeyMapper.stop}.
        """
        for answer in tuple(self._answers):
            answer.cancel()

    def lookup(self, key: str) -> Pool | Deferred[Pool | None] | None:
        """
        See L{IKeyMapper.lookup}.
        """
        if self._waiting >= MOST_WAITING:
            raise MapperUnavailable(f"{self._waiting} requests wait for {self._name} already")
        function = self._file.current()
        begun = self._clock.seconds()
        try:
            result = within(self._source.timeout, function, key)
        except BaseException as error:  # whatever it raises, it must not stop us
            raise self._failed(key, Failure()) from error
        finally:
            self._check_time(self._clock.seconds() - begun)
        if inspect.iscoroutine(result):
            result = Deferred.fromCoroutine(_in_steps(result, self._source.timeout))
        if isinstance(result, Deferred):
            return self._wait(key, result)
        return self._pool(key, result)

    def _wait(self, key: str, asking: Deferred[Any]) -> Deferred[Pool | None]:
        """
        Wait for a slow result.  It counts as waiting until the function has
        come to an end, even if the time is over before: what it holds is ours.
        """

        def too_late() -> None:
            answer.errback(MapperUnavailable(self._too_late()))
            asking.cancel()

        def ended(result: object) -> None:
            self._waiting -= 1
            if not answer.called:
                try:
                    answer.callback(self._result(key, result))
                except (MapperBroken, MapperUnavailable):
                    answer.errback()

        def answered(result: Pool | Failure | None) -> Pool | Failure | None:
            self._answers.discard(answer)
            if late.active():
                late.cancel()
            return result

        answer: Deferred[Pool | None] = Deferred(lambda _: asking.cancel())
        late = self._clock.callLater(self._source.timeout, too_late)
        self._waiting += 1
        self._answers.add(answer)
        answer.addBoth(answered)
        asking.addBoth(ended)
        return answer

    def _result(self, key: str, result: object) -> Pool | None:
        if isinstance(result, Failure):
            raise self._failed(key, result)
        return self._pool(key, result)

    def _pool(self, key: str, result: object) -> Pool | None:
        """
        What a result means.

        @raise MapperBroken: nothing.
        """
        if result is None:
            return None
        if isinstance(result, bytes):
            result = result.decode("utf-8", "surrogateescape")
        if not isinstance(result, str):
            # The result is not shown: its repr is code, too.
            kind = type(result).__name__
            raise MapperBroken(f"{self._about(key)} gave a result of type {kind}; {_ACCEPTED}")
        try:
            return _node(result)
        except BadNodes as error:
            told = f"{self._about(key)} gave {shown(result)}"
            raise MapperBroken(f"{told}: {error}; {_ACCEPTED}") from error

    def _too_late(self) -> str:
        return f"{self._name} does not answer within {self._source.timeout:g} s"

    def _about(self, key: str) -> str:
        return f"{self._name} asked for {key!r}"

    def _failed(self, key: str, failure: Failure) -> MapperBroken | MapperUnavailable:
        """
        The error of a request that the function has failed for.
        """
        error = failure.value
        if isinstance(error, CancelledError):
            return MapperBroken(f"{self._about(key)} was cancelled")
        line = line_of(failure, self._source.path)
        slow = isinstance(error, TookTooLong)
        text = f"{self._about(key)} failed in line {line}: {describe(error)}"
        if slow:
            text = f"{self._too_late()}; it was ended in line {line}"
        if self._remarkable(f"{line} {type(error).__name__}"):
            self._log.failure("{text}", failure, text=text)
        return MapperUnavailable(text) if slow else MapperBroken(text)

    def _check_time(self, took: float) -> None:
        if took > BLOCKING and self._remarkable("blocking"):
            self._log.warn(
                "{source} has blocked all requests for {took:.2f} s; what waits must return a "
                "Deferred or be a coroutine",
                source=self._name,
                took=took,
            )

    def _remarkable(self, what: str) -> bool:
        """
        Whether something is to be logged: not again within a minute, since
        every request may cause it.
        """
        now = self._clock.seconds()
        if now < self._remarked.get(what, now):
            return False
        if len(self._remarked) >= MOST_REMARKS:
            self._remarked.clear()
        self._remarked[what] = now + REMARK_INTERVAL
        return True


@coroutine
def _in_steps(
    code: Coroutine[Deferred[Any], Any, Any], seconds: float
) -> Generator[Deferred[Any], Any, Any]:
    """
    A coroutine as it is, but with a bound for each of its steps.
    """
    step: Callable[..., Deferred[Any]] = code.send
    value: Any = None
    while True:
        try:
            waited_for = within(seconds, step, value)
        except StopIteration as end:
            return end.value
        try:
            step, value = code.send, (yield waited_for)
        except BaseException as error:
            step, value = code.throw, error


@lru_cache(maxsize=4096)
def _node(text: str) -> SingleNode:
    return SingleNode(parse_node(text), from_host=False)
