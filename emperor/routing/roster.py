"""
Which pools of subscribed nodes there are, and which of them a request finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emperor.routing.balancing import Algorithm, UnknownAlgorithm, algorithm
from emperor.routing.health import Quarantine
from emperor.routing.lookups import candidates, pool_key
from emperor.routing.subscribed import SubscribedPool

#: Pools that there can be at once.
POOLS_LIMIT = 65536

#: Nodes that there can be in all pools together.
NODES_LIMIT = 65536

#: Nodes that there can be in one pool.
POOL_NODES_LIMIT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """
    How subscriptions are kept and found.

    @ivar tolerance: seconds after which a node that was not heard of is silent.
    @ivar tolerance_inactive: seconds after which a sleeping vassal that was not
        heard of is forgotten.
    @ivar keep_last: seconds that a silent node is kept, to serve where no other
        does; 0: none.
    @ivar dotsplit: C{.example.org} stands for all hosts below it.
    @ivar mountpoints: segments of the path that a key may have.
    @ivar fallback_key: the pool of requests that find none; empty: none.
    @ivar algorithm: of pools whose nodes do not ask for one; see
        L{emperor.routing.balancing.ACCEPTED}.
    @ivar raw_keys: keys are compared as they are.
    @ivar checked: the nodes are checked (L{emperor.routing.health}).
    """

    tolerance: float = 17
    tolerance_inactive: float = 17
    keep_last: float = 30
    dotsplit: bool = False
    mountpoints: int = 0
    fallback_key: str = ""
    algorithm: str = "wrr"
    raw_keys: bool = False
    checked: bool = False
    pools_limit: int = POOLS_LIMIT
    nodes_limit: int = NODES_LIMIT
    pool_nodes_limit: int = POOL_NODES_LIMIT


class Roster:
    """
    The pools by their keys; none of them is empty.
    """

    def __init__(self, settings: RegistrySettings, quarantine: Quarantine) -> None:
        """
        @raise UnknownAlgorithm: the settings name one that there is not.
        @raise BadKey: the fallback key can be none.
        """
        self.pools: dict[str, SubscribedPool] = {}
        self.nodes = 0
        self._settings = settings
        self._quarantine = quarantine
        self._watchers: list[Callable[[bool], object]] = []
        self._greeters: list[Callable[[SubscribedPool], object]] = []
        self._default()
        fallback = settings.fallback_key
        self._fallback = pool_key(fallback, settings.raw_keys) if fallback else ""

    def watch(self, watcher: Callable[[bool], object]) -> None:
        """
        Call C{watcher} after the first pool came, with C{False}, and after the
        last one went, with C{True}.
        """
        self._watchers.append(watcher)

    def greet(self, greeter: Callable[[SubscribedPool], object]) -> None:
        """
        Call C{greeter} with the pool after a node came into it.
        """
        self._greeters.append(greeter)

    def joined(self, pool: SubscribedPool) -> None:
        """
        A node came into C{pool}, and it is sorted out.
        """
        for greeter in self._greeters:
            greeter(pool)

    def lookup(self, host: str, path: bytes) -> SubscribedPool | None:
        """
        See L{emperor.routing.subscriptions.Registry.lookup}.
        """
        pool = None if self._settings.mountpoints else self.pools.get(host)
        if pool is None:
            pool = self._search(host, path)
        if pool is not None:
            pool.hits += 1
        return pool

    def _search(self, host: str, path: bytes) -> SubscribedPool | None:
        settings = self._settings
        for key in candidates(
            host,
            path,
            raw=settings.raw_keys,
            depth=settings.mountpoints,
            dotsplit=settings.dotsplit,
        ):
            if key in self.pools:
                return self.pools[key]
        return self.pools.get(self._fallback)

    def pool(self, key: str) -> SubscribedPool:
        """
        The pool of a key: the one that is here, or a new one, which is here
        once it has a node (L{resized}).
        """
        pool = self.pools.get(key)
        return SubscribedPool(key, self._default(), self._quarantine) if pool is None else pool

    def full(self, pool: SubscribedPool) -> str:
        """
        Why no node can be added to C{pool}.

        @return: empty: one can.
        """
        settings = self._settings
        if self.nodes >= settings.nodes_limit:
            return f"all pools together have {self.nodes} nodes and may have no more"
        if pool.key not in self.pools and len(self.pools) >= settings.pools_limit:
            return f"there are {len(self.pools)} pools and there may be no more"
        if pool.size >= settings.pool_nodes_limit:
            return f"the pool has {pool.size} nodes and may have no more"
        return ""

    def resized(self, pool: SubscribedPool, by: int) -> None:
        """
        C{pool} has C{by} nodes more, or less.
        """
        was_empty = not self.pools
        self.nodes += by
        pool.sort_out()
        if pool.size:
            self.pools[pool.key] = pool
        else:
            self.pools.pop(pool.key, None)
        if was_empty != (not self.pools):
            for watcher in self._watchers:
                watcher(not self.pools)

    def balance(self, pool: SubscribedPool, name: str) -> str:
        """
        Let C{pool} choose in the way that a node asks for.

        @param name: empty: it does not.
        @return: why it does not do so; empty: it does.
        """
        if name in ("", pool.asked):
            return ""
        pool.asked = name
        try:
            pool.algorithm = algorithm(name)
        except UnknownAlgorithm as error:
            pool.algorithm = self._default()
            return f"{error}; {pool.algorithm.name} is used"
        return ""

    def _default(self) -> Algorithm:
        return algorithm(self._settings.algorithm)
