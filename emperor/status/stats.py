"""
A router's state in the form of uWSGI's statistics servers: JSON, with all of
uWSGI's names first and in uWSGI's order in each object, and ours behind them.
Source: what a running uWSGI prints; its documentation shows the same.

The text is made in pieces, each when it is asked for, so that ten thousand pools
hold up nobody and are never all in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emperor.routing.pools import FixedStatistics
from emperor.routing.statistics import NodeStatistics, PoolStatistics
from emperor.status.snapshot import ProcessState, RouterState
from emperor.wire.control import Counts

#: Characters of a piece, at least, but for the last one; so many take about 1 ms.
#: Smaller ones would need more turns of the reactor, each of which is as long as
#: the requests' work in it.
PIECE = 16 * 1024

_encode = json.JSONEncoder().encode


def pieces(
    state: RouterState, pools: Iterable[PoolStatistics], *, minified: bool
) -> Iterator[bytes]:
    """
    The JSON text of a router.

    @param pools: are read as far as the pieces are.
    @param minified: without blanks and line ends.
    """
    held: list[str] = []
    size = 0
    for text in write(describe(state, pools), "" if minified else "\n"):
        held.append(text)
        size += len(text)
        if size >= PIECE:
            yield "".join(held).encode("ascii")
            held, size = [], 0
    held.append("" if minified else "\n")
    yield "".join(held).encode("ascii")


def describe(state: RouterState, pools: Iterable[PoolStatistics]) -> dict[str, Any]:
    """
    The object of a router; lists in it may be iterators.
    """
    shown: dict[str, Any] = {
        "version": state.version,
        "pid": state.pid,
        "uid": state.uid,
        "gid": state.gid,
        "cwd": readable(state.cwd),
        "active_sessions": state.counts.open,
        state.kind: [readable(name) for name in state.sockets],
    }
    if state.fixed:
        shown["static_nodes"] = [_fixed(node) for node in state.fixed]
    if state.has_pools:
        shown["subscriptions"] = map(_pool, pools)
    shown["cheap"] = int(state.sleeping)
    shown.update(_counts(state.counts))
    if state.has_pools:
        shown["rejected"] = dict(state.rejected)
    shown["processes"] = [*map(_process, state.processes)]
    return shown


def _fixed(node: FixedStatistics) -> dict[str, Any]:
    return {
        "name": readable(str(node.node.address)),
        "hits": node.hits,
        "grace": int(node.failed_at),
    }


def _pool(pool: PoolStatistics) -> dict[str, Any]:
    return {
        "key": pool.key,
        "hash": pool.place,
        "hits": pool.hits,
        "sni_enabled": 0,
        "algo": pool.algorithm,
        "nodes": map(_node, pool.nodes),
    }


def _node(node: NodeStatistics) -> dict[str, Any]:
    return {
        "name": readable(node.name),
        "vassal": readable(node.vassal),
        "modifier1": node.modifier1,
        "modifier2": node.modifier2,
        "last_check": int(node.last_check),
        "pid": 0,
        "uid": 0,
        "gid": 0,
        "requests": node.requests,
        "last_requests": node.last_requests,
        "tx": node.tx,
        "rx": node.rx,
        "cores": node.cores,
        "load": node.load,
        "weight": node.weight,
        "backup": node.backup,
        "proto": node.protocol,
        "wrr": node.wrr,
        "ref": node.gauge.running,
        "failcnt": node.failures,
        "death_mark": int(node.silent),
        "quarantined": int(node.gauge.quarantined),
    }


def _process(process: ProcessState) -> dict[str, Any]:
    return {
        "pid": process.pid,
        "active_sessions": process.counts.open,
        **_counts(process.counts),
    }


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "connections": counts.connections,
        "requests": counts.requests,
        "refusals": {refusal.reason: refusal.count for refusal in counts.refusals},
    }


def readable(text: str) -> str:
    """
    A path without what is no Unicode: bytes that are no UTF-8 are shown as
    C{\\xff}, since JSON has no bytes and many readers refuse half a surrogate.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def write(value: Any, line: str) -> Iterator[str]:
    """
    JSON text of a value in which lists may be iterators.

    @param line: what comes before each item, one tab less than it needs; empty
        for no lines.
    """
    if isinstance(value, Mapping):
        parts = ((f"{_encode(key)}:", item) for key, item in value.items())
        yield from _enclosed("{}", parts, line)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        yield from _enclosed("[]", (("", item) for item in value), line)
    else:
        yield _encode(value)


def _enclosed(brackets: str, parts: Iterable[tuple[str, Any]], line: str) -> Iterator[str]:
    inner = line and line + "\t"
    comma = ""
    yield brackets[0]
    for name, item in parts:
        yield comma + inner + name
        if type(item) is int:  # nearly all are
            yield str(item)
        else:
            yield from write(item, inner)
        comma = ","
    if comma:
        yield line
    yield brackets[1]
