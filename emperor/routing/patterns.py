"""
Many patterns that have nothing in common, tried at once.

google-re2 (the extra C{re2}) finds all that match in one pass over the host.
Without it, and for patterns that it does not know, they are tried in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

#: Below this many, trying them one after the other is as fast.
WORTH_WHILE = 16

#: Bytes that a compiled set may take; at re2's own limit 5,000 patterns fail.
MEMORY = 256 * 1024 * 1024

#: From a host to the numbers of the patterns that may be found in it, ascending.
PatternSet = Callable[[str], Sequence[int]]


def pattern_set(patterns: Sequence[re.Pattern[str]]) -> PatternSet:
    """
    The quickest way to tell which of C{patterns} may be found in a host.
    """
    everything = range(len(patterns))
    if len(patterns) < WORTH_WHILE:
        return lambda host: everything
    try:
        import re2  # noqa: PLC0415 - an extra
    except ImportError:
        return lambda host: everything
    return _re2_set(re2, patterns)


def _re2_set(re2: Any, patterns: Sequence[re.Pattern[str]]) -> PatternSet:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    known = re2.Set.SearchSet(options)
    numbers: list[int] = []
    unknown: list[int] = []
    for number, pattern in enumerate(patterns):
        flags = "(?i)" if pattern.flags & re.IGNORECASE else ""
        try:
            known.Add(flags + pattern.pattern)
            numbers.append(number)
        except re2.error:
            unknown.append(number)
    known.Compile()

    def find(host: str) -> Sequence[int]:
        return sorted([*unknown, *(numbers[index] for index in known.Match(host) or ())])

    return find
