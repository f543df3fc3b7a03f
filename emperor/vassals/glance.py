"""
What a vassal's file says, for all who ask in the same moment.

A start asks it twice, before and after the fork, and to read and evaluate the file
takes a good part of a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

from emperor.vassals.spec import VassalSpec

Said = TypeVar("Said")

#: Seconds after which a file is read again.
MOMENT = 0.02


class Glance(Generic[Said]):
    """
    Remembers the last answer for a moment.

    A vassal whose file has changed has another spec, and so another answer: what may
    be old is what changes without one, such as a template.
    """

    def __init__(self, clock: IReactorTime, read: Callable[[VassalSpec], Said]) -> None:
        """
        @param read: what the file of a vassal says.
        """
        self._clock = clock
        self._read = read
        self._last: tuple[float, VassalSpec, Said] | None = None

    def at(self, spec: VassalSpec) -> Said:
        """
        What the file of this vassal says.
        """
        now = self._clock.seconds()
        if self._last is not None:
            when, known, said = self._last
            if known is spec and now - when < MOMENT:
                return said
        said = self._read(spec)
        self._last = (now, spec, said)
        return said
