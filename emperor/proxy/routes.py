"""
Which mapper knows a host, and what to say when none does.

The mappers are asked in the order of C{mapper-order}; the first that knows the
host decides.  What mappers of the settings find is the same for ever and kept;
the others are asked for every request.  One that has to ask somebody gives a
L{Deferred}, and the request waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from emperor.config.settings import Mapper, RouterSettings
from emperor.proxy.refusals import Reason, Refusal, Refused
from emperor.routing.keys import BadHost, host_key
from emperor.routing.lookups import candidates
from emperor.routing.mappers import (
    KNOWN_HOSTS,
    Asked,
    StaticMapper,
    UnsafeHost,
    fixed_pool,
    static_mappers,
)
from emperor.routing.mapping import MapperBroken, MapperUnavailable
from emperor.routing.pools import FixedStatistics, Pool

#: A mapper that is no part of the settings.
OtherMapper = Callable[[Asked], Pool | Deferred[Pool | None] | None]

_REASONS: dict[type[Exception], Reason] = {
    BadHost: Reason.BAD_HOST,
    UnsafeHost: Reason.BAD_HOST,
    MapperUnavailable: Reason.MAPPER_UNAVAILABLE,
    MapperBroken: Reason.MAPPER_BROKEN,
}
_ERRORS = tuple(_REASONS)


class Routes:
    """
    The mappers of one router.

    @ivar wants_path: whether L{pool_for} needs the path.
    @ivar fallback: nodes for requests whose own do not accept; L{None}: none.
    """

    def __init__(
        self,
        settings: RouterSettings,
        others: Mapping[Mapper, OtherMapper],
        absence: Callable[[Iterable[str]], str | None] = lambda keys: None,
    ) -> None:
        """
        @param absence: why nobody answers for keys that nobody knows, although some
            vassal names one; the best key is the first.
        """
        self._fixed = fixed_pool(settings.to, settings.gracetime)
        static = static_mappers(settings, self._fixed)
        order = [mapper for mapper in settings.mapper_order if mapper in static or mapper in others]
        self._mappers = [
            others[mapper] if mapper in others else _for_key(static[mapper]) for mapper in order
        ]
        self._lasting = next(
            (place for place, mapper in enumerate(order) if mapper in others), len(order)
        )
        self._kept: dict[bytes, Pool] = {}
        self._forced = settings.force_key.encode("latin-1", "replace")
        self._raw = settings.raw_host_key
        self._absence = absence
        self._subscribed = Mapper.SUBSCRIPTION in others
        self._depth = settings.subscriptions.mountpoints
        self._dotsplit = settings.subscriptions.dotsplit
        self.wants_path = bool(self._depth) and self._subscribed
        self.fallback = fixed_pool(settings.fallback, settings.gracetime)
        self._for_unknown = self.fallback if settings.fallback_on_no_key else None

    def pool_for(self, host: bytes, path: bytes = b"") -> Pool | Deferred[Pool]:
        """
        Where a request goes.

        @param host: as the client sent it.
        @param path: without its query.
        @return: a Deferred fails as this raises; it may be cancelled.
        @raise Refused: the host is malformed, nobody knows it, or a mapper is
            in trouble.
        """
        host = self._forced or host
        kept = self._kept.get(host)
        if kept is not None:
            return kept
        try:
            asked = Asked(host_key(host, self._raw), host.decode("latin-1"), path)
            return self._ask(asked, 0)
        except _ERRORS as error:
            raise _refused(error, host) from error

    def fixed_nodes(self) -> list[FixedStatistics]:
        """
        How the nodes of C{to} do.
        """
        return self._fixed.statistics() if self._fixed is not None else []

    def _ask(self, asked: Asked, first: int) -> Pool | Deferred[Pool]:
        for place in range(first, len(self._mappers)):
            found = self._mappers[place](asked)
            if isinstance(found, Deferred):
                return self._wait(found, asked, place + 1)
            if found is not None:
                if place < self._lasting:
                    self._keep(asked, found)
                return found
        return self._unknown(asked)

    def _wait(self, asking: Deferred[Pool | None], asked: Asked, following: int) -> Deferred[Pool]:
        def answered(found: Pool | None) -> Pool | Deferred[Pool]:
            return self._ask(asked, following) if found is None else found

        def failed(failure: Failure) -> Failure:
            error = failure.value
            if isinstance(error, _ERRORS):
                raise _refused(error, asked.host.encode("latin-1"))
            return failure

        waiting: Deferred[Pool] = asking.addCallback(answered)
        return waiting.addErrback(failed)

    def _keep(self, asked: Asked, pool: Pool) -> None:
        if len(self._kept) >= KNOWN_HOSTS:
            self._kept.clear()
        self._kept[asked.host.encode("latin-1")] = pool

    def _unknown(self, asked: Asked) -> Pool:
        if self._for_unknown is not None:
            return self._for_unknown
        host = _shown(asked.host.encode("latin-1"))
        absence = self._absence(self._keys(asked)) if self._subscribed else None
        if absence is not None:
            raise Refused(Refusal(Reason.NODE_ABSENT, absence, host))
        detail = f"no site is configured for the host {asked.key}"
        raise Refused(Refusal(Reason.UNKNOWN_HOST, detail, host))

    def _keys(self, asked: Asked) -> Iterator[str]:
        depth, dotsplit = self._depth, self._dotsplit
        return candidates(asked.host, asked.path, raw=self._raw, depth=depth, dotsplit=dotsplit)


def _for_key(mapper: StaticMapper) -> OtherMapper:
    return lambda asked: mapper(asked.key)


def _refused(error: Exception, host: bytes) -> Refused:
    return Refused(Refusal(_REASONS[type(error)], str(error), _shown(host)))


def _shown(host: bytes) -> str:
    return host.decode("ascii", "backslashreplace")
