"""
Our end of the pipe to the Emperor above.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.wire.vassal import Order, Said, parse_orders

#: Bytes that are read at once.
_PIECE = 4096


@implementer(IReadDescriptor)
class Pipe:
    """
    Turns the bytes of the pipe into orders, and says words.

    The socket stays as it is, and open, when the reactor ends: the program may
    execute itself again, and others may have it too.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        pipe: socket.socket,
        hear: Callable[[Order], object],
        lost: Callable[[], object],
    ) -> None:
        """
        @param lost: called when nobody is at the other end any more.
        """
        self._reactor = reactor
        self._pipe = pipe
        self._hear = hear
        self._lost = lost
        reactor.addReader(self)

    def fileno(self) -> int:
        """
        See L{IReadDescriptor}.
        """
        return self._pipe.fileno()

    def logPrefix(self) -> str:
        """
        See L{IReadDescriptor}.
        """
        return "pipe to the Emperor above"

    def doRead(self) -> None:
        """
        Pass on each order.
        """
        try:
            data = self._pipe.recv(_PIECE, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._reactor.removeReader(self)
            self._lost()
        for order in parse_orders(data):
            self._hear(order)

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor watches it no more.
        """

    def say(self, *words: Said) -> None:
        """
        Tell the Emperor; one who does not listen misses it.
        """
        with suppress(OSError):
            self._pipe.send(bytes(words), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
