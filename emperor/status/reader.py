"""
A connection on which somebody reads statistics.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol as TypingProtocol

from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import CooperativeTask, Cooperator
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.interfaces import IStream

#: Bytes of a request's head.
HEAD_LIMIT = 16 * 1024

#: Seconds in which it must be there.
HEAD_TIMEOUT = 10.0

#: Seconds after which a reader that has not taken the whole answer is cut.
ANSWER_TIMEOUT = 60.0

_END = re.compile(rb"\n\r?\n")

_HEAD = """\
HTTP/1.0 {status}\r
Connection: close\r
Access-Control-Allow-Origin: *\r
Content-Type: {type}\r
Cache-Control: no-store\r
\r
"""


class Readers(TypingProtocol):
    """
    Whoever keeps count of the readers.
    """

    def gone(self, reader: Reader) -> None:
        """
        C{reader} is closed.
        """


@implementer(IHalfCloseableProtocol, IPushProducer)
class Reader(Protocol):
    """
    Gets the statistics when it comes, or when it has asked in HTTP.

    The text is made as fast as it is taken, one piece in a turn of the reactor
    for all readers together: what a reader costs in memory is a piece or two.
    """

    transport: IStream
    factory: Readers
    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        cooperator: Cooperator,
        pieces: Callable[[], Iterator[bytes]],
        *,
        http: bool,
    ) -> None:
        """
        @param pieces: gives the text as it is now.
        """
        self._clock = clock
        self._cooperator = cooperator
        self._pieces = pieces
        self._http = http
        self._head = b""
        self._timer: IDelayedCall | None = None
        self._task: CooperativeTask[Iterator[None]] | None = None
        self._answered = self._paused = False

    def connectionMade(self) -> None:
        """
        Somebody has come.
        """
        if self._http:
            self._timer = self._clock.callLater(HEAD_TIMEOUT, self._late)
        else:
            self._answer(b"", self._pieces())

    def dataReceived(self, data: bytes) -> None:
        """
        Only the head of a request is of interest, and only its end.
        """
        if self._answered:
            return
        self._head += data
        if _END.search(self._head):
            self._ask(self._head.startswith(b"HEAD "))
        elif len(self._head) > HEAD_LIMIT:
            self._refuse("431 Request Header Fields Too Large")

    def readConnectionLost(self) -> None:
        """
        It will say nothing more; it may read all the same, as C{nc} does.
        """
        if not self._answered:
            self._refuse("400 Bad Request")

    def writeConnectionLost(self) -> None:
        """
        Our half is closed.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        It has gone.
        """
        self._answered = True
        self._stop()
        self.factory.gone(self)

    def pauseProducing(self) -> None:
        """
        It does not take what it was sent.
        """
        if self._task is not None and not self._paused:
            self._paused = True
            self._task.pause()

    def resumeProducing(self) -> None:
        """
        It has taken everything.
        """
        if self._task is not None and self._paused:
            self._paused = False
            self._task.resume()

    def stopProducing(self) -> None:
        """
        It has gone; L{connectionLost} follows.
        """

    def cut(self) -> None:
        """
        End it now.
        """
        self.transport.abortConnection()

    def _ask(self, head_only: bool) -> None:
        head = _HEAD.format(status="200 OK", type="application/json").encode("ascii")
        self._answer(head, iter(()) if head_only else self._pieces())

    def _late(self) -> None:
        self._timer = None
        self._refuse("408 Request Timeout")

    def _refuse(self, status: str) -> None:
        head = _HEAD.format(status=status, type="text/plain").encode("ascii")
        self._answer(head, iter([f"{status}\n".encode("ascii")]))

    def _answer(self, head: bytes, pieces: Iterator[bytes]) -> None:
        self._answered = True
        self._head = b""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.callLater(ANSWER_TIMEOUT, self._slow)
        if head:
            self.transport.write(head)
        task = self._task = self._cooperator.cooperate(self._write(pieces))
        # It calls us back at once if the transport is full already.
        self.transport.registerProducer(self, True)
        task.whenDone().addCallbacks(self._finished, self._broken)

    def _write(self, pieces: Iterator[bytes]) -> Iterator[None]:
        for piece in pieces:
            self.transport.write(piece)
            yield None

    def _finished(self, _: object) -> None:
        if self._task is not None:
            self._task = None
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def _broken(self, failure: Failure) -> None:
        if self._task is not None:
            self._task = None
            self._log.failure("The statistics could not be shown", failure)
            self.transport.unregisterProducer()
            self.transport.abortConnection()

    def _slow(self) -> None:
        self._timer = None
        self.cut()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task, self._task = self._task, None
        if task is not None:
            task.stop()
