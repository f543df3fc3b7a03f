"""
The keys that vassals name, for as long as their files are there.

A vassal that does not accept is in no pool.  So that requests for its keys hear why,
it is told who names which.  A file that is broken names nothing: until its vassal
accepts with what it has read last, what it named before counts as well.

The file of a vassal that has to wait for its start is looked at as well, one in a
turn of the reactor, for there may be thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from emperor.config.attributes import DOMAIN_LIMIT
from emperor.routing.lookups import BadKey, pool_key
from emperor.vassals.spec import VassalId

#: Called with a vassal and its keys, whenever they may have changed.
Tell = Callable[[VassalId, tuple[str, ...]], object]

#: Keys of one vassal, those that it named before among them.  A key may be kept in
#: two forms, as it is written and as most routers have it.
NAMED_LIMIT = 4 * DOMAIN_LIMIT


class Naming:
    """
    Follows what is read of vassals' files.
    """

    def __init__(
        self, clock: IReactorTime, look: Callable[[VassalId], Iterable[str]], tell: Tell
    ) -> None:
        """
        @param look: reads the keys that a vassal's file names.
        """
        self._clock = clock
        self._look = look
        self._tell = tell
        self._named: dict[VassalId, tuple[str, ...]] = {}
        self._unread: dict[VassalId, None] = {}
        self._reading: IDelayedCall | None = None

    def expect(self, id: VassalId) -> None:
        """
        A vassal waits, and its file may be read later.
        """
        self._unread[id] = None
        if self._reading is None:
            self._reading = self._clock.callLater(0, self._read)

    def knows(self, id: VassalId) -> bool:
        """
        Whether its file was read, or will be.
        """
        return id in self._named or id in self._unread

    def heard(self, id: VassalId, keys: Iterable[str]) -> None:
        """
        A vassal has read its file, and does not accept with it yet.
        """
        self._set(id, (*_forms(keys), *self._named.get(id, ())))

    def settled(self, id: VassalId, keys: Iterable[str]) -> None:
        """
        A vassal accepts with what it has read last.
        """
        self._set(id, _forms(keys))

    def gone(self, id: VassalId) -> None:
        """
        There is no such vassal any more.
        """
        self._set(id, ())
        self._named.pop(id, None)

    def stop(self) -> None:
        """
        Read nothing any more.
        """
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self._unread.clear()

    def _set(self, id: VassalId, keys: Iterable[str]) -> None:
        self._unread.pop(id, None)
        self._named[id] = tuple(islice(dict.fromkeys(keys), NAMED_LIMIT))
        self._tell(id, self._named[id])

    def _read(self) -> None:
        self._reading = None
        id = next(iter(self._unread), None)
        if id is None:
            return
        del self._unread[id]
        self.heard(id, self._look(id))
        if self._unread:
            self._reading = self._clock.callLater(0, self._read)


def _forms(keys: Iterable[str]) -> Iterator[str]:
    """
    As routers have them, with C{raw-host-key} and without.
    """
    for key in keys:
        for raw in (False, True):
            with suppress(BadKey):
                yield pool_key(key, raw)
