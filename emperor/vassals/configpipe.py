"""
The second pipe of a vassal whose configuration is in no file.

It is sent once when the vassal has been started, and once whenever the vassal asks
for it, which uWSGI does before it executes itself again.  Never else: whatever is
too many stays in the pipe, and would be read at the next reload, in the place of
what is true then.

A vassal that does not read costs a few times 64 KB: what it asks for while the pipe
is full is sent when there is room, once and as it is then.  One that asks without end
gets it every L{INTERVAL} seconds, so it takes no time from the others.
"""

from __future__ import annotations

from typing import Protocol as Interface
from typing import cast

from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.wire.vassal import build_configuration

#: Seconds between two times that it is sent; a vassal needs it once in each reload.
INTERVAL = 0.1


class Configuration(Interface):
    """
    How a vassal's process gets its configuration.
    """

    def change(self, body: bytes | None) -> None:
        """
        This is to be sent from now on.
        """

    def push(self) -> None:
        """
        The vassal waits for it.
        """

    def close(self) -> None:
        """
        Nobody reads any more.
        """


class OfFile:
    """
    The vassal reads its file.
    """

    def change(self, body: bytes | None) -> None:
        """
        The file has changed already.
        """

    def push(self) -> None:
        """
        There is nothing to send.
        """

    def close(self) -> None:
        """
        There is nothing to close.
        """


@implementer(IPushProducer)
class ConfigPipe(Protocol):
    """
    Our end of the pipe.
    """

    def __init__(self, clock: IReactorTime, body: bytes) -> None:
        """
        @raise BadConfiguration: it cannot be sent.
        """
        self._clock = clock
        self._frame = build_configuration(body)
        self._up = self._full = self._owes = False
        self._next = 0.0
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """
        Send it for the first time.  What the vassal writes is not read, so it can
        take no time from the others.
        """
        self._up = True
        cast(IPushProducer, self.transport).pauseProducing()
        cast(IConsumer, self.transport).registerProducer(self, True)
        self.push()

    def change(self, body: bytes | None) -> None:
        """
        See L{Configuration.change}.

        @raise BadConfiguration: it cannot be sent.
        """
        self._frame = build_configuration(body or b"")

    def push(self) -> None:
        """
        See L{Configuration.push}.
        """
        self._owes = True
        self._send()

    def _send(self) -> None:
        if not self._up or not self._owes or self._full or self._timer is not None:
            return
        now = self._clock.seconds()
        if now < self._next:
            self._timer = self._clock.callLater(self._next - now, self._send_late)
            return
        self._owes, self._next = False, now + INTERVAL
        assert self.transport is not None
        self.transport.write(self._frame)

    def _send_late(self) -> None:
        self._timer = None
        self._send()

    def pauseProducing(self) -> None:
        """
        The pipe is full.
        """
        self._full = True

    def resumeProducing(self) -> None:
        """
        The vassal has read.
        """
        self._full = False
        self._send()

    def stopProducing(self) -> None:
        """
        It has gone.
        """
        self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        No process holds the vassal's end any more.
        """
        self._end()

    def close(self) -> None:
        """
        See L{Configuration.close}.
        """
        if self._up:
            self._end()
            cast(ITCPTransport, self.transport).abortConnection()

    def _end(self) -> None:
        self._up = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
