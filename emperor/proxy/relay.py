"""
Flow control between two connections.

Each side of a relay is a producer for the other: when the bytes waiting for a
slow receiver pass the transport's limit (64 KiB in Twisted), the sender is not
read any more until they are gone.  So a pair of connections costs at most two
such buffers and one read of 64 KiB in each direction, however large the bodies.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from emperor.interfaces import IStream


@implementer(IPushProducer)
class ReadSide:
    """
    The reading of one connection, stopped for either of two reasons: its own
    protocol has no use for bytes now, or the other connection has no room.

    A transport cannot be registered as a producer itself, because it would be
    closed together with its consumer (L{IPushProducer.stopProducing}).
    """

    def __init__(self, stream: IStream) -> None:
        self._stream = stream
        self._held = self._full = self._ended = self._stopped = False

    def hold(self) -> None:
        """
        The protocol wants no bytes now.
        """
        if not self._held:
            self._held = self._stopped = True
            self._stream.pauseProducing()

    def release(self) -> None:
        """
        The protocol wants bytes again.
        """
        self._held = False
        if self._stopped:
            self._go_on()

    def pauseProducing(self) -> None:
        """
        The other connection has no room.
        """
        self._full = self._stopped = True
        self._stream.pauseProducing()

    def resumeProducing(self) -> None:
        """
        The other connection has room again.
        """
        self._full = False
        self._go_on()

    def stopProducing(self) -> None:
        """
        The other connection is gone; its protocol decides what that means.
        """
        self._full = False

    @property
    def is_stopped_by_receiver(self) -> bool:
        """
        Whether the other connection has no room now.
        """
        return self._full

    def end(self) -> None:
        """
        The end has been read: to read again would only read it again.
        """
        self._ended = True

    def _go_on(self) -> None:
        if not (self._held or self._full or self._ended):
            self._stopped = False
            self._stream.resumeProducing()
