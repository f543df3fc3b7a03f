"""
uwsgi in, uwsgi out: uWSGI's FastRouter.

The variables go to the node as they came; only the modifiers of the packet
become the node's.  What follows the packet is passed on as it comes, and so is
the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from emperor.proxy.frontend import Frontend
from emperor.proxy.refusals import Reason, Refusal, render
from emperor.proxy.router import Refused, Router
from emperor.proxy.session import Session
from emperor.wire.uwsgi import BadPacket, Packet, PacketReader, find_variables

#: Variables that name the key, the most important first (uWSGI, fastrouter).
KEY_VARIABLES = (b"UWSGI_FASTROUTER_KEY", b"HTTP_HOST", b"SERVER_NAME")

_READ = frozenset([*KEY_VARIABLES, b"CONTENT_LENGTH"])

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

    def __init__(self, router: Router) -> None:
        super().__init__(router)
        self._packet = PacketReader()
        self._body = b""
        self._has_body = self._answering = False
        self._remaining = 0

    def received(self, data: bytes) -> None:
        """
        The packet, then the body.
        """
        if self.session is not None:
            self.expect_within(self.router.settings.timeout)
            self._has_body = True
            self._remaining -= len(data)
            self.tie(self.session)
            self.session.transport.write(data)
            return
        packet, rest = self._packet.feed(data)
        if packet is not None and rest is not None:
            self._begin(packet, rest)

    def _begin(self, packet: Packet, rest: bytes) -> None:
        self._body = rest
        self._has_body = bool(rest)
        try:
            variables = find_variables(packet.payload, _READ)
            host = key_of(variables)
            pool = self.router.pool_for(host)
        except BadPacket as error:
            self.refuse(Refusal(Reason.BAD_REQUEST, f"malformed uwsgi packet: {error}"))
        except Refused as refused:
            self.refuse(refused.refusal)
        else:
            self._remaining = body_size(variables) - len(rest)
            self.reading.hold()
            self.expect_within(self.router.settings.timeout)
            self.session = Session(self.router, self, pool, host)
            self.session.start(packet.payload)

    def node_ready(self, session: Session) -> None:
        """
        See L{emperor.proxy.session.Front}.
        """
        if self._remaining or self._body:
            self.tie(session)
        if self._body:
            session.transport.write(self._body)
            self._body = b""
        if self._client_ended:
            self._pass_end_on(session)
        self.reading.release()

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
        if clean or self._has_body:
            self.leave_session()
            self.close(all_read=not self._remaining)
        else:
            self.cut()

    def is_receiving(self) -> bool:
        """
        A packet does not say where its body ends: the node waits or it works.
        """
        return False

    def request_ended(self) -> None:
        """
        The web server closed its half: that is how some end a body.
        """
        if self.session is None and self._packet.started:
            detail = "the client closed within its uwsgi packet"
            self.refuse(Refusal(Reason.BAD_REQUEST, detail))
        elif self.session is None:
            self.close(all_read=True)
        elif self.session.transport is not None:
            self._pass_end_on(self.session)

    def _pass_end_on(self, session: Session) -> None:
        session.transport.unregisterProducer()
        session.transport.loseWriteConnection()

    def request_timed_out(self) -> None:
        """
        The packet did not come whole.
        """
        if self._packet.started:
            seconds = self.router.settings.headers_timeout
            detail = f"the uwsgi packet was not complete after {seconds:g} s"
            self.refuse(Refusal(Reason.REQUEST_TIMEOUT, detail))
        else:
            self.close(all_read=True)

    def send_refusal(self, refusal: Refusal) -> None:
        """
        HTTP text, as a node's answer would be.
        """
        self.transport.write(render(refusal, close=True))
        self.close(all_read=False)

    def drain(self) -> None:
        """
        A connection is one request: those that have begun may end.
        """
        if self.session is None and not self._packet.started and not self.closing:
            self.close(all_read=True)
