"""
What is wrong with a configuration, and where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from emperor.config.settings import Origin


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that must be put right before the program can start.

    @ivar message: what is wrong and what is accepted instead.
    """

    message: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}"


class ConfigurationError(Exception):
    """
    The administrator's configuration cannot be used.

    @ivar problems: everything that was found, by file and line.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Hopeless(ConfigurationError):
    """
    Nothing that comes after it can be looked at.
    """


def all_of(problems: Iterable[Problem]) -> ConfigurationError:
    """
    The error of several problems, in the order of files and lines.
    """
    return ConfigurationError(sorted(problems, key=attrgetter("origin.file", "origin.line")))


def fault(message: str, origin: Origin) -> ConfigurationError:
    """
    The error of one problem that nothing can be read past.
    """
    return ConfigurationError([Problem(message, origin)])
