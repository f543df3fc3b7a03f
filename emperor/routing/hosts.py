"""
The C{route-host} rules: the first pattern found in the host decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emperor.config.settings import HostRule

_CAPTURE = re.compile(r"\$([0-9])")


class HostRules:
    """
    Rules in the order of the configuration.
    """

    def __init__(self, rules: Sequence[HostRule]) -> None:
        self._rules = tuple(rules)

    def find(self, host: str) -> tuple[HostRule, re.Match[str]] | None:
        """
        The first rule whose pattern is found in C{host}, and where.
        """
        for rule in self._rules:
            match = rule.pattern.search(host)
            if match is not None:
                return rule, match
        return None


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
