"""
Blocks: C{for…} and C{if…} up to their C{endfor} or C{endif}.

A block is the list of texts that C{%(_)} stands for in it.  Every line of the
block is read once for each of them, so a condition that does not hold is a
loop over nothing.  Blocks do not nest.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from emperor.config.arithmetic import integer
from emperor.config.errors import fault
from emperor.config.settings import Origin
from emperor.config.sources import read_regular
from emperor.config.surroundings import Surroundings
from emperor.identity import reading_as

#: Times that one loop may run.
LOOP_LIMIT = 10_000

#: What the program has built in, for C{if-plugin}.
_PLUGINS = frozenset({"corerouter", "http", "fastrouter", "router_uwsgi"})

#: What C{%(_)} stands for, once for each turn; L{None} leaves it as written.
Items = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    What a condition or loop can ask.

    @ivar first: the first value of an option read so far.
    @ivar careful: somebody else's file: refuse what can take long.
    """

    surroundings: Surroundings
    first: Callable[[str], str | None]
    careful: bool
    origin: Origin

    def path(self, name: str) -> str:
        """
        A file name as the process sees it.
        """
        return os.path.join(self.surroundings.cwd, name)

    def slow(self, what: str) -> None:
        """
        Stop here if the file is somebody else's.

        @raise ConfigurationError: it is.
        """
        if self.careful:
            raise fault(f"{what} is not followed in a vassal's file", self.origin)


def _matches(pattern: str, context: Context) -> bool:
    context.slow("if-hostname-match")
    try:
        return re.search(pattern, context.surroundings.hostname, re.ASCII) is not None
    except (re.error, OverflowError, RecursionError) as error:
        raise fault(f"{pattern!r} is no regular expression: {error}", context.origin) from error


def _readable(value: str, context: Context) -> bool:
    # Root's own rights count for access(2), unless it is asked for the effective ones.
    effective = context.surroundings.reads_as is not None
    path = context.path(value)
    return "\0" not in value and os.access(path, os.R_OK, effective_ids=effective)


#: Conditions that hold or not; in their block C{%(_)} is what was asked about.
_TESTS: dict[str, Callable[[str, Context], bool]] = {
    "exists": _readable,
    "file": lambda value, context: os.path.isfile(context.path(value)),
    "dir": lambda value, context: os.path.isdir(context.path(value)),
    "directory": lambda value, context: os.path.isdir(context.path(value)),
    "plugin": lambda value, context: value in _PLUGINS,
    "hostname": lambda value, context: value == context.surroundings.hostname,
    "hostname-match": _matches,
}

#: Conditions on C{NAME} or C{NAME=VALUE}; in their block C{%(_)} is the value.
_LOOKUPS: dict[str, Callable[[str, Context], str | None]] = {
    "env": lambda name, context: context.surroundings.environ.get(name),
    "opt": lambda name, context: context.first(name),
}

Opener = Callable[[str, Context], Items]


def _test(name: str, wanted: bool) -> Opener:
    def items(value: str, context: Context) -> Items:
        try:
            with reading_as(context.surroundings.reads_as):
                return (value,) if _TESTS[name](value, context) is wanted else ()
        except OSError as error:
            raise fault(f"if-{name} = {value}: {error.strerror}", context.origin) from error

    return items


def _lookup(name: str, wanted: bool) -> Opener:
    def items(value: str, context: Context) -> Items:
        variable, separator, expected = value.partition("=")
        found = _LOOKUPS[name](variable, context)
        holds = found is not None and (not separator or found == expected)
        if holds is not wanted:
            return ()
        return (found if wanted else None,)

    return items


def _for(value: str, context: Context) -> Items:
    return tuple(item for item in value.split(" ") if item)


def _for_glob(value: str, context: Context) -> Items:
    context.slow("for-glob")
    cwd = context.surroundings.cwd
    try:
        found = sorted(glob.glob(value, root_dir=cwd))
    except (ValueError, re.error):
        found = []
    marked = (name + "/" if os.path.isdir(context.path(name)) else name for name in found)
    return tuple(marked) or (value,)


def _for_times(value: str, context: Context) -> Items:
    times = integer(value)
    if times > LOOP_LIMIT:
        raise fault(f"for-times = {value}: at most {LOOP_LIMIT}", context.origin)
    return tuple(str(number) for number in range(1, times + 1))


def _for_readline(value: str, context: Context) -> Items:
    context.slow("for-readline")
    text = read_regular(context.path(value), context.origin)[0].decode("utf-8", "surrogateescape")
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


def _openers() -> dict[str, Opener]:
    table: dict[str, Opener] = {
        "for": _for,
        "for-glob": _for_glob,
        "for-times": _for_times,
        "for-readline": _for_readline,
        "if-reload": lambda value, context: (),
        "if-not-reload": lambda value, context: (None,),
    }
    for names, maker in ((_TESTS, _test), (_LOOKUPS, _lookup)):
        for name in names:
            table[f"if-{name}"] = maker(name, True)
            table[f"if-not-{name}"] = maker(name, False)
    for name in ("env", "exists", "dir", "plugin"):
        table[f"if{name}"] = table[f"if-{name}"]
    return table


#: Every word that opens a block.
OPENERS = _openers()


@dataclass(frozen=True, slots=True)
class Block:
    """
    An open block.

    @ivar name: the word that opened it.
    @ivar items: what its lines are still read for.
    @ivar inner: blocks that were opened in it, which must not be; each of them has
        an end of its own, and of all of them nothing is read.
    """

    name: str
    items: Items
    origin: Origin
    inner: int = 0

    def otherwise(self, origin: Origin) -> Block:
        """
        The block after C{else}.

        @raise ConfigurationError: it is a loop.
        """
        if self.inner:
            return self
        if self.name.startswith("for"):
            raise fault(f"else belongs to an if, not to {self.name}", origin)
        return Block(self.name, () if self.items else (None,), self.origin)

    def deeper(self, levels: int = 1) -> Block:
        """
        The block with so many more in it.
        """
        return Block(self.name, (), self.origin, self.inner + levels)


def open_block(name: str, value: str, context: Context) -> Block:
    """
    Begin a block.

    @raise ConfigurationError: its value is bad, or asks for too much.
    """
    items = OPENERS[name](value, context)
    if len(items) > LOOP_LIMIT:
        raise fault(f"{name} has {len(items)} turns; at most {LOOP_LIMIT}", context.origin)
    return Block(name, items, context.origin)
