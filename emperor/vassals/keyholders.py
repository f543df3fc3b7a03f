"""
Which vassals name a key of requests as theirs, whether they serve now or not.
"""

from __future__ import annotations

from collections.abc import Iterable

from emperor.vassals.spec import VassalId

#: Keys of all vassals together; of more than that nobody knows whose they are while
#: their vassals are down.
KEYS_LIMIT = 65536


class KeyHolders:
    """
    Both ways: from a key to its vassals, and from a vassal to its keys.
    """

    def __init__(self) -> None:
        self._count = 0
        self._keys: dict[VassalId, tuple[str, ...]] = {}
        self._holders: dict[str, dict[VassalId, None]] = {}

    def hold(self, id: VassalId, keys: Iterable[str]) -> bool:
        """
        A vassal names these keys and no others.

        @param keys: as pools have them; what is not printable ASCII is in no request.
        @return: whether that is new.
        """
        before = self.keys(id)
        room = KEYS_LIMIT - self._count + len(before)
        wanted = (key for key in dict.fromkeys(keys) if key.isascii() and key.isprintable())
        after = tuple(key for key, _ in zip(wanted, range(room), strict=False))
        if after == before:
            return False
        self._forget(id, before)
        if after:
            self._keys[id] = after
        self._count += len(after)
        for key in after:
            self._holders.setdefault(key, {})[id] = None
        return True

    def keys(self, id: VassalId) -> tuple[str, ...]:
        """
        What a vassal names.
        """
        return self._keys.get(id, ())

    def holders(self, keys: Iterable[str]) -> list[VassalId]:
        """
        Who names the first of these keys that anybody names.
        """
        if not self._holders:
            return []
        return next((list(self._holders[key]) for key in keys if key in self._holders), [])

    def _forget(self, id: VassalId, keys: tuple[str, ...]) -> None:
        self._keys.pop(id, None)
        self._count -= len(keys)
        for key in keys:
            del self._holders[key][id]
            if not self._holders[key]:
                del self._holders[key]
