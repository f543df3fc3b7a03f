"""
What is written about the routers built into settings.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from emperor.addresses import ListenAddress
from emperor.config import routervalues, subscriptionvalues, values
from emperor.config.hostrules import names_port, parse_rule
from emperor.config.options import BY_NAME, OPTIONS, Service
from emperor.config.settings import (
    CodeSource,
    HostRule,
    HttpSettings,
    Node,
    RouterSettings,
)
from emperor.config.statsbuilder import build_stats
from emperor.config.subscriptionbuilder import build_subscriptions
from emperor.config.taking import Taker

KINDS = ("http", "fastrouter")


def build_routers(taker: Taker, *, has_vassals: bool) -> tuple[RouterSettings, ...]:
    """
    The routers that listen, in the order in which the file has them.

    @param has_vassals: there is an Emperor, whose vassals may name domains.
    """
    shared = _shared(taker)
    rules = _rules(taker, shared["raw_host_key"])
    found = []
    for kind in _kinds(taker):
        router = _router(taker, kind, rules=rules, **shared)
        if router.listen or router.zerg:
            found.append(router)
            _note_mappers(taker, router, has_vassals)
        else:
            _note_idle(taker, kind)
    _note_subscriptions(taker, found, has_vassals)
    _check_states(taker, found)
    return tuple(found)


def _kinds(taker: Taker) -> list[str]:
    """
    Both kinds of router, in the order in which the file has them.
    """
    kinds = [name for name in taker.options if name in KINDS]
    return kinds + [kind for kind in KINDS if kind not in kinds]


def _shared(taker: Taker) -> dict[str, Any]:
    """
    The settings that both routers have alike.
    """
    return {
        "raw_host_key": taker.flag("raw-host-key"),
        "mapper_order": taker.default("mapper-order", routervalues.mapper_order),
        "socket_mode": taker.default("chmod-socket", values.mode),
        "socket_owner": taker.one("chown-socket", routervalues.owner, ""),
        "backlog": taker.default("listen", partial(values.number, lowest=1, highest=65535)),
        "name_ttl": taker.default("node-name-ttl", values.seconds),
        "node_ca": taker.one("node-ca", values.words, ""),
    }


def _rules(taker: Taker, raw: bool) -> tuple[HostRule, ...]:
    rules: list[HostRule] = []
    for pair in taker.options.get("route-host", []):
        parse = partial(parse_rule, origin=pair.origin, raw_host_key=raw)
        rules += taker.read(pair, parse)
    for rule in rules:
        if names_port(rule) and not raw:
            taker.notes.append(
                f"{rule.origin}: route-host names a port, but the port is taken off"
                " before hosts are matched (raw-host-key keeps it)"
            )
    return tuple(rules)


def _router(taker: Taker, kind: str, **more: Any) -> RouterSettings:
    timeout = taker.default(f"{kind}-timeout", values.seconds)
    make = partial(HttpSettings, **_http(taker, timeout)) if kind == "http" else RouterSettings
    return make(
        kind=kind,
        listen=taker.many(kind, partial(_listening, taker)),
        zerg=taker.many(f"{kind}-zerg", routervalues.unix_socket),
        processes=taker.default(f"{kind}-processes", values.processes),
        gracetime=taker.default(f"{kind}-gracetime", values.grace),
        max_retries=taker.default(f"{kind}-max-retries", values.number),
        timeout=timeout,
        connect_timeout=taker.default(f"{kind}-connect-timeout", values.seconds),
        headers_timeout=taker.one(f"{kind}-headers-timeout", values.seconds, timeout),
        post_buffering=taker.default(f"{kind}-post-buffering", values.size),
        cheap=taker.flag(f"{kind}-cheap"),
        stats=build_stats(taker, f"{kind}-stats"),
        subscriptions=build_subscriptions(taker, kind),
        emperor_socket=taker.one(f"{kind}-emperor-socket", subscriptionvalues.server, ""),
        defer_connect_timeout=taker.default(f"{kind}-defer-connect-timeout", values.seconds),
        **_mappers(taker, kind),
        **_trusted(taker, kind),
        **more,
    )


def _mappers(taker: Taker, kind: str) -> dict[str, Any]:
    return {
        "base": taker.one(f"{kind}-use-base", values.base, ""),
        "pattern": taker.one(f"{kind}-use-pattern", values.pattern, ""),
        "cache": taker.one(f"{kind}-use-cache", routervalues.cache, None),
        "code": _code(taker, kind),
        "to": _nodes(taker, f"{kind}-to"),
        "force_key": taker.one(f"{kind}-force-key", routervalues.key, ""),
        "fallback": _nodes(taker, f"{kind}-fallback"),
        "fallback_on_no_key": taker.flag(f"{kind}-fallback-on-no-key"),
    }


def _nodes(taker: Taker, name: str) -> tuple[Node, ...]:
    return tuple(Node(address) for address in taker.many(name, values.node))


def _code(taker: Taker, kind: str) -> CodeSource | None:
    source = taker.one(f"{kind}-use-code-string", routervalues.code, None)
    timeout = taker.default(f"{kind}-code-timeout", values.seconds)
    return source and replace(source, timeout=timeout)


def _listening(taker: Taker, text: str) -> ListenAddress:
    """
    Where a router listens; a shared socket must be there.
    """
    index = routervalues.shared_socket(text)
    count = len(taker.options.get("shared-socket", []))
    if index is not None and index >= count and taker.certain:
        raise values.BadValue(
            f"{text} is the shared socket with the index {index}, but there are {count};"
            " give shared-socket = ADDRESS"
        )
    return values.listen(text)


def _trusted(taker: Taker, kind: str) -> dict[str, Any]:
    name = f"{kind}-trusted"
    if name not in taker.options:
        return {}
    words = [word for words in taker.many(name, routervalues.peers) for word in words]
    return {
        "trusted": tuple(word for word in words if word != routervalues.UNIX),
        "trusts_unix": routervalues.UNIX in words,
    }


def _http(taker: Taker, timeout: float) -> dict[str, Any]:
    modifier = partial(values.number, highest=255)
    keepalive = partial(values.keepalive, timeout=timeout)
    return {
        "keepalive": taker.one("http-keepalive", keepalive, timeout),
        "modifiers": tuple(taker.default(f"http-modifier{n}", modifier) for n in (1, 2)),
        "variables": taker.many("http-var", values.assignment),
        "server_name_as_http_host": taker.flag("http-server-name-as-http-host"),
        "chunked_limit": taker.default("http-chunked-limit", values.size),
    }


def _note_mappers(taker: Taker, router: RouterSettings, has_vassals: bool) -> None:
    kind = router.kind
    fallback = router.fallback_on_no_key and router.fallback
    if router.subscriptions.servers or fallback or any(_ways(router)):
        return
    options = ("to", "use-base", "use-pattern", "use-cache", "use-code-string")
    ways = ", ".join(["give route-host", *(f"{kind}-{option}" for option in options)])
    ways += f" or {kind}-subscription-server"
    if has_vassals:
        taker.notes.append(
            f"{kind} listens, but only for the domains that vassals name in their [emperor]"
            f" sections; for other hosts {ways}"
        )
    else:
        taker.notes.append(f"{kind} listens, but every request will get 404: {ways}")


def _ways(router: RouterSettings) -> tuple[object, ...]:
    """
    What leads from a key to a pool without anybody's subscription.
    """
    return router.rules, router.base, router.pattern, router.to, router.cache, router.code


def _note_subscriptions(taker: Taker, routers: list[RouterSettings], has_vassals: bool) -> None:
    if has_vassals:
        return
    for router in routers:
        if router.cheap and not router.subscriptions.servers:
            taker.notes.append(
                f"{router.kind}-cheap without {router.kind}-subscription-server:"
                " no connection will ever be accepted"
            )
    written = _written(taker, Service.SUBSCRIPTIONS)
    if written and not any(router.subscriptions.servers for router in routers):
        servers = " or ".join(f"{kind}-subscription-server" for kind in KINDS)
        taker.notes.append(f"without {servers} these do nothing: {', '.join(written)}")


def _check_states(taker: Taker, routers: list[RouterSettings]) -> None:
    """
    Each router writes a file of its own.
    """
    seen: set[str] = set()
    for router in routers:
        state = router.subscriptions.state
        if state in seen:
            pair = taker.options[f"{router.kind}-subscription-state"][-1]
            taker.complain(pair, f"{state} is the other router's; each needs its own file")
        seen.update(filter(None, [state]))


def _note_idle(taker: Taker, kind: str) -> None:
    written = _written(taker, BY_NAME[kind].service)
    if written and kind not in taker.options:
        taker.notes.append(f"without {kind} = ADDRESS these do nothing: {', '.join(written)}")


def _written(taker: Taker, service: Service) -> list[str]:
    return [
        option.name
        for option in OPTIONS
        if option.service is service and option.name in taker.options
    ]
