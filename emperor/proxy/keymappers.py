"""
The mappers of one router that ask outside of the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.logger import Logger

from emperor.config.settings import Mapper, RouterSettings
from emperor.interfaces import IKeyMapper
from emperor.proxy.codemapper import CodeMapper
from emperor.proxy.routes import OtherMapper
from emperor.routing.mappers import Asked
from emperor.routing.pools import Pool


class KeyMappers(Service):
    """
    Starts and stops them together with their router.

    @ivar mappers: for L{emperor.proxy.router.Router}.
    """

    _log = Logger()

    def __init__(self, found: Mapping[Mapper, IKeyMapper]) -> None:
        self._found = found
        self.mappers: dict[Mapper, OtherMapper] = {
            mapper: _also_with_port(key_mapper) if mapper is Mapper.CACHE else _by_key(key_mapper)
            for mapper, key_mapper in found.items()
        }

    def startService(self) -> None:
        """
        Start all; one that does not is logged, and refuses its requests.
        """
        Service.startService(self)
        for mapper in self._found.values():
            starting = maybeDeferred(mapper.start)
            starting.addErrback(lambda failure: self._log.failure("A mapper is missing", failure))

    def stopService(self) -> Deferred[Any]:
        """
        Stop all.
        """
        Service.stopService(self)
        stopping = [maybeDeferred(mapper.stop) for mapper in self._found.values()]
        return DeferredList(stopping, consumeErrors=True)


def make_key_mappers(settings: RouterSettings, reactor: Any) -> KeyMappers:
    """
    What the settings ask for.

    @raise emperor.config.errors.ConfigurationError: one of them cannot be used.
    """
    found: dict[Mapper, IKeyMapper] = {}
    if settings.cache is not None:
        # txredisapi takes the global reactor when it is imported, and time.
        from emperor.proxy.redismap import redis_map  # noqa: PLC0415

        found[Mapper.CACHE] = redis_map(settings.cache, reactor, settings.gracetime)
    if settings.code is not None:
        found[Mapper.CODE] = CodeMapper(settings.code, reactor)
    return KeyMappers(found)


def check_key_mappers(settings: RouterSettings, reactor: Any) -> None:
    """
    Make sure that they can be used, while there is a terminal to complain to.

    @raise emperor.config.errors.ConfigurationError: one of them cannot.
    """
    make_key_mappers(settings, reactor)
    if settings.code is not None:
        CodeMapper(settings.code, reactor).start()


def _by_key(mapper: IKeyMapper) -> OtherMapper:
    def lookup(asked: Asked) -> Pool | Deferred[Pool | None] | None:
        found: Pool | Deferred[Pool | None] | None = mapper.lookup(asked.key)
        return found

    return lookup


def _also_with_port(mapper: IKeyMapper) -> OtherMapper:
    """
    A host that came with its port may have an entry of its own, as in uWSGI's
    documentation; else the host alone counts.
    """
    by_key = _by_key(mapper)

    def lookup(asked: Asked) -> Pool | Deferred[Pool | None] | None:
        exact = asked.host.lower()
        if exact == asked.key or not exact.startswith(f"{asked.key}:"):
            return by_key(asked)

        def without(found: Pool | None) -> Pool | Deferred[Pool | None] | None:
            return by_key(asked) if found is None else found

        found = mapper.lookup(exact)
        return found.addCallback(without) if isinstance(found, Deferred) else without(found)

    return lookup
