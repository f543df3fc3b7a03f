"""
Our end of the pipe to a vassal.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from emperor.wire.vassal import Order, Said, parse_said


class Link(Protocol):
    """
    Turns the bytes of the pipe into words, both ways.

    @ivar up: whether the vassal's end is still open.
    """

    def __init__(self, hear: Callable[[Said], object], lost: Callable[[], object]) -> None:
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

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        No process holds the vassal's end any more.
        """
        self.up = False
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
