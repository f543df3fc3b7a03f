"""
What routers may ask of vassals: the same for the Emperor, who has them, and for a
process that is only told of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from emperor.addresses import Address
from emperor.interfaces import IVassalDirectory
from emperor.vassals.absence import Whereabouts, are_stopped, reason, reason_of_any
from emperor.vassals.keyholders import KeyHolders
from emperor.vassals.spec import VassalId
from emperor.vassals.status import VassalStatus

Greeter = Callable[[Collection[Address]], object]
KeyWatcher = Callable[[VassalId], object]


@implementer(IVassalDirectory)
class Directory(ABC):
    """
    Answers from where vassals are and how they are.

    @ivar leaving: see L{IVassalDirectory}.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._whereabouts = Whereabouts()
        self._greeters: list[Greeter] = []
        self._key_holders = KeyHolders()
        self._key_watchers: list[KeyWatcher] = []
        self.leaving = self._whereabouts.leaving

    @abstractmethod
    def _known(self, id: VassalId) -> VassalStatus | None:
        """
        How a vassal is; L{None}: there is none.
        """

    @abstractmethod
    def _start_sleeper(self, id: VassalId) -> None:
        """
        Start a vassal that sleeps, or have it started.
        """

    def reason_for_absence(self, address: Address) -> str | None:
        """
        Why nothing accepts at C{address}.
        """
        id = self._whereabouts.listener(address)
        status = self._known(id) if id is not None else None
        return reason(status, self._clock.seconds()) if status is not None else None

    def named(self, name: str) -> tuple[VassalId, ...]:
        """
        The vassals of that name, one at most for each monitor.
        """
        return self._whereabouts.named(name)

    def rouse(self, address: Address) -> bool:
        """
        See L{IVassalDirectory.rouse}.
        """
        id = self._whereabouts.listener(address)
        return id is not None and self._rouse(id)

    def rouse_named(self, name: str) -> bool:
        """
        See L{IVassalDirectory.rouse_named}.
        """
        return any([self._rouse(id) for id in self.named(name)])

    def reason_named(self, name: str) -> str | None:
        """
        See L{IVassalDirectory.reason_named}.
        """
        return reason_of_any(self._statuses(name), self._clock.seconds())

    def reason_for_keys(self, keys: Iterable[str]) -> str | None:
        """
        See L{IVassalDirectory.reason_for_keys}.
        """
        found = (self._known(id) for id in self._key_holders.holders(keys))
        statuses = [status for status in found if status is not None]
        return reason_of_any(statuses, self._clock.seconds()) or None

    def name_keys(self, id: VassalId, keys: Iterable[str]) -> None:
        """
        A vassal names these keys and no others.
        """
        if self._key_holders.hold(id, keys):
            for watcher in self._key_watchers:
                watcher(id)

    def keys(self, id: VassalId) -> tuple[str, ...]:
        """
        The keys that a vassal names.
        """
        return self._key_holders.keys(id)

    def watch_keys(self, watcher: KeyWatcher) -> None:
        """
        Call C{watcher} with each vassal that names other keys than before.
        """
        self._key_watchers.append(watcher)

    def is_stopped(self, name: str) -> bool:
        """
        See L{IVassalDirectory.is_stopped}.
        """
        return are_stopped(self._statuses(name))

    def greet(self, greeter: Greeter) -> None:
        """
        See L{IVassalDirectory.greet}.
        """
        self._greeters.append(greeter)

    def _rouse(self, id: VassalId) -> bool:
        status = self._known(id)
        if status is not None and status.may_be_woken:
            self._start_sleeper(id)
            return True
        return status is not None and status.is_coming

    def _statuses(self, name: str) -> list[VassalStatus]:
        found = (self._known(id) for id in self.named(name))
        return [status for status in found if status is not None]
