"""
A client's connection, whatever it speaks.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Protocol as TypingProtocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.interfaces import IStream
from emperor.proxy.deadlines import RESOLUTION
from emperor.proxy.refusals import Reason, Refusal, Refused
from emperor.proxy.relay import ReadSide
from emperor.proxy.router import Router
from emperor.proxy.session import Session
from emperor.routing.pools import Pool

_MAPPED = "::ffff:"

#: Seconds that a client gets to read the last answer and close.
LINGER = 5.0


class Connections(TypingProtocol):
    """
    Whoever keeps count of the connections.

    @ivar requests: those that are over, with an answer or without.
    """

    requests: int

    def gone(self, frontend: Frontend) -> None:
        """
        C{frontend} is closed.
        """


@implementer(IHalfCloseableProtocol, IPushProducer)
class Frontend(Protocol):
    """
    What the HTTP and the uwsgi side have in common: deadlines, the two halves
    of the connection, its end.

    It is the producer of its own connection, from the beginning: so it knows
    when the client takes nothing, also between two requests.

    @ivar full: whether the client has no room for more.
    @ivar deadline: see L{emperor.proxy.deadlines.Perishable}.
    @ivar session: the request that is with a node, if any.
    """

    _log = Logger()

    transport: IStream
    factory: Connections

    def __init__(self, router: Router) -> None:
        self.router = router
        self.session: Session | None = None
        self.deadline = 0.0
        self.closing = False
        self._client_ended = self._all_sent = False
        self._asking: Deferred[Pool] | None = None
        self.full = self._tied = False
        self._source: ReadSide | None = None
        self._seen_taken = 0
        self._deadlines = router.deadlines

    def connectionMade(self) -> None:
        """
        A client is here; its request must follow in time.
        """
        self.reading = ReadSide(self.transport)
        self.transport.registerProducer(self, True)
        self.expect_within(self.router.settings.headers_timeout)
        self.router.deadlines.watch(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The client is gone, and with it the use of its request.
        """
        self.closing = True
        self.router.deadlines.forget(self)
        if self.session is not None:
            self.session.abandon()
            self.session = None
            self.factory.requests += 1
        if self._asking is not None:
            self._asking.cancel()
            self.factory.requests += 1
        self.factory.gone(self)

    def expect_within(self, seconds: float) -> None:
        """
        Something must happen within so many seconds.
        """
        self.deadline = self._deadlines.now + seconds + RESOLUTION

    def timed_out(self) -> None:
        """
        Nothing happened, unless a slow receiver has taken something: that is
        all that a large answer to a slow client shows for a long time.
        """
        taken = self._taken()
        if taken != self._seen_taken:
            self._seen_taken = taken
            self.expect_within(self.router.settings.timeout)
        elif self.closing and self._all_sent:
            # Not aborted: the kernel may still be sending to a slow client.
            self.transport.loseConnection()
        elif self.closing:
            self.transport.abortConnection()
        elif self.session is not None and self.session.is_over:
            self.cut()
        elif self.session is not None:
            self.session.timed_out()
        else:
            self.request_timed_out()

    def _taken(self) -> int:
        """
        A number that changes when a receiver has taken something.
        """
        node = None if self.session is None else self.session.transport
        streams = [stream for stream in (self.transport, node) if stream is not None]
        return sum(getattr(stream, "taken", 0) - unsent(stream) for stream in streams)

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes of a request, or of one that has its answer already.
        """
        if not self.closing:
            self.received(data)

    def readConnectionLost(self) -> None:
        """
        The client will send nothing more; an answer it can still get.
        """
        self._client_ended = True
        self.reading.end()
        if self.closing:
            self.transport.loseConnection()
        else:
            self.request_ended()

    def writeConnectionLost(self) -> None:
        """
        Our half is closed, as asked: everything is with the kernel.
        """
        self._all_sent = True
        self.expect_within(LINGER)

    def refuse(self, refusal: Refusal) -> None:
        """
        Answer in the node's place.
        """
        if self.session is None:
            self.factory.requests += 1
        self.leave_session()
        peer = host_of(self.transport.getPeer()) or "a UNIX socket"
        self.router.refusals.refused(refusal, self.router.settings.kind, peer)
        self.send_refusal(refusal)

    def wait_for(self, asking: Deferred[Pool]) -> None:
        """
        Go on when a mapper knows where.
        """
        self._asking = asking
        self.reading.hold()
        asking.addBoth(self._answered_by_mapper)
        asking.addErrback(lambda failure: self._log.failure("A request broke", failure))

    def _answered_by_mapper(self, answer: Pool | Failure) -> None:
        self._asking = None
        if self.closing or (isinstance(answer, Failure) and answer.check(CancelledError)):
            return
        if not isinstance(answer, Failure):
            self.routed(answer)
        elif isinstance(answer.value, Refused):
            self.refuse(answer.value.refusal)
        else:
            self._log.failure("A mapper broke", answer)
            self.refuse(Refusal(Reason.MAPPER_BROKEN, "the mapper broke; the log says how"))

    def late_mapper(self) -> Refusal:
        """
        The answer to a request that waited for a mapper for too long.
        """
        if self._asking is not None:
            self._asking.cancel()
        seconds = self.router.settings.timeout
        detail = f"nobody told for {seconds:g} s where the request goes"
        return Refusal(Reason.MAPPER_UNAVAILABLE, detail)

    def tie(self, session: Session) -> None:
        """
        Let each side wait for the other's room, from now on.

        Not needed, and not done, for a request without a body whose answer
        comes in one piece.
        """
        if not self._tied:
            self.listen_to(session)
            session.transport.registerProducer(self.reading, True)

    def listen_to(self, session: Session) -> None:
        """
        Let the node wait for the client's room.
        """
        self._tied = True
        self._source = session.read_side()
        if self.full:
            self._source.pauseProducing()

    def pauseProducing(self) -> None:
        """
        The client has no room.
        """
        self.full = True
        if self._source is not None:
            self._source.pauseProducing()

    def resumeProducing(self) -> None:
        """
        The client has room again.
        """
        self.full = False
        if self._source is not None:
            self._source.resumeProducing()
        elif not self.closing:
            self.relieved()

    def stopProducing(self) -> None:
        """
        The client has gone, as L{connectionLost} is told.
        """

    def leave_session(self) -> None:
        """
        The request's way to a node is over.
        """
        session, self.session = self.session, None
        if session is None:
            return
        self.factory.requests += 1
        if self._tied:
            self._tied = False
            self._source = None
            session.untie()
            self.reading.stopProducing()

    def cut(self) -> None:
        """
        Close so that the client notices that something is missing.
        """
        if self.session is not None:
            self.session.abandon()
        self.leave_session()
        self.closing = True
        self.transport.abortConnection()

    def end(self, why: str) -> str | None:
        """
        The request cannot go on: answer in the node's place, or if an answer has
        begun, cut it.

        @param why: for the client.
        @return: the request's host, or L{None}: it has its answer, or there is none.
        """
        host = self.host
        if self.closing:
            if self._all_sent:
                return None
            self.transport.abortConnection()
        elif self.is_idle:
            self.close(all_read=True)
            return None
        elif self.is_answering:
            self.cut()
        else:
            if self._asking is not None:
                self._asking.cancel()
            if self.session is not None:
                self.session.abandon()
            self.refuse(Refusal(Reason.STOPPING, why, host))
        return host

    def close(self, *, all_read: bool) -> None:
        """
        Close when everything is sent.

        @param all_read: whether the client has nothing more to send.  If it
            has, to close at once would make the kernel answer its bytes with
            a reset, and the client could lose the answer (RFC 9112 section
            9.6); so they are read and dropped for a while.
        """
        self.closing = True
        self.expect_within(self.router.settings.timeout)
        # One that waits for room would not be closed by Twisted's transports.
        self.transport.unregisterProducer()
        if all_read or self._client_ended:
            self.transport.loseConnection()
        else:
            self.reading.release()
            self.transport.loseWriteConnection()

    def client_address(self) -> bytes:
        """
        See L{emperor.routing.pools.Seeker}.
        """
        return host_of(self.transport.getPeer()).encode("ascii", "replace")

    @property
    def host(self) -> str:
        """
        The request's, as the client named it, for what people read; empty: there is
        none yet.
        """
        raise NotImplementedError

    @property
    def is_idle(self) -> bool:
        """
        Whether no byte of a request has come.
        """
        raise NotImplementedError

    @property
    def is_answering(self) -> bool:
        """
        Whether a byte of a node's answer has gone to the client.
        """
        raise NotImplementedError

    def received(self, data: bytes) -> None:
        """
        Bytes of a request.
        """
        raise NotImplementedError

    def relieved(self) -> None:
        """
        The client has room again, and no request is with a node.
        """

    def routed(self, pool: Pool) -> None:
        """
        The request's pool is known.
        """
        raise NotImplementedError

    def header(self, name: bytes) -> bytes:
        """
        See L{emperor.routing.pools.Seeker}.
        """
        raise NotImplementedError

    def request_ended(self) -> None:
        """
        No more bytes of a request will come.
        """
        raise NotImplementedError

    def request_timed_out(self) -> None:
        """
        The deadline has passed, and no node is concerned.
        """
        raise NotImplementedError

    def send_refusal(self, refusal: Refusal) -> None:
        """
        Send the router's own answer.
        """
        raise NotImplementedError

    def drain(self) -> None:
        """
        The router stops: close now, or after the answer.
        """
        raise NotImplementedError


def host_of(address: IAddress) -> str:
    """
    The host of a client; one with IPv4 has its own address also where it comes
    through a socket of both families (RFC 4291 section 2.5.5.2).

    @return: empty for a UNIX socket.
    """
    host = str(getattr(address, "host", ""))
    return host[len(_MAPPED) :] if host.startswith(_MAPPED) and "." in host else host


def unsent(stream: IStream) -> int:
    """
    Bytes that the kernel still keeps for a receiver.

    It wakes a sender only when a third of a buffer is free, which for a slow
    receiver can be minutes.
    """
    descriptor = getattr(stream, "fileno", lambda: -1)()
    if descriptor < 0:
        return 0
    with suppress(OSError):
        return int.from_bytes(ioctl(descriptor, TIOCOUTQ, bytes(4)), sys.byteorder)
    return 0
