"""
From a key to the pool that answers for it.

The C{route-host} rules come first, in their order; then the one mapper that is
configured, in uWSGI's precedence: C{use-pattern}, C{use-base}, C{to}.

A text from the client becomes a part of an address only if it cannot change
which directory or host the address lies in.
"""

from __future__ import annotations

from functools import lru_cache

from emperor.addresses import BadAddress, parse_address
from emperor.config.settings import Node, RouterSettings
from emperor.routing.hosts import HostRules, captures, fill
from emperor.routing.pools import FixedNodes, FixedStatistics, Pool, SingleNode


class UnsafeHost(ValueError):
    """
    The host would lead out of the directory it is put into.
    """


def check_part(text: str) -> str:
    """
    Let C{text} pass if it can be put into a path or an address.

    @raise UnsafeHost: it is empty or has C{..}, a slash, a colon or NUL.
    """
    if not text or ".." in text or text == "." or any(sign in text for sign in "/:\0"):
        raise UnsafeHost(f"the host part {text!r} cannot be a part of a socket's address")
    return text


class RouteTable:
    """
    All that one router's settings say about keys.
    """

    def __init__(self, settings: RouterSettings) -> None:
        self._rules = HostRules(settings.rules)
        self._template = _template(settings)
        self._fixed = FixedNodes(settings.to, settings.gracetime) if settings.to else None
        self.lookup = lru_cache(maxsize=8192)(self._lookup)

    def _lookup(self, key: str) -> Pool | None:
        """
        The pool for a key.

        @return: L{None}: no rule and no mapper knows it.
        @raise UnsafeHost: see L{check_part}.
        """
        return self._by_rule(key) or self._by_template(key) or self._fixed

    def fixed_nodes(self) -> list[FixedStatistics]:
        """
        How the nodes of C{to} do.
        """
        return self._fixed.statistics() if self._fixed is not None else []

    def _by_rule(self, key: str) -> Pool | None:
        found = self._rules.find(key)
        if found is None:
            return None
        rule, match = found
        used = captures(rule.template, match)
        for text in used:
            check_part(text)
        node = _node(fill(rule.template, match), rule.modifier1, rule.modifier2)
        return SingleNode(node, from_host=bool(used))

    def _by_template(self, key: str) -> Pool | None:
        if not self._template:
            return None
        return SingleNode(_node(self._template.replace("%s", check_part(key))), from_host=True)


def _node(address: str, modifier1: int = 0, modifier2: int = 0) -> Node:
    try:
        return Node(parse_address(address), modifier1, modifier2)
    except BadAddress as error:
        raise UnsafeHost(str(error)) from error


def _template(settings: RouterSettings) -> str:
    """
    Pattern and base as one thing; the base gets the slash it may lack.
    """
    if settings.pattern or not settings.base:
        return settings.pattern
    if "%s" in settings.base:
        return settings.base
    return settings.base.rstrip("/") + "/%s"
