"""
Pairs built into the frozen settings.

Scalars: the last one counts.  Lists: each one is appended.  All problems are
collected, so that one start shows all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from emperor.addresses import BadAddress
from emperor.config import values
from emperor.config.classify import Classified, classify
from emperor.config.errors import ConfigurationError, Problem
from emperor.config.hostrules import names_port, parse_rule
from emperor.config.options import BY_NAME, OPTIONS, Service
from emperor.config.pairs import Pair
from emperor.config.settings import (
    EmperorSettings,
    HostRule,
    HttpSettings,
    Node,
    RouterSettings,
    Settings,
)

T = TypeVar("T")


def build(
    pairs: Iterable[Pair],
    used: set[str],
    notes: Iterable[str] = (),
    problems: Iterable[Problem] = (),
) -> Settings:
    """
    Build the settings.

    @param used: names that are placeholders because something asks for them.
    @param notes: what the reading had to say.
    @param problems: what the reading found wrong.
    @raise ConfigurationError: with every problem there is.
    """
    classified = classify(pairs, used)
    builder = Builder(classified)
    settings = builder.settings(notes)
    found = {*problems, *builder.problems}
    if found:
        # Beside an error, an unknown name may be the reason for it.
        place = attrgetter("origin.file", "origin.line")
        raise ConfigurationError(sorted(found.union(classified.slips), key=place))
    return settings


class Builder:
    """
    Takes values out of the classified pairs and notes what is wrong.
    """

    def __init__(self, classified: Classified) -> None:
        self._options = classified.options
        self.problems = classified.problems
        self.notes = classified.notes

    def settings(self, notes: Iterable[str]) -> Settings:
        """
        Everything; worthless if L{problems} are found on the way.
        """
        emperor = self._emperor()
        routers = self._routers()
        return Settings(
            emperor=emperor,
            routers=routers,
            transport=self._default("transport", values.transport),
            shutdown_grace=self._default("shutdown-grace", values.grace),
            notes=(*notes, *self.notes),
        )

    def _read(self, pair: Pair, parse: Callable[[str], T]) -> tuple[T, ...]:
        try:
            return (parse(pair.value),)
        except (values.BadValue, BadAddress) as error:
            self.problems.append(Problem(f"{pair.key}: {error}", pair.origin))
            return ()

    def _many(self, name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        pairs = self._options.get(name, [])
        return tuple(value for pair in pairs for value in self._read(pair, parse))

    def _one(self, name: str, parse: Callable[[str], T], absent: T) -> T:
        return (absent, *self._many(name, parse))[-1]

    def _default(self, name: str, parse: Callable[[str], T]) -> T:
        return self._one(name, parse, parse(BY_NAME[name].default))

    def _flag(self, name: str) -> bool:
        return self._default(name, values.flag)

    def _emperor(self) -> EmperorSettings:
        words = partial(self._many, parse=values.words)
        return EmperorSettings(
            monitors=self._many("emperor", values.monitor),
            frequency=self._default("emperor-freq", values.seconds),
            curse_tolerance=self._default("emperor-curse-tolerance", values.grace),
            throttle=self._default("emperor-throttle", values.milliseconds),
            max_throttle=self._default("emperor-max-throttle", values.milliseconds),
            binary=self._one("binary-path", values.words, ""),
            nofollow=self._flag("emperor-nofollow"),
            extra_extensions=words("emperor-extra-extension"),
            inherit=words("vassals-inherit"),
            include=words("vassals-include"),
            inherit_before=words("vassals-inherit-before"),
            include_before=words("vassals-include-before"),
            set=tuple("=".join(pair) for pair in self._many("vassals-set", values.assignment)),
        )

    def _routers(self) -> tuple[RouterSettings, ...]:
        raw = self._flag("raw-host-key")
        rules = self._rules(raw)
        found = []
        for kind in self._kinds():
            router = self._router(kind, rules, raw)
            if router.listen:
                found.append(router)
                self._note_mappers(router)
            else:
                self._note_idle(kind)
        return tuple(found)

    def _kinds(self) -> list[str]:
        """
        Both kinds of router, in the order in which the file has them.
        """
        kinds = [name for name in self._options if name in ("http", "fastrouter")]
        return kinds + [kind for kind in ("http", "fastrouter") if kind not in kinds]

    def _rules(self, raw: bool) -> tuple[HostRule, ...]:
        rules: list[HostRule] = []
        for pair in self._options.get("route-host", []):
            parse = partial(parse_rule, origin=pair.origin, raw_host_key=raw)
            rules += self._read(pair, parse)
        for rule in rules:
            if names_port(rule) and not raw:
                self.notes.append(
                    f"{rule.origin}: route-host names a port, but the port is taken off"
                    " before hosts are matched (raw-host-key keeps it)"
                )
        return tuple(rules)

    def _router(self, kind: str, rules: tuple[HostRule, ...], raw: bool) -> RouterSettings:
        timeout = self._default(f"{kind}-timeout", values.seconds)
        make = partial(HttpSettings, **self._http(timeout)) if kind == "http" else RouterSettings
        return make(
            kind=kind,
            listen=self._many(kind, values.listen),
            rules=rules,
            raw_host_key=raw,
            base=self._one(f"{kind}-use-base", values.base, ""),
            pattern=self._one(f"{kind}-use-pattern", values.pattern, ""),
            to=tuple(Node(address) for address in self._many(f"{kind}-to", values.node)),
            gracetime=self._default(f"{kind}-gracetime", values.grace),
            timeout=timeout,
            connect_timeout=self._one(f"{kind}-connect-timeout", values.seconds, timeout),
            headers_timeout=self._one(f"{kind}-headers-timeout", values.seconds, timeout),
            socket_mode=self._default("chmod-socket", values.mode),
            backlog=self._default("listen", partial(values.number, lowest=1, highest=65535)),
            processes=self._default(f"{kind}-processes", values.processes),
        )

    def _http(self, timeout: float) -> dict[str, Any]:
        modifier = partial(values.number, highest=255)
        keepalive = partial(values.keepalive, timeout=timeout)
        return {
            "keepalive": self._one("http-keepalive", keepalive, timeout),
            "modifiers": tuple(self._default(f"http-modifier{n}", modifier) for n in (1, 2)),
            "variables": self._many("http-var", values.assignment),
            "server_name_as_http_host": self._flag("http-server-name-as-http-host"),
            "chunked_limit": self._default("http-chunked-limit", values.size),
        }

    def _note_mappers(self, router: RouterSettings) -> None:
        if not (router.rules or router.base or router.pattern or router.to):
            self.notes.append(
                f"{router.kind} listens, but every request will get 404: give route-host,"
                f" {router.kind}-to, {router.kind}-use-base or {router.kind}-use-pattern"
            )

    def _note_idle(self, kind: str) -> None:
        service = Service(BY_NAME[kind].service)
        idle = [option.name for option in OPTIONS if option.service is service]
        written = [name for name in idle if name != kind and name in self._options]
        if written and kind not in self._options:
            self.notes.append(f"without {kind} = ADDRESS these do nothing: {', '.join(written)}")
