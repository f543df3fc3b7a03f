"""
What the Emperor knows of its vassals, told to router processes.

L{Herald} turns it into messages, L{Mirror} is what they make elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from emperor.addresses import Address
from emperor.interfaces import IVassalDirectory, IVassalNews
from emperor.vassals.absence import Whereabouts, reason
from emperor.vassals.emperor import Emperor
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus
from emperor.wire.control import VassalNews, Vassals


@implementer(IVassalNews)
class Herald:
    """
    Tells of the Emperor's vassals; what happens in one turn of the reactor is
    one message.
    """

    def __init__(self, clock: IReactorTime, emperor: Emperor) -> None:
        self._clock = clock
        self._emperor = emperor
        self._changed: dict[VassalId, VassalNews] = {}
        self._listeners: list[Callable[[Vassals], object]] = []
        emperor.watch(self._saw)

    def whole(self) -> Vassals:
        """
        See L{IVassalNews.whole}.
        """
        return Vassals(True, tuple(map(self._news, self._emperor.states())))

    def watch(self, listener: Callable[[Vassals], object]) -> None:
        """
        See L{IVassalNews.watch}.
        """
        self._listeners.append(listener)

    def _saw(self, status: VassalStatus) -> None:
        if not self._changed:
            self._clock.callLater(0, self._tell)
        self._changed[status.id] = self._news(status)

    def _tell(self) -> None:
        changes = Vassals(False, tuple(self._changed.values()))
        self._changed = {}
        for listener in self._listeners:
            listener(changes)

    def _news(self, status: VassalStatus) -> VassalNews:
        return VassalNews(
            status.id.monitor,
            status.id.name,
            status.phase,
            status.retry_at,
            tuple(sorted(self._emperor.addresses(status.id), key=str)),
            status.held and not status.returns,
        )


@implementer(IVassalDirectory)
class Mirror:
    """
    Answers as the Emperor would, from what was last heard of it.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """
        @param clock: the same as the Emperor's: seconds of the epoch.
        """
        self._clock = clock
        self._whereabouts = Whereabouts()
        self._vassals: dict[VassalId, VassalStatus] = {}

    def update(self, news: Vassals) -> None:
        """
        Take over what is new.
        """
        if news.whole:
            self._whereabouts = Whereabouts()
            self._vassals.clear()
        for vassal in news.vassals:
            self._take(VassalId(vassal.monitor, vassal.name), vassal)

    @property
    def leaving(self) -> set[Address]:
        """
        Where a vassal is about to leave.
        """
        return self._whereabouts.leaving

    def reason_for_absence(self, address: Address) -> str | None:
        """
        Why nothing accepts at C{address}.
        """
        id = self._whereabouts.listener(address)
        return None if id is None else reason(self._vassals[id], self._clock.seconds())

    def _take(self, id: VassalId, vassal: VassalNews) -> None:
        if vassal.phase is Phase.GONE:
            self._whereabouts.leave(id)
            self._vassals.pop(id, None)
        else:
            self._whereabouts.settle(id, frozenset(vassal.addresses))
            self._whereabouts.note(id, vassal.phase, vassal.held)
            self._vassals[id] = VassalStatus(
                id, vassal.phase, retry_at=vassal.retry_at, held=vassal.held
            )
