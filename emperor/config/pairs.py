"""
The common model of all formats: an ordered list of texts, repeats kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.config.errors import Hopeless, Problem
from emperor.config.settings import Origin

#: Sections that are chosen when nobody names one, the first that exists.
DEFAULT_SECTIONS = ("uwsgi", "emperor")

#: What ends a block of the configuration logic; each of them ends any block.
CLOSERS = frozenset({"end", "endif", "end-if", "endfor", "end-for"})

NEEDS_EXTRA = "needs a library that is not installed: pip install txemperor[formats]"


@dataclass(frozen=True, slots=True)
class Pair:
    """
    One option as written.

    @ivar consumed: it did its work while the files were read (C{include},
        C{set}, C{if-env} …); its value is not expanded any more.
    """

    key: str
    value: str
    origin: Origin
    consumed: bool = False


class Budget:
    """
    How much text one configuration may read, copy and expand, so that a
    loop in it ends in an error and not in a program that never starts.
    """

    def __init__(self, characters: int) -> None:
        self._left = characters

    def spend(self, characters: int, origin: Origin) -> None:
        """
        Take C{characters} off.

        @raise Hopeless: nothing is left.
        """
        self._left -= characters
        if self._left < 0:
            say = (
                "the configuration is too large or grows without end;"
                " look for a value or file that names itself"
            )
            raise Hopeless([Problem(say, origin)])
