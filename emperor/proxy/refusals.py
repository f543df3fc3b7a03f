"""
Every answer that a router gives itself, in one table.

A request always gets an answer: plain text that names the host and the
reason, as HTTP in both routers, so that a web server in front passes it on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: Seconds after which a client may try again when no vassal answers.
RETRY_AFTER = 2

#: Refusals that are logged one by one in a second; the rest is only counted,
#: since a client can cause as many as it likes.
LOGGED_PER_SECOND = 20


class Reason(Enum):
    """
    Why a request was refused, with the status and whose turn it is.
    """

    #: The client's bytes are no request.
    BAD_REQUEST = "bad-request"
    #: The client's host is none, or would lead out of a directory.
    BAD_HOST = "bad-host"
    #: No rule and no mapper knows the host.
    UNKNOWN_HOST = "unknown-host"
    #: The client did not finish its request in time.
    REQUEST_TIMEOUT = "request-timeout"
    #: The body is larger than is taken.
    TOO_LARGE = "too-large"
    #: The body cannot be kept here: no room, no descriptor.
    NO_ROOM = "no-room"
    #: The node accepted and then failed.
    NODE_FAILED = "node-failed"
    #: Nothing accepts at the node's address.
    NODE_ABSENT = "node-absent"
    #: The node did not accept or answer in time.
    NODE_TIMEOUT = "node-timeout"
    #: Who should tell the host's node cannot be asked.
    MAPPER_UNAVAILABLE = "mapper-unavailable"
    #: What is told of the host's node makes no sense.
    MAPPER_BROKEN = "mapper-broken"
    #: Routers send it round in a circle.
    LOOP = "loop"
    #: The program stops.
    STOPPING = "stopping"


_STATUS = {
    Reason.BAD_REQUEST: 400,
    Reason.BAD_HOST: 400,
    Reason.UNKNOWN_HOST: 404,
    Reason.REQUEST_TIMEOUT: 408,
    Reason.TOO_LARGE: 413,
    Reason.NO_ROOM: 503,
    Reason.NODE_FAILED: 502,
    Reason.NODE_ABSENT: 503,
    Reason.NODE_TIMEOUT: 504,
    Reason.MAPPER_UNAVAILABLE: 503,
    Reason.MAPPER_BROKEN: 502,
    Reason.LOOP: 508,
    Reason.STOPPING: 503,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    One answer of the router's own.

    @ivar host: as the client sent it, decoded; empty if it is not known.
    @ivar detail: a sentence without its full stop.
    @ivar status: the HTTP status, where it differs from the reason's usual one.
    """

    reason: Reason
    detail: str
    host: str = ""
    status: int = 0

    @property
    def code(self) -> int:
        """
        The HTTP status.
        """
        return self.status or _STATUS[self.reason]


class Refused(Exception):
    """
    The request gets the router's own answer.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def no_room(error: OSError, host: bytes) -> Refusal:
    """
    The answer to a request whose body cannot be kept here.
    """
    detail = f"the request's body cannot be kept: {error.strerror or error}"
    return Refusal(Reason.NO_ROOM, detail, host.decode("ascii", "backslashreplace"))


def render(refusal: Refusal, *, close: bool, head_only: bool = False) -> bytes:
    """
    The whole HTTP answer.

    @param close: say that the connection ends with it.
    @param head_only: the request was HEAD.
    """
    code = refusal.code
    phrase = HTTPStatus(code).phrase
    about = f"Host: {refusal.host}\n" if refusal.host else ""
    body = f"{code} {phrase}\n{about}Reason: {refusal.detail.rstrip('.')}.\n".encode(
        "utf-8", "backslashreplace"
    )
    head = [
        f"HTTP/1.1 {code} {phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    ]
    if code == 503:
        head.append(f"Retry-After: {RETRY_AFTER}")
    if close:
        head.append("Connection: close")
    text = "\r\n".join([*head, "", ""]).encode("ascii")
    return text if head_only else text + body


class RefusalLog:
    """
    Counts every refusal and logs as many as a log can bear.

    @ivar counts: how many of each reason since the start.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.counts: Counter[Reason] = Counter()
        self._timer: IDelayedCall | None = None
        self._logged = 0
        self._unlogged = 0

    def refused(self, refusal: Refusal, router: str, peer: str) -> None:
        """
        Take note of one refusal.

        @param router: C{"http"} or C{"fastrouter"}.
        """
        self.counts[refusal.reason] += 1
        if self._timer is None:
            self._timer = self._clock.callLater(1, self._end_second)
        if self._logged >= LOGGED_PER_SECOND:
            self._unlogged += 1
            return
        self._logged += 1
        self._log.info(
            "{router} refused {peer} with {code}: {detail} (host {host!r})",
            router=router,
            peer=peer,
            code=refusal.code,
            detail=refusal.detail,
            host=refusal.host,
        )

    def _end_second(self) -> None:
        if self._unlogged:
            self._log.info("{count} more requests were refused", count=self._unlogged)
        self._timer = None
        self._logged = self._unlogged = 0
