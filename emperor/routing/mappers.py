"""
From what a request asks for to the pool that answers for it.

The mappers that the settings alone describe are here: the C{route-host} rules,
C{use-pattern}, C{use-base} and C{to}.  Those that ask somebody else, a Redis or
the administrator's code or whoever subscribed, come from outside
(L{emperor.proxy.router}).

A text from the client becomes a part of an address only if it cannot change
which directory or host the address lies in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from emperor.addresses import Address, BadAddress, parse_address, parse_node
from emperor.config.settings import Mapper, Node, RouterSettings
from emperor.routing.hosts import HostRules, captures, fill
from emperor.routing.pools import FixedNodes, Pool, SingleNode

#: What the names in an address are taken apart by, and what is no name.
_PIECES = re.compile("[/:@]")
_NO_NAMES = ("", ".", "..")

#: Hosts whose pools are kept at hand, for each mapper.
KNOWN_HOSTS = 8192


class UnsafeHost(ValueError):
    """
    The host would lead out of the directory it is put into.
    """


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a request asks for.

    @ivar key: the host as L{emperor.routing.keys.host_key} has it.
    @ivar host: as the client sent it, each byte a character.
    @ivar path: without its query; empty where no mapper wants to know.
    """

    key: str
    host: str
    path: bytes


#: Gives the pool for a key; L{None}: it does not know the key.
StaticMapper = Callable[[str], Pool | None]


def check_part(text: str) -> str:
    """
    Let C{text} pass if it can be put into a path or an address.

    @raise UnsafeHost: it is empty or has C{..}, a slash, a colon or NUL.
    """
    if not text or ".." in text or text == "." or any(sign in text for sign in "/:\0"):
        raise UnsafeHost(f"the host part {text!r} cannot be a part of a socket's address")
    return text


def check_captures(template: str, match: re.Match[str]) -> None:
    """
    Let captures pass that can be put into a rule's address.  A group that took no
    part, or is empty, puts nothing there, if there is a name without it.

    @raise UnsafeHost: see L{check_part}, or a name would be empty.
    """
    for piece in _PIECES.split(template):
        texts = captures(piece, match)
        for text in filter(None, texts):
            check_part(text)
        name = fill(piece, match)
        nameless = not any(texts) and name.startswith(".") and not piece.startswith(".")
        if texts and (nameless or name in _NO_NAMES):
            check_part("")


def static_mappers(
    settings: RouterSettings, fixed: Pool | None = None
) -> dict[Mapper, StaticMapper]:
    """
    The mappers of one router's settings; each remembers what it found.

    They raise L{UnsafeHost}.

    @param fixed: the pool of C{to}.
    """
    found: dict[Mapper, StaticMapper] = {}
    if settings.rules:
        found[Mapper.RULES] = lru_cache(KNOWN_HOSTS)(_by_rules(settings))
    for mapper, template in (
        (Mapper.PATTERN, settings.pattern),
        (Mapper.BASE, _as_template(settings.base)),
    ):
        if template:
            found[mapper] = lru_cache(KNOWN_HOSTS)(_by_template(template))
    if fixed is not None:
        found[Mapper.TO] = lambda key: fixed
    return found


def fixed_pool(nodes: tuple[Node, ...], gracetime: float) -> FixedNodes | None:
    """
    The pool of configured nodes; a single one is tried whatever happened before.

    @return: L{None}: there are none.
    """
    return FixedNodes(nodes, gracetime) if nodes else None


def _by_rules(settings: RouterSettings) -> StaticMapper:
    rules = HostRules(settings.rules)

    def by_rule(key: str) -> Pool | None:
        found = rules.find(key)
        if found is None:
            return None
        rule, match = found
        used = captures(rule.template, match)
        check_captures(rule.template, match)
        # A name may not come from the client: it could lead anywhere.
        parse = parse_address if used else parse_node
        node = _node(parse, fill(rule.template, match), rule.modifier1, rule.modifier2)
        return SingleNode(node, from_host=bool(used))

    return by_rule


def _by_template(template: str) -> StaticMapper:
    def by_template(key: str) -> Pool:
        return SingleNode(
            _node(parse_address, template.replace("%s", check_part(key))), from_host=True
        )

    return by_template


def _node(
    parse: Callable[[str], Address], address: str, modifier1: int = 0, modifier2: int = 0
) -> Node:
    try:
        return Node(parse(address), modifier1, modifier2)
    except BadAddress as error:
        raise UnsafeHost(str(error)) from error


def _as_template(base: str) -> str:
    """
    A base as a pattern; it gets the slash it may lack.
    """
    return base if "%s" in base or not base else base.rstrip("/") + "/%s"
