"""
uwsgi in, uwsgi out: uWSGI's FastRouter.

The variables go to the node as they came; only the modifiers of the packet
become the node's, and variables that steer a worker pass from trusted peers
only.  What follows the packet is passed on as it comes, unless it is to be kept
first, and so is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from emperor.proxy.frontend import Frontend
from emperor.proxy.refusals import Reason, Refusal, Refused, no_room, render
from emperor.proxy.router import Router
from emperor.proxy.session import IDEMPOTENT, Session
from emperor.proxy.spool import SizedReader, Spool
from emperor.proxy.trust import Trust
from emperor.routing.pools import Pool
from emperor.wire.hops import WAY
from emperor.wire.uwsgi import BadPacket, PacketReader, find_variables, without_prefix

#: Variables that name the key, the most important first (uWSGI, fastrouter).
KEY_VARIABLES = (b"UWSGI_FASTROUTER_KEY", b"HTTP_HOST", b"SERVER_NAME")

_READ = frozenset(
    [*KEY_VARIABLES, WAY, b"CONTENT_LENGTH", b"PATH_INFO", b"REMOTE_ADDR", b"REQUEST_METHOD"]
)

#: A worker takes its orders from variables with these names: which file to run,
#: which interpreter to use.  One of them only names the key.
_CONTROL = b"UWSGI_"
_HARMLESS = frozenset([b"UWSGI_FASTROUTER_KEY"])

#: Bytes of the longest body that C{post-buffering} keeps; a longer one is passed
#: on as it comes.
BUFFERED_LIMIT = 128 * 1024 * 1024

#: An answer's first piece, of at most so many bytes, is passed on without flow
#: control: nearly always it is all of the answer.
SMALL = 16 * 1024


def key_of(variables: Mapping[bytes, bytes]) -> bytes:
    """
    The key that a request's variables ask for.

    @return: empty if none of L{KEY_VARIABLES} has a value.
    """
    return next((variables[name] for name in KEY_VARIABLES if variables.get(name)), b"")


def body_size(variables: Mapping[bytes, bytes]) -> int:
    """
    Bytes of the request's body, as far as its CONTENT_LENGTH tells.

    @return: -1: it says nothing that could be understood.
    """
    value = variables.get(b"CONTENT_LENGTH", b"")
    if not value:
        return 0
    return int(value) if value.isdigit() and len(value) <= 18 else -1


class UwsgiFrontend(Frontend):
    """
    A web server's connection: one request.
    """

    def __init__(self, router: Router, trust: Trust) -> None:
        super().__init__(router)
        self._trust = trust
        self._reader = PacketReader()
        self._payload: bytes | None = None
        self._variables: dict[bytes, bytes] = {}
        self._body = b""
        self._has_body = self._answering = False
        self._remaining = 0
        self._spool: Spool | None = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        See L{Frontend.connectionLost}.
        """
        super().connectionLost(reason)
        if self._spool is not None:
            self._spool.close()

    def received(self, data: bytes) -> None:
        """
        The packet, then the body.
        """
        if self._payload is None:
            self._receive_packet(data)
        elif self.session is not None:
            if self._spool is not None:
                return  # more than the packet told of
            self.expect_within(self.router.settings.timeout)
            self._has_body = True
            self._remaining -= len(data)
            if self.session.transport is None:  # it is on its way to another node
                self._body += data
                self.reading.hold()
                return
            self.tie(self.session)
            self.session.send(data)
        else:
            self._receive_spool(data)

    def _receive_packet(self, data: bytes) -> None:
        packet, rest = self._reader.feed(data)
        if packet is None or rest is None:
            return
        self._payload, self._body = packet.payload, rest
        self._has_body = bool(rest)
        self.expect_within(self.router.settings.timeout)
        try:
            self._variables = variables = find_variables(packet.payload, _READ)
            if _CONTROL in packet.payload and not self._trust.covers(self.transport.getPeer()):
                self._payload = without_prefix(packet.payload, _CONTROL, _HARMLESS)
            if WAY in variables:
                self._check_way(variables)
            self._remaining = body_size(variables) - len(rest)
            path = variables.get(b"PATH_INFO", b"")
            pool = self.router.routes.pool_for(key_of(variables), path)
        except BadPacket as error:
            self.refuse(Refusal(Reason.BAD_REQUEST, f"malformed uwsgi packet: {error}"))
        except Refused as refused:
            self.refuse(refused.refusal)
        else:
            self.reading.hold()
            if isinstance(pool, Deferred):
                self.wait_for(pool)
            else:
                self.routed(pool)

    def _check_way(self, variables: Mapping[bytes, bytes]) -> None:
        """
        @raise Refused: it goes round in a circle.
        """
        host = key_of(variables).decode("ascii", "backslashreplace")
        refusal = self.router.returned(variables[WAY], host)
        if refusal is not None:
            raise Refused(refusal)

    def routed(self, pool: Pool) -> None:
        """
        See L{Frontend.routed}.
        """
        self._pool = pool
        buffering = self.router.settings.post_buffering
        size = body_size(self._variables)
        if buffering and 0 < size <= BUFFERED_LIMIT:
            self._spool = Spool(SizedReader(size), BUFFERED_LIMIT, buffering)
            self.reading.release()
            body, self._body = self._body, b""
            self._receive_spool(body)
        else:
            self._start()

    def _receive_spool(self, data: bytes) -> None:
        spool = self._spool
        if spool is None:
            return
        self.expect_within(self.router.settings.timeout)
        try:
            rest = spool.feed(data)
        except OSError as error:
            self.refuse(no_room(error, key_of(self._variables)))
            return
        if rest is not None:
            self._remaining = 0
            self.reading.hold()
            self._start()

    def _start(self) -> None:
        self.session = Session(self.router, self, self._pool, key_of(self._variables))
        self.session.start(self._payload or b"")

    def node_ready(self, session: Session) -> None:
        """
        See L{emperor.proxy.session.Front}.
        """
        if self._spool is not None:
            self.listen_to(session)
            sending = self._spool.send(session.transport, self._sent)
            sending.addErrback(lambda _: None)  # the session hears of it as well
        elif self._remaining or self._body:
            self.tie(session)
        if self._body:
            session.send(self._body)
            self._body = b""
        if self._client_ended:
            self._pass_end_on(session)
        self.reading.release()

    def _sent(self, data: bytes) -> bytes:
        self.expect_within(self.router.settings.timeout)
        return data

    def answer(self, data: bytes) -> None:
        """
        See L{emperor.proxy.session.Front}.
        """
        self.expect_within(self.router.settings.timeout)
        if (self._answering or len(data) > SMALL) and self.session is not None:
            self.tie(self.session)
        self._answering = True
        self.transport.write(data)

    def answer_ended(self, clean: bool) -> None:
        """
        See L{emperor.proxy.session.Front}; the answer's length is the
        client's to check.

        An error is no loss where the request had a body: a node that answers
        without reading all of it makes the kernel send one.
        """
        if clean or self._has_body or self._spool is not None:
            self.leave_session()
            self.close(all_read=not self._remaining)
        else:
            self.cut()

    def is_receiving(self) -> bool:
        """
        A packet does not say where its body ends: the node waits or it works.
        """
        return False

    def may_repeat(self) -> bool:
        """
        See L{emperor.proxy.session.Front}.
        """
        method = self._variables.get(b"REQUEST_METHOD")
        return method in IDEMPOTENT and not (self._has_body or self._remaining or self._spool)

    def client_address(self) -> bytes:
        """
        See L{emperor.routing.pools.Seeker}: what a trusted web server says, or
        else the web server itself.
        """
        told = self._variables.get(b"REMOTE_ADDR", b"")
        if told and self._trust.covers(self.transport.getPeer()):
            return told
        return super().client_address()

    def header(self, name: bytes) -> bytes:
        """
        See L{emperor.routing.pools.Seeker}.
        """
        variable = b"HTTP_" + name.upper().replace(b"-", b"_")
        return find_variables(self._payload or b"", frozenset([variable])).get(variable, b"")

    @property
    def host(self) -> str:
        """
        See L{Frontend.host}.
        """
        return key_of(self._variables).decode("ascii", "backslashreplace")

    @property
    def is_idle(self) -> bool:
        """
        See L{Frontend.is_idle}.
        """
        return self._payload is None and not self._reader.started

    @property
    def is_answering(self) -> bool:
        """
        See L{Frontend.is_answering}.
        """
        return self._answering

    def request_ended(self) -> None:
        """
        The web server closed its half: that is how some end a body.
        """
        if self._payload is None:
            if self._reader.started:
                detail = "the client closed within its uwsgi packet"
                self.refuse(Refusal(Reason.BAD_REQUEST, detail))
            else:
                self.close(all_read=True)
        elif self.session is not None:
            if self.session.transport is not None:
                self._pass_end_on(self.session)
        elif self._spool is not None:
            detail = "the client closed within its request's body"
            self.refuse(Refusal(Reason.BAD_REQUEST, detail))

    def _pass_end_on(self, session: Session) -> None:
        if self._spool is None:
            session.transport.unregisterProducer()
            session.transport.loseWriteConnection()

    def request_timed_out(self) -> None:
        """
        The packet did not come whole, or the body that is kept first, or
        nobody told where the request goes.
        """
        settings = self.router.settings
        if self._spool is not None:
            detail = f"the client did not send its request's body for {settings.timeout:g} s"
        elif self._payload is not None:
            self.refuse(self.late_mapper())
            return
        elif self._reader.started:
            detail = f"the uwsgi packet was not complete after {settings.headers_timeout:g} s"
        else:
            self.close(all_read=True)
            return
        self.refuse(Refusal(Reason.REQUEST_TIMEOUT, detail))

    def send_refusal(self, refusal: Refusal) -> None:
        """
        HTTP text, as a node's answer would be.
        """
        head_only = self._variables.get(b"REQUEST_METHOD") == b"HEAD"
        self.transport.write(render(refusal, close=True, head_only=head_only))
        self.close(all_read=False)

    def drain(self) -> None:
        """
        A connection is one request: those that have begun may end.
        """
        if self.is_idle and not self.closing:
            self.close(all_read=True)
