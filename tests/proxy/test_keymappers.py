"""
Mappers that ask outside of the configuration, beside their router.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from emperor.config.errors import ConfigurationError
from emperor.config.redisurl import parse_redis_url
from emperor.config.settings import CodeSource, Mapper
from emperor.interfaces import IKeyMapper
from emperor.proxy.keymappers import KeyMappers, check_key_mappers, make_key_mappers
from emperor.routing.mappers import Asked
from emperor.routing.pools import Pool, SingleNode
from tests.proxy.dialogue import FASTROUTER, NODE, OTHER

ONE = SingleNode(NODE, from_host=False)
TWO = SingleNode(OTHER, from_host=False)


@implementer(IKeyMapper)
class Book:
    """
    A mapper that looks into a dictionary, perhaps later.
    """

    def __init__(self, known: dict[str, Pool], *, later: bool = False) -> None:
        self.known = known
        self.later = later
        self.told: list[str] = []

    def lookup(self, key: str) -> Pool | Deferred[Pool | None] | None:
        found = self.known.get(key)
        return succeed(found) if self.later else found

    def start(self) -> Deferred[None] | None:
        self.told.append("started")
        return None

    def stop(self) -> Deferred[Any] | None:
        self.told.append("stopped")
        return None


class LookupTests(SynchronousTestCase):
    def found(self, book: Book, asked: Asked, mapper: Mapper = Mapper.CACHE) -> Pool | None:
        found = KeyMappers({mapper: book}).mappers[mapper](asked)
        return self.successResultOf(found) if isinstance(found, Deferred) else found

    def test_port(self) -> None:
        """
        In the Redis a host with its port comes before the host alone; code is
        asked once, for the host.
        """
        for later in (False, True):
            both = Book({"a": ONE, "a:81": TWO}, later=later)
            self.assertIs(self.found(both, Asked("a", "A:81", b"")), TWO)
            self.assertIs(self.found(both, Asked("a", "A:82", b"")), ONE)
            self.assertIs(self.found(both, Asked("a", "a", b"")), ONE)
            self.assertIsNone(self.found(both, Asked("b", "b:81", b"")))
            self.assertIs(self.found(both, Asked("a", "A:81", b""), Mapper.CODE), ONE)

    def test_service(self) -> None:
        """
        They start and stop together; one that does not start is logged.
        """
        book, broken = Book({}), Book({})
        broken.start = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
        mappers = KeyMappers({Mapper.CACHE: broken, Mapper.CODE: book})
        mappers.startService()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.successResultOf(mappers.stopService())
        self.assertEqual(book.told, ["started", "stopped"])


class MakingTests(SynchronousTestCase):
    def test_made(self) -> None:
        """
        The settings say which there are.
        """
        reactor = MemoryReactorClock()
        self.assertEqual(make_key_mappers(FASTROUTER, reactor).mappers, {})
        settings = replace(
            FASTROUTER, cache=parse_redis_url("redis://h"), code=CodeSource("x.py", "get")
        )
        found = make_key_mappers(settings, reactor).mappers
        self.assertEqual(set(found), {Mapper.CACHE, Mapper.CODE})

    def test_checked(self) -> None:
        """
        Code that cannot be loaded is an error before anything is started.
        """
        settings = replace(FASTROUTER, code=CodeSource("/nowhere/x.py", "get"))
        error = self.assertRaises(
            ConfigurationError, check_key_mappers, settings, MemoryReactorClock()
        )
        self.assertIn("/nowhere/x.py", str(error.problems[0]))
