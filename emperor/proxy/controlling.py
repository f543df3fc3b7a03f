"""
The connection between the program and one of its router processes.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IAddress, IPushProducer
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.interfaces import IStream
from emperor.wire.control import BadControl, Message, MessageReader, encode


@implementer(IPushProducer)
class ControlLink(Protocol):
    """
    One end, in either process.

    Two that do not understand each other hang up, which is how each of them
    knows that the other one has gone.

    @ivar up: whether it is connected.
    @ivar room: whether the far end takes what it is sent.  What is sent without
        room is kept in memory, so that what can wait should.
    """

    transport: IStream
    _log = Logger()

    def __init__(
        self,
        limit: int,
        hear: Callable[[Message], object],
        lost: Callable[[], object],
        relieved: Callable[[], object] = lambda: None,
    ) -> None:
        """
        @param limit: bytes of one message from the far end.
        @param hear: gets each message.
        @param lost: called when the far end has gone.
        @param relieved: called when there is room again.
        """
        self._reader = MessageReader(limit)
        self._hear = hear
        self._lost = lost
        self._relieved = relieved
        self.up = False
        self.room = True

    def connectionMade(self) -> None:
        """
        The reactor watches the socket now.
        """
        self.up = True
        self.transport.registerProducer(self, True)

    def tell(self, message: Message) -> None:
        """
        Send a message, if there still is somebody.
        """
        if self.up:
            self.transport.write(encode(message))

    def dataReceived(self, data: bytes) -> None:
        """
        Pass on each message.
        """
        try:
            for message in self._reader.feed(data):
                self._hear(message)
        except BadControl as error:
            self._log.error("The two ends of a router process do not fit: {error}", error=error)
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The far end has gone.
        """
        self.up = False
        self._lost()

    def hang_up(self) -> None:
        """
        Close when all is sent.
        """
        if self.up:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def pauseProducing(self) -> None:
        """
        The far end is slow.
        """
        self.room = False

    def resumeProducing(self) -> None:
        """
        It has taken everything.
        """
        self.room = True
        self._relieved()

    def stopProducing(self) -> None:
        """
        It has gone; L{connectionLost} follows.
        """


class ControlFactory(ServerFactory):
    """
    Gives a socket that is connected already its link.
    """

    noisy = False

    def __init__(self, link: ControlLink) -> None:
        self._link = link

    def buildProtocol(self, addr: IAddress | None) -> ControlLink:
        """
        There is only one connection.
        """
        return self._link
