"""
What a store said of keys, for a time and within bounds.

Two bounds, not one: whoever asks for made-up hosts fills the one for unknown
keys, and cannot push out what is known.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from emperor.routing.mapping import MapperBroken
from emperor.routing.pools import Pool


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What is known of one key.

    @ivar pool: L{None}: the key is unknown, or its value is broken.
    @ivar text: what the store said.
    @ivar trouble: what is wrong with it; empty if nothing is.
    """

    pool: Pool | None = None
    text: bytes = b""
    trouble: str = ""

    def answer(self) -> Pool | None:
        """
        The pool, or L{None} for a key that is unknown.

        @raise MapperBroken: the value makes no sense.
        """
        if self.trouble:
            raise MapperBroken(self.trouble)
        return self.pool


@dataclass(frozen=True, slots=True)
class _Entry:
    outcome: Outcome
    until: float
    generation: int


class Memory:
    """
    The least recently used keys are forgotten first.

    @ivar generation: how often everything was doubted; goes with a question, so
        that its answer is no fresher than it.
    """

    def __init__(self, size: int, ttl: float, negative_ttl: float) -> None:
        """
        @param size: keys that are known, and again as many that are not.
        @param ttl: seconds for which a pool counts.
        @param negative_ttl: seconds for which an unknown key, or a broken
            value, counts.
        """
        self._size = size
        self._ttl = ttl
        self._negative_ttl = negative_ttl
        self._known: OrderedDict[str, _Entry] = OrderedDict()
        self._unknown: OrderedDict[str, _Entry] = OrderedDict()
        self.generation = 0

    def fresh(self, key: str, now: float) -> Outcome | None:
        """
        What counts now.

        @return: L{None}: the store must be asked.
        """
        for entries in (self._known, self._unknown):
            entry = entries.get(key)
            if entry is not None:
                if now >= entry.until or entry.generation != self.generation:
                    return None
                entries.move_to_end(key)
                return entry.outcome
        return None

    def last(self, key: str) -> Outcome | None:
        """
        The last pool for a key, however old; to be used when nobody can be
        asked.  A key that had none then may have one now, so that is no answer.
        """
        entry = self._known.get(key)
        return entry.outcome if entry else None

    def put(self, key: str, outcome: Outcome, now: float, generation: int) -> None:
        """
        Remember what the store said just now.

        @param generation: that of when it was asked.
        """
        self.forget(key)
        known = outcome.pool is not None
        entries = self._known if known else self._unknown
        ttl = self._ttl if known else self._negative_ttl
        entries[key] = _Entry(outcome, now + ttl, generation)
        if len(entries) > self._size:
            entries.popitem(last=False)

    def forget(self, key: str) -> None:
        """
        This key has changed.
        """
        self._known.pop(key, None)
        self._unknown.pop(key, None)

    def forget_all(self) -> None:
        """
        Every key may have changed.
        """
        self._known.clear()
        self._unknown.clear()

    def doubt_all(self) -> None:
        """
        Changes may have been missed: ask for each key again; until somebody
        answers, the L{last} pool remains.
        """
        self.generation += 1
