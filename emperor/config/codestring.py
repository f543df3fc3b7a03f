"""
C{MODIFIER1:FILE:FUNCTION} read into settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.config.values import BadValue


@dataclass(frozen=True, slots=True)
class CodeSource:
    """
    A Python function that tells a key's node.

    @ivar path: of the file with it.
    @ivar function: its name.
    @ivar timeout: seconds in which a slow one must have answered.
    @ivar waiting: requests that may wait for answers at a time.
    """

    path: str
    function: str
    timeout: float = 5.0
    waiting: int = 1000

    def __str__(self) -> str:
        return f"{self.function}() of {self.path}"


def parse_code_string(text: str, timeout: float = 5.0) -> CodeSource:
    """
    Read what C{use-code-string} says.

    @raise BadValue: a part is missing, or the language is not Python.
    """
    modifier, _, rest = text.partition(":")
    path, _, function = rest.rpartition(":")
    if not (modifier and path and function):
        raise BadValue(f"{text!r} names no function; accepted: 0:FILE:FUNCTION")
    if modifier != "0":
        raise BadValue(f"{text!r} wants the language {modifier}; only Python is known, which is 0")
    if not function.isidentifier():
        raise BadValue(f"{function!r} in {text!r} is no name of a function")
    return CodeSource(path, function, timeout)
