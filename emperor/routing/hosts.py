"""
The C{route-host} rules: the first pattern found in the host decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emperor.config.settings import HostRule
from emperor.routing.patterns import pattern_set

_CAPTURE = re.compile(r"\$([0-9])")
_LITERAL = re.compile(r"\^((?:[A-Za-z0-9_-]|\\[.-])+)\$")

#: From an escaped dot to the end, nothing but plain characters.
_ENDING = re.compile(r"(?<!\\)(\\\.(?:[A-Za-z0-9_-]|\\[.-])*)\$$")

#: Flags, look-arounds and the like: everything but C{(?:} and C{(?P<name>}.
_SPECIAL_GROUP = re.compile(r"\(\?(?!:|P<)")


class HostRules:
    """
    Rules in the order of the configuration, found without trying each.

    Most patterns stand for one host, or end in a fixed domain.  These are
    found by what the host is or ends in; only the others are tried one after
    the other.  Whatever finds a rule, its own pattern decides, and the first
    of all rules whose pattern is found wins.
    """

    def __init__(self, rules: Sequence[HostRule]) -> None:
        self._rules = tuple(rules)
        self._by_ending: dict[str, list[int]] = {}
        others: list[int] = []
        for number, rule in enumerate(self._rules):
            ending = fixed_ending(rule.pattern.pattern)
            if ending:
                self._by_ending.setdefault(ending, []).append(number)
            else:
                others.append(number)
        self._other_numbers = tuple(others)
        self._others = pattern_set([self._rules[number].pattern for number in others])

    def find(self, host: str) -> tuple[HostRule, re.Match[str]] | None:
        """
        The first rule whose pattern is found in C{host}, and where.
        """
        first, match = len(self._rules), None
        for numbers in self._candidates(host):
            for number in numbers:
                if number >= first:
                    break
                found = self._rules[number].pattern.search(host)
                if found is not None:
                    first, match = number, found
                    break
        return None if match is None else (self._rules[first], match)

    def _candidates(self, host: str) -> Iterator[Sequence[int]]:
        """
        Ascending numbers of rules that may match.
        """
        lower = host.lower()
        yield self._by_ending.get(lower, ())
        dot = lower.find(".")
        while dot >= 0:
            yield self._by_ending.get(lower[dot:], ())
            dot = lower.find(".", dot + 1)
        yield [self._other_numbers[index] for index in self._others(host)]


def literal_host(pattern: str) -> str:
    """
    The one host that a pattern stands for, C{^www\\.example\\.com$}.

    @return: empty: it stands for several.
    """
    match = _LITERAL.fullmatch(pattern)
    return "" if match is None else match[1].replace("\\", "")


def fixed_ending(pattern: str) -> str:
    """
    What every host that C{pattern} is found in is or ends in, in lower case:
    a host, or a domain with a dot before it.

    @return: empty: there is none, or it cannot be told at a glance.
    """
    literal = literal_host(pattern)
    if literal:
        return literal.lower()
    if "|" in pattern or _SPECIAL_GROUP.search(pattern):
        return ""
    match = _ENDING.search(pattern)
    return "" if match is None else match[1].replace("\\", "").lower()


def captures(template: str, match: re.Match[str]) -> tuple[str, ...]:
    """
    The captures that C{template} uses; an unused group gives an empty text.
    """
    return tuple(_capture(match, int(digit)) for digit in _CAPTURE.findall(template))


def fill(template: str, match: re.Match[str]) -> str:
    """
    Put the captures where C{$0} to C{$9} stand.
    """
    return _CAPTURE.sub(lambda found: _capture(match, int(found[1])), template)


def _capture(match: re.Match[str], number: int) -> str:
    """
    @return: empty also for a group that the pattern does not have.
    """
    return match[number] or "" if number <= match.re.groups else ""
