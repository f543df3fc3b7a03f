"""
What the Emperor knows of its vassals, told to router processes.

L{Herald} turns it into messages, L{Mirror} is what they make elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from emperor.interfaces import IVassalNews
from emperor.vassals.directory import Directory
from emperor.vassals.emperor import Emperor
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus
from emperor.wire.control import VassalNews, Vassals

#: Seconds between two words of a router process for one vassal.
REMINDING = 1.0


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
        emperor.watch_keys(self._renamed)

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

    def _renamed(self, id: VassalId) -> None:
        status = self._emperor.status(id)
        if status is not None:
            self._saw(status)

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
            status.rest,
            status.woken,
            self._emperor.former(status.id),
            self._emperor.keys(status.id),
        )

    def wake(self, id: VassalId) -> None:
        """
        See L{IVassalNews.wake}.
        """
        if id in self._emperor.named(id.name):
            self._emperor.wake(id)


class Mirror(Directory):
    """
    Answers as the Emperor would, from what was last heard of it.
    """

    def __init__(
        self, clock: IReactorTime, wake: Callable[[VassalId], object] = lambda id: None
    ) -> None:
        """
        @param clock: the same as the Emperor's: seconds of the epoch.
        @param wake: tells the Emperor that a vassal which sleeps is asked for.
        """
        super().__init__(clock)
        self._wake = wake
        self._asked: dict[VassalId, float] = {}
        self._vassals: dict[VassalId, VassalStatus] = {}

    def update(self, news: Vassals) -> None:
        """
        Take over what is new.
        """
        if news.whole:
            # The routers have the set of those who leave: it must stay the same one.
            for id in self._vassals:
                self._whereabouts.leave(id)
                self.name_keys(id, ())
            self._vassals.clear()
            self._asked.clear()
        for vassal in news.vassals:
            self._take(VassalId(vassal.monitor, vassal.name), vassal)

    def _known(self, id: VassalId) -> VassalStatus | None:
        return self._vassals.get(id)

    def _start_sleeper(self, id: VassalId) -> None:
        """
        It is asked for once a second at most, however many requests wait.
        """
        now = self._clock.seconds()
        if not 0 <= now - self._asked.get(id, -REMINDING) < REMINDING:
            self._asked[id] = now
            self._wake(id)

    def _take(self, id: VassalId, vassal: VassalNews) -> None:
        if vassal.phase is Phase.GONE:
            self._whereabouts.leave(id)
            self.name_keys(id, ())
            self._vassals.pop(id, None)
            self._asked.pop(id, None)
        else:
            self._whereabouts.settle(id, vassal.addresses, vassal.former)
            self._whereabouts.note(id, vassal.phase, vassal.held)
            self.name_keys(id, vassal.keys)
            self._vassals[id] = VassalStatus(
                id,
                vassal.phase,
                retry_at=vassal.retry_at,
                held=vassal.held,
                rest=vassal.rest,
                woken=vassal.woken,
            )
            if vassal.phase is Phase.ACCEPTING:
                for greeter in self._greeters:
                    greeter(vassal.addresses)
