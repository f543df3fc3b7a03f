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

A line that cannot be used does not keep the others from being looked at, so that
all problems can be told at once.  What depends on such a line is not judged.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from emperor.config.arithmetic import evaluate
from emperor.config.errors import ConfigurationError, Hopeless, Problem, fault
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
    @ivar problems: lines and files that cannot be used.
    @ivar used: every name that a placeholder asked for.
    @ivar whole: whether every line was read that would be, without the problems.
    """

    def __init__(
        self, surroundings: Surroundings, reader: Reader, sources: Sources, *, careful: bool = False
    ) -> None:
        """
        @param careful: the files are somebody else's: do nothing slow, and look no
            further than the first line that cannot be used.
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
        self.whole = True
        # Places of pairs whose values cannot be known.
        self._obscure: set[int] = set()

    @property
    def known(self) -> list[Pair]:
        """
        The pairs whose values can be judged.
        """
        return [pair for index, pair in enumerate(self.pairs) if index not in self._obscure]

    def load(
        self, argument: str, parser: Parser, origin: Origin, *, template: bool = False
    ) -> None:
        """
        Add the pairs of a file.

        @param template: the file came by C{include} or C{inherit}.
        @raise ConfigurationError: it cannot be read or used.
        @raise Hopeless: the configuration has no end.
        """
        self._files += 1
        if self._depth >= DEPTH_LIMIT or self._files > FILES_LIMIT:
            limits = f"at most {DEPTH_LIMIT} inside each other and {FILES_LIMIT} in all"
            say = f"too many files at {argument} ({limits}); do they load each other?"
            raise Hopeless([Problem(say, origin)])
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
            self.whole = False
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
        Take the next pair, in a block once for each of its turns; if it cannot be
        used here, that is a problem.

        @raise Hopeless: nothing after it can be used.
        """
        try:
            if self._block is None:
                self._take(pair)
            else:
                self._put(pair, self._block)
        except ConfigurationError as error:
            self.whole = False
            self._note(error)

    def _note(self, error: ConfigurationError) -> None:
        if self._careful or isinstance(error, Hopeless):
            raise error
        self.problems += error.problems

    def _put(self, pair: Pair, block: Block) -> None:
        """
        Take a pair that stands in a block.
        """
        if pair.key in OPENERS:
            self._block = block.deeper()
            raise fault(f"{pair.key} inside {block.name}: blocks do not nest", pair.origin)
        if pair.key in CLOSERS:
            self._append(replace(pair, consumed=True))
            self._block = block.deeper(-1) if block.inner else None
        elif pair.key == "else":
            self._block = block.otherwise(pair.origin)
        else:
            self._repeat(pair, block)

    def _repeat(self, pair: Pair, block: Block) -> None:
        for item in block.items:
            value = pair.value if item is None else pair.value.replace("%(_)", item)
            self._take(replace(pair, value=value))

    def _take(self, pair: Pair) -> None:
        key, value, origin = pair.key, pair.value, pair.origin
        immediate = key in OPENERS or key in LOADERS or key in INCLUDES or key in SETTERS
        self._append(replace(pair, consumed=True) if immediate else pair)
        if key in OPENERS:
            self._block = Block(key, (), origin)  # should the next line fail
            self._block = open_block(key, value, self._context(origin))
        elif key in LOADERS:
            self.load(value, LOADERS[key], origin)
        elif key in INCLUDES:
            self.load(value, parser_of(value, origin), origin, template=True)
        elif key in SETTERS:
            self._set(value, origin)
        elif key == "exit":
            raise Hopeless([Problem(f"the configuration says exit = {value}", origin)])

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

        @raise Hopeless: it has no end.
        """
        for symbol in "$@%":
            for index, pair in enumerate(self.pairs):
                if not pair.consumed:
                    self._pass(index, pair, symbol)
        for index, pair in enumerate(self.pairs):
            if pair.key == "inherit":
                self._inherit(index, pair)
            elif pair.key == "print":
                self.notes.append(pair.value)

    def _inherit(self, index: int, pair: Pair) -> None:
        if index in self._obscure:
            self.whole = False
            return
        try:
            self.load(pair.value, parser_of(pair.value, pair.origin), pair.origin, template=True)
        except ConfigurationError as error:
            self.whole = False
            self._note(error)

    def _close(self) -> None:
        block = self._block
        if block is None or block.inner:  # of inner ones the problem is told
            return
        say = f"{block.name} is never closed; add endif or endfor"
        if not block.items:
            say += " (the lines after it were not looked at)"
        self.whole = False
        self._note(fault(say, block.origin))

    def _pass(self, index: int, pair: Pair, symbol: str) -> None:
        """
        Replace the references of one kind in the pair at a place.
        """

        def lookup(name: str) -> str | None:
            try:
                return self._look_up(name, index, symbol)
            except ConfigurationError as error:
                self._fail(index, error)
                return None

        try:
            value = expand(pair.value, symbol, lookup, self._budget, pair.origin)
        except ConfigurationError as error:
            self._fail(index, error)
        else:
            self.pairs[index] = replace(pair, value=value)

    def _fail(self, index: int, error: ConfigurationError) -> None:
        self._obscure.add(index)
        self._note(error)

    def _look_up(self, name: str, index: int, symbol: str) -> str | None:
        if symbol == "$":
            return self._surroundings.environ.get(name)
        if symbol == "@":
            return self._sources.read(name, self.pairs[index].origin)
        placeholder = partial(self._placeholder, index)
        return evaluate(name, placeholder) if " " in name else placeholder(name)

    def _placeholder(self, index: int, name: str) -> str | None:
        """
        What a name stands for in the pair at a place, which cannot be judged where
        the name's own value cannot be known.
        """
        found = self._named(name)
        if (not self.whole) if found is None else self._first[name] in self._obscure:
            self._obscure.add(index)
        return found
