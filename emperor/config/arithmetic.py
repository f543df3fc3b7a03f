"""
Sums between the parentheses of a placeholder: C{%(workers * 2 + 1)}.

Strictly from left to right, no precedence, 64 bits.  Two operands without an
operator between them are put together as text: with C{a = 1},
C{%(a a)} is C{11}.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_NUMBER = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_LARGEST = 2**63 - 1


def integer(text: str) -> int:
    """
    The number a text begins with, as C's C{strtol}: 0 for none.
    """
    match = _NUMBER.match(text)
    if match is None:
        return 0
    digits = match[1].lstrip("+-").lstrip("0")[:20] or "0"
    sign = -1 if match[1].startswith("-") else 1
    return max(-_LARGEST - 1, min(_LARGEST, sign * int(digits)))


def _wrapped(number: int) -> str:
    return str((number + 2**63) % 2**64 - 2**63)


def _divide(left: int, right: int) -> int:
    if right == 0:
        return 0
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_BINARY: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}
_STEPS = {"++": 1, "--": -1}


def evaluate(expression: str, lookup: Callable[[str], str | None]) -> str | None:
    """
    Work an expression out; words that C{lookup} does not know are empty.

    @return: or L{None}: it has no operand.
    """
    result: str | None = None
    pending: Callable[[int, int], int] | None = None
    for token in filter(None, expression.split(" ")):
        if token in _BINARY:
            pending = _BINARY[token]
        elif token in _STEPS:
            if result is not None:
                result = _wrapped(integer(result) + _STEPS[token])
                pending = None
        else:
            operand = token if token.isascii() and token.isdecimal() else lookup(token) or ""
            if pending is None:
                result = (result or "") + operand
            else:
                result = _wrapped(pending(integer(result or ""), integer(operand)))
                pending = None
    return result
