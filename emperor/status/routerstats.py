"""
A router's state in the form of uWSGI's statistics servers: all of uWSGI's names
first and in uWSGI's order in each object, and ours behind them.
Source: what a running uWSGI prints; its documentation shows the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emperor.routing.pools import FixedStatistics
from emperor.routing.statistics import NodeStatistics, PoolStatistics
from emperor.status.jsontext import readable
from emperor.status.snapshot import ProcessState, RouterState
from emperor.wire.control import Counts


def describe(state: RouterState, pools: Iterable[PoolStatistics]) -> dict[str, Any]:
    """
    The object of a router; lists in it may be iterators.
    """
    shown: dict[str, Any] = {
        **state.program.described(),
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
