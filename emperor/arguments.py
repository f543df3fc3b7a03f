"""
What of a configuration can be given on the command line: every option, and the
words with which an Emperor gives its vassals files and values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile

from twisted.python import usage

from emperor.config.classify import refusal
from emperor.config.errors import Problem
from emperor.config.evaluator import SETTERS
from emperor.config.loading import COMMAND_LINE
from emperor.config.options import OPTIONS, Kind, Option
from emperor.config.pairs import Pair
from emperor.config.reader import LOADERS

#: Words that act where they stand, and what they are followed by.
_WORDS = {
    **dict.fromkeys(sorted(LOADERS), "A file to read here."),
    **dict.fromkeys(sorted(SETTERS), "NAME=VALUE: an option or a placeholder."),
    "include": "A template to include here.",
    "inherit": "A template to inherit after everything else.",
}


class Arguments(usage.Options):
    """
    Collects what is given.

    @ivar written: in its order.
    """

    def __init__(self) -> None:
        self.written: list[Pair] = []
        super().__init__()  # type: ignore[no-untyped-call]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Read the arguments.

        @raise SystemExit: one of them is refused; the text says why.
        """
        if problems := refusals(options or ()):
            raise SystemExit("\n".join(map(str, problems)))
        super().parseOptions(options)  # type: ignore[no-untyped-call]


def methods() -> Iterator[tuple[str, Callable[..., None]]]:
    """
    The methods by which L{twisted.python.usage.Options} hears of them, with their
    names.
    """
    for word, help in _WORDS.items():
        yield _method_name(word), _with_value(word, help)
    for option in OPTIONS:
        for name in option.names:
            yield _method_name(name), _of_option(option)


def refusals(words: Iterable[str]) -> list[Problem]:
    """
    What is wrong with arguments that a file could not have either.  The parser would
    only say that it does not know them, or take one for a short form of another.
    """
    long = (word for word in takewhile(lambda word: word != "--", words) if word[:2] == "--")
    said = (refusal(word[2:].partition("=")[0]) for word in long)
    return [Problem(why, COMMAND_LINE) for why in said if why]


def _method_name(word: str) -> str:
    return f"opt_{word.replace('-', '_')}"


def _of_option(option: Option) -> Callable[..., None]:
    help = option.help + (f" [default: {option.default}]" if option.default else "")
    if option.kind is not Kind.FLAG:
        return _with_value(option.name, help)

    def take_flag(self: Arguments) -> None:
        self.written.append(Pair(option.name, "", COMMAND_LINE))

    take_flag.__doc__ = help
    return take_flag


def _with_value(name: str, help: str) -> Callable[..., None]:
    def take(self: Arguments, value: str) -> None:
        self.written.append(Pair(name, value, COMMAND_LINE))

    take.__doc__ = help
    return take
