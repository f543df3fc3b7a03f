"""
A configuration file read into settings: the way in for the rest of the program.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.config.builder import build
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


def load(path: str, surroundings: Surroundings) -> Loaded:
    """
    Read a configuration.

    @param path: C{FILE} or C{FILE:SECTION}; the extension chooses the format.
    @raise ConfigurationError: with every problem that could be found.
    """
    evaluator = evaluate_file(path, surroundings)
    settings = build(evaluator.pairs, evaluator.used, evaluator.notes)
    return Loaded(settings, tuple(evaluator.pairs))


def evaluate_file(path: str, surroundings: Surroundings) -> Evaluator:
    """
    Read the pairs of a configuration and do not ask what they mean.

    @raise ConfigurationError: a file cannot be read or used.
    """
    sources = Sources(surroundings)
    evaluator = Evaluator(surroundings, Reader(surroundings, sources), sources)
    evaluator.load(path, parser_of(path, COMMAND_LINE), COMMAND_LINE)
    evaluator.finish()
    return evaluator
