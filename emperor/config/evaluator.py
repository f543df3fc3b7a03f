"""
The order in which a configuration takes effect.

    1. Pairs are added one after the other.  Options that load files, set
       placeholders or open blocks act at once, so what they bring in stands
       where they stand.
    2. C{$(…)}, then C{@(…)}, then C{%(…)} are replaced in all values.
    3. C{inherit} appends its files at the end; no pass looks at those again.

Everything is bounded: the depth and number of files, the turns of a loop, the
length of a value, and by a L{Budget} the work as a whole.  A block ends in the
file in which it began.
"""

from __future__ import annotations

from dataclasses import replace

from emperor.config.arithmetic import evaluate
from emperor.config.errors import ConfigurationError, Problem, fault
from emperor.config.expand import expand
from emperor.config.ini import parse_ini
from emperor.config.logic import OPENERS, Block, Context, open_block
from emperor.config.pairs import CLOSERS, Budget, Pair
from emperor.config.reader import LOADERS, Parser, Read, Reader, parser_of, split_section
from emperor.config.settings import Origin
from emperor.config.sources import Sources
from emperor.config.surroundings import Surroundings

#: Files inside files inside files.
DEPTH_LIMIT = 16
FILES_LIMIT = 256

#: What a configuration of ours, and somebody else's, may read, copy and expand.
CHARACTERS = 8 * 1024 * 1024
CAREFUL_CHARACTERS = 512 * 1024

#: What a pair costs besides its characters.
_PAIR = 64

INCLUDES = frozenset({"include", "config"})
SETTERS = frozenset({"set", "set-placeholder", "set-ph"})


class Evaluator:
    """
    Collects the pairs of one configuration.

    @ivar pairs: all of them, in the order in which they count.
    @ivar notes: sentences for the log.
    @ivar problems: files that could not be read.
    @ivar used: every name that a placeholder asked for.
    """

    def __init__(
        self, surroundings: Surroundings, reader: Reader, sources: Sources, *, careful: bool = False
    ) -> None:
        """
        @param careful: the files are somebody else's: do nothing slow.
        """
        self._surroundings = surroundings
        self._reader = reader
        self._sources = sources
        self._careful = careful
        self._budget = Budget(CAREFUL_CHARACTERS if careful else CHARACTERS)
        self._files = self._depth = 0
        self._last_ini = ""
        self._block: Block | None = None
        self._first: dict[str, int] = {}
        self.pairs: list[Pair] = []
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.used: set[str] = set()

    def load(
        self, argument: str, parser: Parser, origin: Origin, *, template: bool = False
    ) -> None:
        """
        Add the pairs of a file.

        @param template: the file came by C{include} or C{inherit}.
        @raise ConfigurationError: it cannot be read or used.
        """
        self._files += 1
        if self._depth >= DEPTH_LIMIT or self._files > FILES_LIMIT:
            limits = f"at most {DEPTH_LIMIT} inside each other and {FILES_LIMIT} in all"
            raise fault(
                f"too many files at {argument} ({limits}); do they load each other?", origin
            )
        argument = self._complete(argument, parser)
        read = self._read(argument, parser, origin, template)
        if read is None:
            return
        self._budget.spend(read.size, origin)
        self.notes += read.notes
        self._depth += 1
        outer, self._block = self._block, None
        for pair in read.pairs:
            self.add(pair)
        self._close()
        self._block = outer
        self._depth -= 1

    def _read(self, argument: str, parser: Parser, origin: Origin, template: bool) -> Read | None:
        """
        Read a file; one that another file asks for may fail without keeping
        the rest from being looked at.
        """
        try:
            return self._reader.read(argument, parser, origin, template)
        except ConfigurationError as error:
            if not origin.line:
                raise
            for problem in error.problems:
                place = problem.origin if problem.origin.line else origin
                named = problem.message if problem.origin.line else str(problem)
                self.problems.append(Problem(named, place))
            return None

    def _complete(self, argument: str, parser: Parser) -> str:
        """
        C{ini = :section} means the ini file that was loaded last.
        """
        if parser is not parse_ini:
            return argument
        if argument.startswith(":"):
            return self._last_ini + argument
        self._last_ini = split_section(argument)[0]
        return argument

    def add(self, pair: Pair) -> None:
        """
        Take the next pair, in a block once for each of its turns.

        @raise ConfigurationError: it cannot be used here.
        """
        if self._block is None:
            self._take(pair)
        elif pair.key in OPENERS:
            raise fault(f"{pair.key} inside {self._block.name}: blocks do not nest", pair.origin)
        elif pair.key in CLOSERS:
            self._append(replace(pair, consumed=True))
            self._block = None
        elif pair.key == "else":
            self._block = self._block.otherwise(pair.origin)
        else:
            self._repeat(pair, self._block)

    def _repeat(self, pair: Pair, block: Block) -> None:
        for item in block.items:
            value = pair.value if item is None else pair.value.replace("%(_)", item)
            self._take(replace(pair, value=value))

    def _take(self, pair: Pair) -> None:
        key, value, origin = pair.key, pair.value, pair.origin
        immediate = key in OPENERS or key in LOADERS or key in INCLUDES or key in SETTERS
        self._append(replace(pair, consumed=True) if immediate else pair)
        if key in OPENERS:
            self._block = open_block(key, value, self._context(origin))
        elif key in LOADERS:
            self.load(value, LOADERS[key], origin)
        elif key in INCLUDES:
            self.load(value, parser_of(value, origin), origin, template=True)
        elif key in SETTERS:
            self._set(value, origin)
        elif key == "exit":
            raise fault(f"the configuration says exit = {value}", origin)

    def _append(self, pair: Pair) -> None:
        self._budget.spend(len(pair.key) + len(pair.value) + _PAIR, pair.origin)
        self._first.setdefault(pair.key, len(self.pairs))
        self.pairs.append(pair)

    def _set(self, value: str, origin: Origin) -> None:
        key, equals, value = value.partition("=")
        if not equals:
            raise fault(f"set = {key}: accepted is NAME=VALUE", origin)
        self.used.add(key)
        self._take(Pair(key, value, origin))

    def _context(self, origin: Origin) -> Context:
        return Context(
            surroundings=self._surroundings,
            first=self._named,
            careful=self._careful,
            origin=origin,
        )

    def _named(self, name: str) -> str | None:
        self.used.add(name)
        index = self._first.get(name)
        return None if index is None else self.pairs[index].value

    def finish(self) -> None:
        """
        Run the passes and append what is inherited.

        @raise ConfigurationError: a value or an inherited file is bad.
        """
        for symbol in "$@%":
            for index, pair in enumerate(self.pairs):
                if not pair.consumed:
                    self.pairs[index] = replace(pair, value=self._expand(pair, symbol))
        for pair in self.pairs:
            if pair.key == "inherit":
                parser = parser_of(pair.value, pair.origin)
                self.load(pair.value, parser, pair.origin, template=True)
            elif pair.key == "print":
                self.notes.append(pair.value)

    def _close(self) -> None:
        if self._block is not None:
            raise fault(
                f"{self._block.name} is never closed; add endif or endfor", self._block.origin
            )

    def _expand(self, pair: Pair, symbol: str) -> str:
        def lookup(name: str) -> str | None:
            if symbol == "$":
                return self._surroundings.environ.get(name)
            if symbol == "@":
                return self._sources.read(name, pair.origin)
            return evaluate(name, self._named) if " " in name else self._named(name)

        return expand(pair.value, symbol, lookup, self._budget, pair.origin)
