"""
A router's subscription server as a service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from emperor.addresses import SocketAddress
from emperor.interfaces import ISubscriptionNews
from emperor.proxy.listeners import remove_files
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.ledger import Ledger
from emperor.subscriptions.receiving import DatagramReader
from emperor.subscriptions.rejections import Rejections

#: Seconds between two looks at what time brings.
INTERVAL = 1.0


class SubscriptionServer(Service):
    """
    Takes subscriptions while it runs.

    Routers look their pools up in L{registry}; it is right from the beginning,
    also before the start.

    @ivar ledger: where others may announce nodes.
    @ivar news: for router processes.
    @ivar rejections: what was turned away.
    @ivar mark: of the router (L{emperor.wire.hops}).
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        router: str,
        addresses: Sequence[SocketAddress],
        *,
        readers: Sequence[DatagramReader],
        ledger: Ledger,
        news: ISubscriptionNews,
        rejections: Rejections,
        each_second: Sequence[Callable[[], object]],
        at_end: Sequence[Callable[[], Deferred[None] | None]],
        mark: str = "",
    ) -> None:
        """
        @param router: C{"http"} or C{"fastrouter"}.
        @param addresses: of the readers' sockets.
        """
        self.name = f"{router} subscriptions"
        self.ledger = ledger
        self.news = news
        self.rejections = rejections
        self.mark = mark
        self._router = router
        self._addresses = addresses
        self._readers = readers
        self._each_second = each_second
        self._at_end = at_end
        self._loop = LoopingCall(self._tick)
        self._loop.clock = clock

    @property
    def registry(self) -> Registry:
        """
        Who has subscribed.
        """
        return self.ledger.registry

    def startService(self) -> None:
        """
        Take subscriptions.
        """
        Service.startService(self)
        for reader in self._readers:
            reader.start()
        for address in self._addresses:
            self._log.info(
                "{router} takes subscriptions on {address}", router=self._router, address=address
            )
        self._loop.start(INTERVAL, now=False)

    async def stopService(self) -> None:
        """
        Take no subscriptions any more, and forget nobody: requests in flight
        may still have to be sent on.
        """
        Service.stopService(self)
        if self._loop.running:
            self._loop.stop()
        for reader in self._readers:
            reader.stop()
        remove_files(self._addresses)
        for end in self._at_end:
            try:
                await maybeDeferred(end)
            except Exception:
                self._log.failure("{end} failed", end=end)

    def _tick(self) -> None:
        for call in self._each_second:
            try:
                call()
            except Exception:
                self._log.failure("{call} failed", call=call)
