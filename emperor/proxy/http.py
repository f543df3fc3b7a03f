"""
HTTP/1 in, uwsgi out: uWSGI's http router.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from emperor.proxy.frontend import Frontend
from emperor.proxy.refusals import Reason, Refusal, Refused, no_room, render
from emperor.proxy.session import IDEMPOTENT, Session
from emperor.proxy.site import HttpSite
from emperor.proxy.spool import IN_MEMORY, BodyReader, SizedReader, Spool
from emperor.routing.pools import Pool
from emperor.wire.answers import AnswerWriter, BadAnswer
from emperor.wire.http import BadRequest, ChunksReader, RequestHead, RequestReader
from emperor.wire.variables import decode_path, request_payload

#: Requests of one client that are answered here before others get their turn.
HEADS_PER_TURN = 16

#: Bytes of a client's next requests that are kept while one is answered.
PIPELINE_LIMIT = 64 * 1024


class Reception(Enum):
    """
    What the client's next bytes are.
    """

    __hash__ = object.__hash__

    #: A request's head.
    HEAD = auto()
    #: A body of known length, passed on as it comes.
    BODY = auto()
    #: A body that is kept until it is complete.
    SPOOL = auto()
    #: The next request, which has to wait.
    NEXT = auto()


class HttpFrontend(Frontend):
    """
    A client's connection: requests one after the other.
    """

    def __init__(self, site: HttpSite) -> None:
        super().__init__(site.router)
        self._site = site
        self._request: RequestHead | None = None
        self._pool: Pool
        self._pending = b""
        self._reading_heads = False
        self._turn: IDelayedCall | None = None
        self._reader = RequestReader()
        self._reception = Reception.HEAD
        self._remaining = 0
        self._spool: Spool | None = None
        self._writer: AnswerWriter | None = None

    def connectionMade(self) -> None:
        """
        See L{Frontend.connectionMade}.
        """
        super().connectionMade()
        self._connection = self._site.connection(self.transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        See L{Frontend.connectionLost}.
        """
        super().connectionLost(reason)
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._spool is not None:
            self._spool.close()

    # The request's way in.

    def received(self, data: bytes) -> None:
        """
        Bytes of the request that is being read, or of a later one.
        """
        _RECEIVE[self._reception](self, data)

    def _receive_head(self, data: bytes) -> None:
        self._pending += data
        self._read_heads()

    def _read_heads(self) -> None:
        """
        Read a head, and those behind it for as long as each request is over
        at once: a loop, since a client may send thousands in one piece.  Not
        while the client does not take its answers, and others get their turn.
        """
        if self._reading_heads or self._turn is not None:
            return
        self._reading_heads = True
        for _ in range(HEADS_PER_TURN):
            if not self._pending or self.full or self.closing:
                break
            if self._reception is not Reception.HEAD:
                break
            data, self._pending = self._pending, b""
            self._read_head(data)
        else:
            self._turn = self.router.clock.callLater(0, self._take_turn)
        self._reading_heads = False
        waiting = self._turn is not None or (self.full and self._pending)
        if (waiting or len(self._pending) > PIPELINE_LIMIT) and not self.closing:
            self.reading.hold()

    def _take_turn(self) -> None:
        self._turn = None
        self.relieved()

    def relieved(self) -> None:
        """
        See L{Frontend.relieved}.
        """
        if self._reception is Reception.HEAD and not (self.closing or self.full):
            self.reading.release()
            self._read_heads()

    def _read_head(self, data: bytes) -> None:
        reader = self._reader
        if not reader.started:
            self.expect_within(self.router.settings.headers_timeout)
        try:
            head, rest = reader.feed(data)
            if head is None or rest is None:
                return
            self._request, self._pending = head, rest
            self._remaining = head.content_length
            self._reception = Reception.BODY if head.has_body else Reception.NEXT
            routes = self.router.routes
            path = decode_path(head.target.partition(b"?")[0]) if routes.wants_path else b""
            pool = routes.pool_for(self._host(head), path)
        except BadRequest as error:
            self._refuse_request(error)
        except Refused as refused:
            self.refuse(refused.refusal)
        else:
            self.expect_within(self.router.settings.timeout)
            if isinstance(pool, Deferred):
                self.wait_for(pool)
            else:
                self.routed(pool)

    def _host(self, head: RequestHead) -> bytes:
        return head.host or self._site.server_name

    def routed(self, pool: Pool) -> None:
        """
        See L{Frontend.routed}.
        """
        self._pool = pool
        head = self._request
        if head is None:
            return
        if not head.has_body:
            self._start(head, 0)
        elif head.chunked:
            self._begin_spool(head, ChunksReader(), IN_MEMORY)
        elif head.content_length <= self._buffered:
            buffering = self.router.settings.post_buffering
            self._begin_spool(head, SizedReader(head.content_length), buffering)
        else:
            self.reading.hold()
            self._start(head, head.content_length)

    @property
    def _buffered(self) -> int:
        """
        Bytes of the longest body of known length that is kept before a node is
        asked.
        """
        settings = self._site.settings
        return settings.chunked_limit if settings.post_buffering else 0

    def _start(self, head: RequestHead, content_length: int) -> None:
        site, host = self._site, self._host(head)
        try:
            payload = request_payload(
                head, site.server(host), self._connection, site.extra, content_length
            )
        except BadRequest as error:
            self._refuse_request(error)
            return
        self.session = Session(self.router, self, self._pool, host)
        self.session.start(payload, site.settings.modifiers)

    def _continue(self, head: RequestHead) -> None:
        if head.expects_continue and not self._pending:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _receive_body(self, data: bytes) -> None:
        session = self.session
        if session is None:
            return
        self.expect_within(self.router.settings.timeout)
        piece, rest = data[: self._remaining], data[self._remaining :]
        self._remaining -= len(piece)
        session.send(piece)
        if not self._remaining:
            self._reception = Reception.NEXT
            self._receive_next(rest)

    def _begin_spool(self, head: RequestHead, reader: BodyReader, in_memory: int) -> None:
        self._reception = Reception.SPOOL
        self._spool = Spool(reader, self._site.settings.chunked_limit, in_memory)
        self._continue(head)
        self.reading.release()
        body, self._pending = self._pending, b""
        self._receive_spool(body)

    def _receive_spool(self, data: bytes) -> None:
        request, spool = self._request, self._spool
        if request is None or spool is None or not data:
            return
        self.expect_within(self.router.settings.timeout)
        try:
            rest = spool.feed(data)
        except BadRequest as error:
            self._refuse_request(error)
        except OSError as error:
            request.keep_alive = False
            self.refuse(no_room(error, self._host(request)))
        else:
            if rest is not None:
                # Behind the last chunk nothing can be read any more.
                request.keep_alive = request.keep_alive and not request.chunked
                self._reception = Reception.NEXT
                self._pending = rest
                self._start(request, spool.size)

    def _receive_next(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) > PIPELINE_LIMIT:
            self.reading.hold()

    # The request's way to the node and the answer's way back.

    def node_ready(self, session: Session) -> None:
        """
        See L{emperor.proxy.session.Front}.
        """
        request = self._request
        if request is None:
            return
        self._writer = AnswerWriter(
            request.method == b"HEAD",
            request.minor_version,
            request.keep_alive
            and self._site.settings.keepalive > 0
            and (not self._client_ended or bool(self._pending)),
        )
        if self._spool is not None:
            self.listen_to(session)
            sending = self._spool.send(session.transport, self._sent)
            sending.addErrback(lambda _: None)  # the session hears of it as well
            return
        if self._reception is Reception.BODY:
            self.tie(session)
            self._continue(request)
            body, self._pending = self._pending, b""
            if body:
                self._receive_body(body)
        if len(self._pending) <= PIPELINE_LIMIT:
            self.reading.release()

    def _sent(self, data: bytes) -> bytes:
        self.expect_within(self.router.settings.timeout)
        return data

    def answer(self, data: bytes) -> None:
        """
        See L{emperor.proxy.session.Front}.
        """
        writer, session = self._writer, self.session
        if writer is None or session is None:
            return
        if self.router.draining:
            writer.persistent = writer.persistent and writer.started
        try:
            data = writer.feed(data)
        except BadAnswer as error:
            session.fail_node(str(error))
            return
        if writer.complete:
            self.transport.write(data)
            session.finish()
            self._answered(writer)
        else:
            self.expect_within(self.router.settings.timeout)
            self.tie(session)
            self.transport.write(data)

    def answer_ended(self, clean: bool) -> None:
        """
        See L{emperor.proxy.session.Front}.

        An error is no loss where the request had a body: a node that answers
        without reading all of it makes the kernel send one.
        """
        writer, request = self._writer, self._request
        if writer is None or request is None:
            return
        if not writer.started:
            detail = "the node closed the connection within its answer's head"
            self.refuse(Refusal(Reason.NODE_FAILED, detail, self.host))
            return
        if clean or request.has_body:
            self.transport.write(writer.finish())
        if writer.complete:
            self._answered(writer)
        else:
            self.cut()

    def _answered(self, writer: AnswerWriter) -> None:
        self.leave_session()
        self._next(writer.persistent and not self.router.draining)

    def _next(self, persistent: bool) -> None:
        if self._spool is not None:
            self._spool.close()
        over = self._client_ended and not self._pending
        if not persistent or self._reception is not Reception.NEXT or over:
            self.close(all_read=self._reception is Reception.NEXT and not self._pending)
            return
        self._reception = Reception.HEAD
        self._request = self._spool = self._writer = None
        self.expect_within(self._site.settings.keepalive)
        self.reading.release()
        if self._pending:
            self._read_heads()
            self._end_if_partial()

    def _end_if_partial(self) -> None:
        """
        Of a client that has closed its half no other part of a head will come.
        """
        waiting = self._pending or self._turn is not None or self.closing
        if self._client_ended and self._reception is Reception.HEAD and not waiting:
            self.request_ended()

    # What happens instead.

    def _refuse_request(self, error: BadRequest) -> None:
        reason = Reason.TOO_LARGE if error.status == 413 else Reason.BAD_REQUEST
        host = self._request.host.decode("ascii", "replace") if self._request else ""
        if self._request is not None:
            self._request.keep_alive = False
        self.refuse(Refusal(reason, str(error), host, error.status))

    def send_refusal(self, refusal: Refusal) -> None:
        """
        See L{Frontend.send_refusal}; the connection goes on if the request
        had no body.
        """
        if self._writer is not None and self._writer.started:
            self.cut()
            return
        request = self._request
        persistent = request is not None and request.keep_alive and not request.has_body
        persistent = persistent and self._site.settings.keepalive > 0 and not self.router.draining
        if request is not None and not request.has_body:
            self._reception = Reception.NEXT
        head_only = request is not None and request.method == b"HEAD"
        self.transport.write(render(refusal, close=not persistent, head_only=head_only))
        self._next(persistent)

    def may_repeat(self) -> bool:
        """
        See L{emperor.proxy.session.Front}.
        """
        request = self._request
        return request is not None and request.method in IDEMPOTENT and not request.has_body

    def header(self, name: bytes) -> bytes:
        """
        See L{emperor.routing.pools.Seeker}; repeated headers are one.
        """
        request = self._request
        if request is None:
            return b""
        separator = b"; " if name == b"cookie" else b", "
        return separator.join(field.value for field in request.fields if field.name == name)

    def is_receiving(self) -> bool:
        """
        See L{emperor.proxy.session.Front}: whether the client owes a part of
        the body that the node has room for.
        """
        return self._reception is Reception.BODY and not self.reading.is_stopped_by_receiver

    def request_ended(self) -> None:
        """
        The client closed its half; without a whole request there is no answer.
        """
        if self._reception is Reception.NEXT:
            return
        if self._reception is Reception.HEAD and not self._reader.started:
            self.close(all_read=True)
            return
        if self.session is not None:
            self.session.abandon()
        self._refuse_request(BadRequest(400, "the client closed within its request"))

    def request_timed_out(self) -> None:
        """
        No request came, or only a part of one.
        """
        if self._reception is Reception.SPOOL:
            seconds = self.router.settings.timeout
            detail = f"the client did not send its request's body for {seconds:g} s"
        elif self._reception is not Reception.HEAD:
            self.refuse(self.late_mapper())
            return
        elif self._reader.started:
            seconds = self.router.settings.headers_timeout
            detail = f"the request's head was not complete after {seconds:g} s"
        else:
            self.close(all_read=True)
            return
        self.refuse(Refusal(Reason.REQUEST_TIMEOUT, detail))

    @property
    def host(self) -> str:
        """
        See L{Frontend.host}.
        """
        request = self._request
        return "" if request is None else self._host(request).decode("ascii", "backslashreplace")

    @property
    def is_idle(self) -> bool:
        """
        See L{Frontend.is_idle}.
        """
        return self._reception is Reception.HEAD and not self._reader.started

    @property
    def is_answering(self) -> bool:
        """
        See L{Frontend.is_answering}.
        """
        return self._writer is not None and self._writer.started

    def drain(self) -> None:
        """
        See L{Frontend.drain}.
        """
        if self.is_idle and not self.closing:
            self.close(all_read=True)


_RECEIVE: dict[Reception, Callable[[HttpFrontend, bytes], None]] = {
    Reception.HEAD: HttpFrontend._receive_head,
    Reception.BODY: HttpFrontend._receive_body,
    Reception.SPOOL: HttpFrontend._receive_spool,
    Reception.NEXT: HttpFrontend._receive_next,
}
