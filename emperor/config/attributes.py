"""
What a vassal's file says to the Emperor: its section C{[emperor]}::

    [emperor]
    domain = foo.com
    domain = %n,modifier1=5,weight=2
    memory-max = 512M

uWSGI does not read that section.  It is read here with magic variables and the
logic of configurations, but without doing anything, and without the vassal's
other sections.  What is wrong with a domain is told, and does not keep the vassal
from running; a limit that is wrong does.  With C{emperor-tyrant} so does all that
keeps the section, or a template's, from being read to its end: a limit might be
missing then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from emperor.config.errors import ConfigurationError, Problem
from emperor.config.evaluator import Evaluator
from emperor.config.limits import LIMITS, Limit, parse_limit
from emperor.config.loading import COMMAND_LINE
from emperor.config.pairs import Pair
from emperor.config.reader import split_section
from emperor.config.routervalues import key
from emperor.config.settings import EmperorSettings, Origin
from emperor.config.sources import StaticSources
from emperor.config.subscriptionvalues import algorithm
from emperor.config.surroundings import Surroundings
from emperor.config.values import BadValue, flag, number
from emperor.config.vassalfile import UNRESOLVED, Config, reader_for, start

#: The section, and what it may say.
SECTION = "emperor"
FORM = "domain = HOST[,modifier1=N][,modifier2=N][,weight=N][,backup=N][,algo=NAME]"

#: Domains of one vassal.
DOMAIN_LIMIT = 1000

#: Values that are kept of one vassal only to be shown, and characters of each.
COLLECTED_LIMIT = 100
COLLECTED_LENGTH = 1000


#: Of that which keeps a file from being read, told of one vassal.
UNREAD_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Domain:
    """
    A pool that a vassal is in while it accepts requests.

    @ivar key: the pool's name, as written.
    @ivar modifier1: of the vassal's requests, 0 to 255; so C{modifier2}.
    @ivar weight: its share of the requests; at least 1.
    @ivar backup: 0 for a node that always serves; those of a higher level
        serve when no node of a lower one does.
    @ivar algorithm: how the pool chooses; empty: the router's default.
    """

    key: str
    modifier1: int = 0
    modifier2: int = 0
    weight: int = 1
    backup: int = 0
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class Attributes:
    """
    What a vassal's file says to the Emperor.

    @ivar domains: each key once, in the order of the file.
    @ivar problems: what is wrong, with its place, and only told.
    @ivar limits: in the order of the file; a key may come several times.
    @ivar values: of the keys that options name, each pair as it was written.
    @ivar collected: of the keys that are only shown, in the same way.
    @ivar refusals: what is so wrong that the vassal must not be started.
    @ivar listen_fds: C{listen-fds}: it finds the Emperor's socket where systemd would
        put it.
    """

    domains: tuple[Domain, ...] = ()
    problems: tuple[Problem, ...] = ()
    limits: tuple[Limit, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    refusals: tuple[Problem, ...] = ()
    collected: tuple[tuple[str, str], ...] = ()
    listen_fds: bool = False


def attributes(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> Attributes:
    """
    Read a vassal's section C{[emperor]}, and that of each template that the
    Emperor gives to its vassals.

    @param path: the vassal's name, absolute or relative to C{cwd}.
    @param cwd: the directory it starts in.
    @param config: what to read in the place of the file.
    """
    pairs, errors = section_pairs(path, cwd, settings, surroundings, config)
    unread = _unread(errors) if settings.launch.tyrant else ()
    domains, problems = _domains(pairs, errors)
    limits, refusals = _limits(pairs)
    values, unresolved = _values(pairs, settings.launch.attributes)
    collected = _collected(pairs, settings.launch.collected)
    if config is None and (misnamed := _misnamed(path, cwd)):
        problems = (*problems, misnamed)
        if not (settings.launch.wrapper or os.path.exists(os.path.join(cwd, misnamed.origin.file))):
            refusals = (*refusals, misnamed)
    listen_fds = [flag(pair.value) for pair in pairs if _asks(pair, ("listen-fds",))]
    return Attributes(
        domains,
        problems,
        limits,
        values,
        unread + refusals + unresolved,
        collected,
        listen_fds=bool(listen_fds and listen_fds[-1]),
    )


def _misnamed(path: str, cwd: str) -> Problem | None:
    """
    What is wrong with the name of a file that has a colon in it: nobody reads it.
    """
    head, colon, tail = path.rpartition(":")
    if not colon or not os.path.lexists(os.path.join(cwd, path)):
        return None
    say = (
        f"this file is read for {path!r}, in its section [{tail}]: so uWSGI takes a colon;"
        " rename the file or directory with the colon"
    )
    return Problem(say, Origin(head, 0))


def _unread(errors: Sequence[Problem]) -> tuple[Problem, ...]:
    """
    Why not all has been read; of very much, the beginning.
    """
    why = "emperor-tyrant starts no vassal whose [emperor] its user cannot read to the end"
    return tuple(Problem(f"{why}: {each.message}", each.origin) for each in errors[:UNREAD_LIMIT])


def _asks(pair: Pair, keys: Collection[str]) -> bool:
    """
    Whether it is one of these, and stands in a section C{[emperor]}.
    """
    return pair.key in keys and pair.origin != COMMAND_LINE


def _domains(
    pairs: list[Pair], errors: list[Problem]
) -> tuple[tuple[Domain, ...], tuple[Problem, ...]]:
    asked = [pair for pair in pairs if _asks(pair, ("domain",))]
    # A file that cannot be read is uWSGI's to complain of, unless it is about
    # a section that uWSGI does not read.
    problems = errors if asked else []
    domains: dict[str, Domain] = {}
    for pair in asked:
        try:
            domain = parse_domain(pair.value)
            _check_place(domain, domains)
        except BadValue as error:
            problems.append(Problem(f"domain: {error}", pair.origin))
        else:
            domains[domain.key] = domain
    return tuple(domains.values()), tuple(problems)


def _values(
    pairs: list[Pair], keys: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Problem, ...]]:
    asked = [pair for pair in pairs if _asks(pair, keys)]
    refusals = [
        Problem(
            f"{pair.key}: {pair.value!r} has a reference or a * that leads nowhere", pair.origin
        )
        for pair in asked
        if any(sign in pair.value for sign in UNRESOLVED)
    ]
    return tuple((pair.key, pair.value) for pair in asked), tuple(refusals)


def _collected(pairs: list[Pair], keys: Sequence[str]) -> tuple[tuple[str, str], ...]:
    asked = [pair for pair in pairs if pair.key in keys and pair.origin != COMMAND_LINE]
    return tuple((pair.key, pair.value[:COLLECTED_LENGTH]) for pair in asked[:COLLECTED_LIMIT])


def _limits(pairs: list[Pair]) -> tuple[tuple[Limit, ...], tuple[Problem, ...]]:
    limits: list[Limit] = []
    refusals: list[Problem] = []
    for pair in pairs:
        if _asks(pair, LIMITS):
            try:
                limits.append(parse_limit(pair.key, pair.value))
            except BadValue as error:
                refusals.append(Problem(f"{pair.key}: {error}", pair.origin))
    return tuple(limits), tuple(refusals)


def section_pairs(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> tuple[list[Pair], list[Problem]]:
    """
    Every line of the section C{[emperor]} of a vassal's file and its templates,
    and what is wrong with them.  The rest is as for L{attributes}.
    """
    path = split_section(path)[0]
    there = replace(surroundings, cwd=cwd)
    sources = StaticSources(there)
    reader = reader_for(path, settings, there, config, section=SECTION, sources=sources)
    evaluator = Evaluator(there, reader, sources, careful=True)
    errors: list[Problem] = []
    for step in (partial(start, evaluator, path, settings, there, config), evaluator.finish):
        try:
            step()
        except ConfigurationError as error:
            errors += error.problems
    return evaluator.pairs, [*evaluator.problems, *errors]


def _check_place(domain: Domain, domains: Mapping[str, Domain]) -> None:
    if domain.key in domains:
        raise BadValue(f"{domain.key} is there already; the first one counts")
    if len(domains) >= DOMAIN_LIMIT:
        raise BadValue(f"a vassal has at most {DOMAIN_LIMIT} domains; {domain.key} is one more")


_BYTE = partial(number, highest=255)
_WEIGHT = partial(number, lowest=1, highest=1_000_000)

_WORDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "modifier1": ("modifier1", _BYTE),
    "modifier2": ("modifier2", _BYTE),
    "weight": ("weight", _WEIGHT),
    "backup": ("backup", _BYTE),
    "algo": ("algorithm", algorithm),
}


def parse_domain(text: str) -> Domain:
    """
    Read the value of C{domain}, of the form L{FORM}.

    @raise BadValue: it has another form.
    """
    if any(sign in text for sign in UNRESOLVED):
        raise BadValue(f"{text!r} has a reference or a * that leads nowhere")
    name, *rest = (part.strip() for part in text.split(","))
    values: dict[str, Any] = {}
    for part in rest:
        word, _, value = part.partition("=")
        if word not in _WORDS:
            raise BadValue(f"{part!r} in {text!r} is nothing known; accepted: {FORM}")
        field, parse = _WORDS[word]
        if field in values:
            raise BadValue(f"{word} comes twice in {text!r}")
        values[field] = parse(value)
    return Domain(key(name), **values)
