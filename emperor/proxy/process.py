"""
One router process, as the program sees it.
"""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.interfaces import ISubscriptionNews, IVassalNews
from emperor.proxy.controlling import ControlLink
from emperor.proxy.tallies import NO_COUNTS, Share, Tally
from emperor.proxy.watching import Watch
from emperor.subscriptions.copying import Backlog
from emperor.vassals.output import Lines
from emperor.vassals.spec import VassalId
from emperor.wire.control import (
    REPORT_LIMIT,
    Configure,
    Counts,
    Message,
    Progress,
    Ready,
    Subscriptions,
    Vassals,
    Wanted,
)


class RouterProcess(ProcessProtocol):
    """
    One process, from its start to its end.

    @ivar ended: fires when it has gone.
    @ivar ready: whether it accepts connections.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        order: Configure,
        news: IVassalNews,
        subscriptions: ISubscriptionNews,
        tally: Tally,
    ) -> None:
        self.name = name
        self.ended: Deferred[None] = Deferred()
        self.ready = False
        self.watch = Watch(name, self.kill)
        self._tally = tally
        self._share: Share | None = None
        self._order = order
        self._news = news
        self._subscriptions = subscriptions
        self._missed = False
        self._backlog = Backlog()
        self._output = Lines(self._log_line)
        self.link = ControlLink(REPORT_LIMIT, self._hear, self._link_lost, self._relieved)

    @property
    def pid(self) -> int:
        """
        The number of the process; 0 if there is none.
        """
        return int(self.transport.pid or 0) if self.transport is not None else 0

    @property
    def counts(self) -> Counts:
        """
        What it has done.
        """
        return self._share.counts if self._share is not None else NO_COUNTS

    def connectionMade(self) -> None:
        """
        It was started: tell it all it needs.  It knows of the vassals and the
        nodes before it accepts the first connection.
        """
        self._share = self._tally.join()
        self.link.tell(self._news.whole())
        for message in self._subscriptions.whole():
            self.link.tell(message)
        self.link.tell(self._order)

    def update(self, news: Vassals) -> None:
        """
        Tell it what is new, now or when it listens again.
        """
        if self.link.room:
            self.link.tell(news)
        else:
            self._missed = True

    def announce(self, news: Subscriptions) -> None:
        """
        Tell it what was announced, now or when it listens again.
        """
        if self.link.room:
            self.link.tell(news)
        else:
            self._backlog.add(news)

    def kill(self) -> None:
        """
        End it now.
        """
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess("KILL")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It logged something.
        """
        self._output.feed(data)

    def processEnded(self, reason: Failure) -> None:
        """
        It has gone.
        """
        self._output.finish()
        self.link.hang_up()
        share, self._share = self._share, None
        if share is not None:
            self._tally.leave(share)
        self.ended.callback(None)

    def _hear(self, message: Message) -> None:
        share = self._share
        if share is None:  # it has gone, and was counted
            return
        self.watch.heard()
        match message:
            case Ready():
                self.ready = True
            case Counts():
                share.counts = message
            case Progress():
                self._tally.add(share, message)
            case Wanted():
                self._news.wake(VassalId(message.monitor, message.name))

    def _relieved(self) -> None:
        if self._missed:
            self._missed = False
            self.link.tell(self._news.whole())
        for message in self._backlog.take(self._subscriptions):
            self.link.tell(message)

    def _link_lost(self) -> None:
        """
        It leaves by itself then; the end of the process is what counts.
        """

    def _log_line(self, line: str) -> None:
        self._log.info("{process}: {line}", process=self.name, line=line)
