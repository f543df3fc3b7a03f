"""
The passes over the collected pairs: C{$(ENV)}, C{@(source)}, C{%(placeholder)}.

Each pass looks at every value from the left.  After a replacement the value is
looked at again from its second character on, so a reference that a
replacement brings in is replaced too, except at the very beginning; that is
uWSGI's rule.  A reference that names nothing stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from emperor.config.errors import fault
from emperor.config.pairs import Budget
from emperor.config.settings import Origin

#: Characters that one value may grow to.
VALUE_LIMIT = 64 * 1024

#: What a reference stands for, or L{None}: leave it.
Lookup = Callable[[str], str | None]

_TOKENS = {symbol: re.compile(rf"\{symbol}\(|[{symbol}()]") for symbol in "$@%"}


def references(value: str, symbol: str, start: int = 0) -> tuple[int, int] | None:
    """
    Find the next complete reference; of nested ones, the inner.

    @return: where it begins and ends, or L{None}: there is none.
    """
    begin = depth = 0
    for token in _TOKENS[symbol].finditer(value, start):
        text = token[0]
        if text[0] == symbol:
            begin, depth = token.start(), len(text) - 1
        elif depth:
            depth += 1 if text == "(" else -1
            if not depth:
                return begin, token.end()
    return None


def expand(value: str, symbol: str, lookup: Lookup, budget: Budget, origin: Origin) -> str:
    """
    Replace every reference of one kind.

    @raise ConfigurationError: the value grows without end.
    """
    span = references(value, symbol)
    while span is not None:
        begin, end = span
        replacement = lookup(value[begin + 2 : end - 1])
        start = end
        if replacement is not None:
            value = value[:begin] + replacement + value[end:]
            start = 1
        budget.spend(len(value), origin)
        if len(value) > VALUE_LIMIT:
            message = f"the value grows over {VALUE_LIMIT} characters; does it name itself?"
            raise fault(message, origin)
        span = references(value, symbol, start)
    return value
