"""
A configuration file read into settings: the way in for the rest of the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emperor.config.builder import build
from emperor.config.errors import ConfigurationError, all_of
from emperor.config.evaluator import Evaluator
from emperor.config.pairs import Pair
from emperor.config.reader import Reader, parser_of
from emperor.config.settings import Origin, Settings
from emperor.config.sources import Sources
from emperor.config.surroundings import Surroundings

COMMAND_LINE = Origin("command line", 0)


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    A configuration that can be used.

    @ivar pairs: what it says after all replacements, in order.
    """

    settings: Settings
    pairs: tuple[Pair, ...]


def load(path: str | None, surroundings: Surroundings, command_line: Iterable[Pair] = ()) -> Loaded:
    """
    Read a configuration.

    @param path: C{FILE} or C{FILE:SECTION}; the extension chooses the format.
        L{None}: there is only the command line.
    @param command_line: options given there, which come after those of the
        file, so that they win.
    @raise ConfigurationError: with every problem that could be found.
    """
    evaluator = evaluate_file(path, surroundings, command_line)
    settings = build(
        evaluator.known,
        evaluator.used,
        evaluator.notes,
        evaluator.problems,
        whole=evaluator.whole,
    )
    return Loaded(settings, tuple(evaluator.pairs))


def evaluate_file(
    path: str | None, surroundings: Surroundings, command_line: Iterable[Pair] = ()
) -> Evaluator:
    """
    Read the pairs of a configuration and do not ask what they mean.

    @return: it has found what is wrong.
    @raise ConfigurationError: the file itself cannot be read, or nothing can be made
        of it.
    """
    sources = Sources(surroundings)
    evaluator = Evaluator(surroundings, Reader(surroundings, sources), sources)
    try:
        if path is not None:
            evaluator.load(path, parser_of(path, COMMAND_LINE), COMMAND_LINE)
        for pair in command_line:
            evaluator.add(pair)
        evaluator.finish()
    except ConfigurationError as error:
        raise all_of({*evaluator.problems, *error.problems}) from error
    return evaluator
