"""
Values taken out of the options that were written.

Scalars: the last one counts.  Lists: each one is appended.  All problems are
collected, so that one start shows all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from emperor.addresses import BadAddress
from emperor.config import values
from emperor.config.classify import Classified
from emperor.config.errors import Problem
from emperor.config.options import BY_NAME
from emperor.config.pairs import Pair

T = TypeVar("T")


class Taker:
    """
    Takes values out of the classified pairs and notes what is wrong.

    @ivar options: the pairs of each option, under its name, in order.
    @ivar instance: the pairs for the uWSGI of our own file.
    @ivar notes: sentences for the log.
    """

    def __init__(self, classified: Classified, *, certain: bool = True) -> None:
        """
        @param certain: the pairs are all that there are.
        """
        self.certain = certain
        self.options = classified.options
        self.instance = classified.instance
        self.problems = classified.problems
        self.notes = classified.notes

    def read(self, pair: Pair, parse: Callable[[str], T]) -> tuple[T, ...]:
        """
        The value of a pair, or nothing and a problem.
        """
        try:
            return (parse(pair.value),)
        except (values.BadValue, BadAddress) as error:
            self.complain(pair, str(error))
            return ()

    def complain(self, pair: Pair, message: str) -> None:
        """
        Note that a pair must be put right.
        """
        self.problems.append(Problem(f"{pair.key}: {message}", pair.origin))

    def miss(self, pair: Pair, message: str) -> None:
        """
        Note that a pair needs another one that is not there, unless it may be among
        those that could not be read.
        """
        if self.certain:
            self.complain(pair, message)

    def many(self, name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """
        All values of an option.
        """
        pairs = self.options.get(name, [])
        return tuple(value for pair in pairs for value in self.read(pair, parse))

    def one(self, name: str, parse: Callable[[str], T], absent: T) -> T:
        """
        The last value of an option.
        """
        return (absent, *self.many(name, parse))[-1]

    def default(self, name: str, parse: Callable[[str], T]) -> T:
        """
        The last value of an option, or the one of the table.
        """
        return self.one(name, parse, parse(BY_NAME[name].default))

    def flag(self, name: str) -> bool:
        """
        Whether an option is on.
        """
        return self.default(name, values.flag)
