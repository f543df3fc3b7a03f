"""
Our end of the pipe to a vassal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from emperor.wire.vassal import Order, Said, parse_said

#: Bytes that are read of one vassal in a second; a vassal says a few in its life.
BUDGET = 4096


class Link(Protocol):
    """
    Turns the bytes of the pipe into words, both ways.  A vassal that talks
    without end is listened to once in a second, so that it takes no time from
    the others.

    @ivar up: whether the vassal's end is still open.
    """

    def __init__(
        self,
        clock: IReactorTime,
        hear: Callable[[Said], object],
        lost: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._second: IDelayedCall | None = None
        self._heard = 0
        self._hear = hear
        self._lost = lost
        self.up = False

    def connectionMade(self) -> None:
        """
        The reactor watches the pipe now.
        """
        self.up = True

    def dataReceived(self, data: bytes) -> None:
        """
        Pass on each word that the vassal said.
        """
        for said in parse_said(data):
            self._hear(said)
        self._heard += len(data)
        if self._second is None and self.up:
            self._second = self._clock.callLater(1, self._begin_second)
        if self._heard > BUDGET and self.up:
            self._producer().pauseProducing()

    def _begin_second(self) -> None:
        self._second = None
        if self._heard > BUDGET:
            self._producer().resumeProducing()
        self._heard = 0

    def _producer(self) -> IPushProducer:
        return cast(IPushProducer, self.transport)

    def read_to_the_end(self) -> None:
        """
        The vassal has left: there is not much more, and its end matters.
        """
        if self._second is not None and self.up:
            self._second.cancel()
            self._begin_second()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        No process holds the vassal's end any more.
        """
        self.up = False
        if self._second is not None:
            self._second.cancel()
            self._second = None
        self._lost()

    def tell(self, order: Order) -> bool:
        """
        Send an order.

        @return: whether there is still somebody who may read it.
        """
        if self.up and self.transport is not None:
            self.transport.write(bytes([order]))
        return self.up

    def close(self) -> None:
        """
        There will be no vassal: give the descriptor back.
        """
        if self.transport is not None:
            self.transport.loseConnection()
