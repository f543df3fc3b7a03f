"""
How pools and their nodes do, for what people read.

Nothing is copied before it is read: there may be tens of thousands of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emperor.routing.members import Member, Sleeper
from emperor.routing.subscribed import SubscribedPool

#: The size of the table whose places uWSGI shows as the hashes of keys.
_PLACES = 65535


@dataclass(frozen=True, slots=True)
class Gauge:
    """
    What is so now and can be added up over processes.

    @ivar running: requests at a node.
    @ivar quarantined: in how many processes it gets none, because it did not
        accept.
    """

    running: int = 0
    quarantined: int = 0


NOTHING = Gauge()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatistics:
    """
    A node in a pool, or a vassal that can be woken.

    @ivar name: its address as text; empty: it sleeps.
    @ivar last_check: when it was last heard of, in the clock of the routers.
    @ivar requests: that it has accepted.
    @ivar last_requests: of these, since its last announcement.
    @ivar tx: bytes that came from it.
    @ivar rx: bytes that went to it.
    @ivar failures: connections that it did not accept.
    @ivar silent: it was not heard of for too long.
    """

    name: str
    vassal: str
    last_check: float
    modifier1: int
    modifier2: int
    cores: int
    load: int
    weight: int
    backup: int
    protocol: str
    requests: int = 0
    last_requests: int = 0
    tx: int = 0
    rx: int = 0
    wrr: int = 0
    failures: int = 0
    silent: bool = False
    gauge: Gauge = NOTHING


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """
    A pool.

    @ivar place: see L{place}.
    @ivar hits: how often it was looked up.
    @ivar nodes: to be read once, soon.
    """

    key: str
    place: int
    hits: int
    algorithm: str
    nodes: Iterator[NodeStatistics]


def pool_statistics(
    pools: Iterable[SubscribedPool], gauge: Callable[[str, Member], Gauge]
) -> Iterator[PoolStatistics]:
    """
    All pools that there are now, each as it is when it is read.

    @param gauge: from a key and a node of its pool.
    """
    for pool in list(pools):
        nodes = _nodes(pool, gauge)
        yield PoolStatistics(pool.key, place(pool.key), pool.hits, pool.algorithm.name, nodes)


def own_gauge(now: float) -> Callable[[str, Member], Gauge]:
    """
    What this process alone knows of a node.
    """

    def gauge(key: str, member: Member) -> Gauge:
        quarantined = is_quarantined(member, now)
        return (
            Gauge(member.references, quarantined) if member.references or quarantined else NOTHING
        )

    return gauge


def is_quarantined(member: Member, now: float) -> bool:
    """
    Whether a node gets no requests because it did not accept.
    """
    return member.health.failures > 0 and now < member.health.until


def place(key: str) -> int:
    """
    What uWSGI shows as the hash of a key: its place in a table.

    @param key: each byte a character.
    """
    value = 5381
    for byte in key.encode("latin-1", "replace"):
        value = (value * 33 ^ (byte if byte < 128 else byte - 256)) & 0xFFFFFFFF
    return value % _PLACES


def _nodes(pool: SubscribedPool, gauge: Callable[[str, Member], Gauge]) -> Iterator[NodeStatistics]:
    for member in list(pool.members.values()):
        yield _node(member, gauge(pool.key, member))
    for sleeper in list(pool.sleepers.values()):
        yield _sleeper(sleeper)


def _node(member: Member, gauge: Gauge) -> NodeStatistics:
    said = member.announcement
    return NodeStatistics(
        name=str(member.address),
        vassal=said.vassal,
        last_check=member.last_check,
        modifier1=member.modifier1,
        modifier2=member.modifier2,
        cores=said.cores,
        load=said.load,
        weight=member.weight,
        backup=member.backup,
        protocol=said.protocol,
        requests=member.requests,
        last_requests=member.last_requests,
        tx=member.tx,
        rx=member.rx,
        wrr=member.wrr,
        failures=member.failcnt,
        silent=member.silent,
        gauge=gauge,
    )


def _sleeper(sleeper: Sleeper) -> NodeStatistics:
    said = sleeper.announcement
    return NodeStatistics(
        name="",
        vassal=said.vassal,
        last_check=sleeper.last_check,
        modifier1=said.modifier1,
        modifier2=said.modifier2,
        cores=said.cores,
        load=said.load,
        weight=max(said.weight, 1),
        backup=said.backup,
        protocol=said.protocol,
    )
