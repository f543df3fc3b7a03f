"""
The head of an HTTP/1 request, read strictly (RFC 9112), and chunked bodies.

What two readers could understand differently is refused: a bare LF, a folded
header, a space before the colon, a control character, Content-Length beside
Transfer-Encoding, a signed or repeated Content-Length, several Hosts, more than
one space in the request line.  Names with an underscore are dropped, because
behind a gateway C{X_A} and C{X-A} would be one variable.

Chunks are decoded by httptools (llhttp), against which the tests also hold the
reading of heads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httptools

from emperor.wire.headers import Field, make_field, read_fields

#: Bytes of a request's head; a uwsgi packet could not carry more.
HEAD_LIMIT = 0xFFFF

#: Bytes of the request line.
LINE_LIMIT = 16 * 1024

#: Bytes of empty lines before a request.
BLANK_LIMIT = 16

#: Header lines in one request.
HEADERS_LIMIT = 100

#: Bytes around the body of a chunked request, beside eight for each byte of body.
CHUNK_OVERHEAD_LIMIT = 64 * 1024

_BLANK = (b"\r", b"\n")
_END = b"\r\n\r\n"
_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[!-~]+")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_MINOR_VERSIONS = {b"HTTP/1.0": 0, b"HTTP/1.1": 1}
_TOKEN_START = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)

#: The methods that are passed on: those that llhttp knows, but for CONNECT, PRI
#: and the ones of RTSP and ICE.
_METHODS = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS PATCH TRACE QUERY ACL BIND CHECKOUT COPY LINK LOCK "
    b"M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE REBIND "
    b"REPORT SEARCH SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)


class BadRequest(ValueError):
    """
    The client sent something that is not answered with a node's answer.

    @ivar status: the HTTP status that says so.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class RequestHead:
    """
    What stands before a request's body.

    @ivar target: in origin form, C{/path?query}, or C{*}.
    @ivar host: from the target if that was absolute, else the Host header;
        empty if neither names one.
    @ivar fields: in order, without names that have an underscore; Host has
        what an absolute target names (RFC 9112 section 3.2.2), so that the
        application sees what the request was routed by.
    @ivar repeated: whether two of the fields have one name.
    @ivar content_length: bytes of the body; 0 if there is none or if it is
        C{chunked}.
    @ivar has_length: whether the length of the body is said or will be known.
    """

    method: bytes
    target: bytes
    minor_version: int
    fields: list[Field]
    repeated: bool = False
    host: bytes = b""
    content_length: int = 0
    has_length: bool = False
    chunked: bool = False
    keep_alive: bool = True
    expects_continue: bool = False

    @property
    def has_body(self) -> bool:
        """
        Whether bytes of a body follow.
        """
        return self.chunked or self.content_length > 0


class RequestReader:
    """
    Collect the heads of requests, one after the other, from bytes that are cut
    anywhere.

    It holds at most L{HEAD_LIMIT} bytes.
    """

    __slots__ = ("_blank", "_buffer")

    def __init__(self) -> None:
        self._buffer = b""
        self._blank = 0

    @property
    def started(self) -> bool:
        """
        Whether a part of a request is here.
        """
        return bool(self._buffer)

    def feed(self, data: bytes) -> tuple[RequestHead, bytes] | tuple[None, None]:
        """
        Take the next bytes.

        @return: the head and the bytes after it, or twice L{None}: more is
            needed.
        @raise BadRequest: this is no HTTP/1 request, or too large a one.
        """
        before = len(self._buffer)
        if before:
            data = self._buffer + data
        elif data.startswith(_BLANK):
            data = self._without_blank_lines(data)
        end = data.find(_END, max(0, before - len(_END)))
        if not 0 <= end <= HEAD_LIMIT:
            self._check_part(data, before)
            self._buffer = data
            return None, None
        self._buffer = b""
        self._blank = 0
        return _read(data[:end]), data[end + len(_END) :]

    def _without_blank_lines(self, data: bytes) -> bytes:
        """
        Pass over an empty line before the request (RFC 9112 section 2.2).
        """
        kept = data.lstrip(b"\r\n")
        self._blank += len(data) - len(kept)
        if self._blank > BLANK_LIMIT:
            raise BadRequest(400, "only empty lines instead of a request")
        return kept

    def _check_part(self, data: bytes, before: int) -> None:
        """
        @param before: bytes that have been checked; only the others are, so
            that a head in many small pieces costs no more than in one.
        """
        if data and not _TOKEN_START.match(data):
            raise BadRequest(400, "this is not an HTTP request")
        # One or three bytes more: a part of the line's or the head's end.
        if data.find(b"\r\n", 0, LINE_LIMIT + 2) < 0 and len(data) > LINE_LIMIT + 1:
            raise BadRequest(414, f"the request line is over {LINE_LIMIT} bytes")
        if len(data) > HEAD_LIMIT + 3:
            raise BadRequest(431, f"the request's head is over {HEAD_LIMIT} bytes")
        start = max(0, before - 1)
        if data.count(b"\n", start + (before > 0)) != data.count(b"\r\n", start):
            raise BadRequest(400, "a line ends with LF alone")


def _read(text: bytes) -> RequestHead:
    lines = text.split(b"\r\n")
    line = lines.pop(0)
    method, target, minor_version = _request_line(line)
    if len(lines) > HEADERS_LIMIT:
        raise BadRequest(431, f"more than {HEADERS_LIMIT} header lines")
    try:
        fields = read_fields(lines)
    except ValueError as error:
        raise BadRequest(400, str(error)) from error
    repeated = len({field.name for field in fields}) < len(fields)
    head = RequestHead(method, target, minor_version, fields, repeated)
    _decide(head, [field for field in fields if field.decides])
    return head


def _request_line(line: bytes) -> tuple[bytes, bytes, int]:
    try:
        method, target, version = line.split(b" ")
        minor_version = _MINOR_VERSIONS[version]
    except (ValueError, KeyError):
        raise _bad_line(line) from None
    if len(line) > LINE_LIMIT or _TARGET.fullmatch(target) is None:
        raise _bad_line(line)
    if method not in _METHODS:
        raise _bad_method(method)
    return method, target, minor_version


def _decide(head: RequestHead, fields: list[Field]) -> None:
    """
    Take from the deciding fields where the request goes and where it ends.
    """
    singles: dict[bytes, bytes] = {}
    for field in fields:
        name = field.name
        if name == b"connection":
            if _asks_to_close(field.value):
                head.keep_alive = False
        elif field.ignored:
            head.fields = [each for each in head.fields if not each.ignored]
        elif name in singles:
            raise BadRequest(400, f"more than one {name.decode()} header")
        else:
            singles[name] = field.value
    _take_host(head, singles.pop(b"host", None))
    if singles:
        _take_framing(head, singles)


def _take_host(head: RequestHead, host: bytes | None) -> None:
    """
    What an absolute target names counts, and is what Host says from here on.
    """
    if not head.minor_version:
        head.keep_alive = False
    elif host is None:
        raise BadRequest(400, "HTTP/1.1 without a Host header")
    if head.target == b"*" and head.method != b"OPTIONS":
        raise BadRequest(400, "the target * is for OPTIONS only")
    if head.target.startswith(b"/") or head.target == b"*":
        head.host = host or b""
        return
    head.target, head.host = _origin_form(head.target)
    others = [field for field in head.fields if field.name != b"host"]
    head.fields = [make_field(b"host", head.host), *others]


def _take_framing(head: RequestHead, singles: dict[bytes, bytes]) -> None:
    length, encoding = singles.get(b"content-length"), singles.get(b"transfer-encoding")
    if encoding is not None:
        if encoding.lower() != b"chunked" or not head.minor_version:
            raise BadRequest(501, "the only transfer encoding taken is chunked, in HTTP/1.1")
        if length is not None:
            raise BadRequest(400, "Content-Length beside Transfer-Encoding")
        head.chunked = head.has_length = True
    elif length is not None:
        head.content_length = _content_length(length)
        head.has_length = True
    expected = singles.get(b"expect", b"").lower()
    head.expects_continue = head.minor_version == 1 and expected == b"100-continue"


def _asks_to_close(value: bytes) -> bool:
    if value == b"keep-alive":
        return False
    value = value.lower()
    return value == b"close" or any(o.strip(b" \t") == b"close" for o in value.split(b","))


def _bad_method(method: bytes) -> BadRequest:
    if _METHOD.fullmatch(method) is None:
        return BadRequest(400, "the request line is not METHOD TARGET HTTP/1.x")
    if method == b"CONNECT":
        return BadRequest(501, "CONNECT is not offered here")
    return BadRequest(501, "unknown method")


def _bad_line(line: bytes) -> BadRequest:
    if len(line) > LINE_LIMIT:
        return BadRequest(414, f"the request line is over {LINE_LIMIT} bytes")
    parts = line.split(b" ")
    known = len(parts) == 3 and parts[2] in _MINOR_VERSIONS
    if len(parts) == 3 and not known and _VERSION.fullmatch(parts[2]):
        return BadRequest(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    return BadRequest(400, "the request line is not METHOD TARGET HTTP/1.x")


def _content_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise BadRequest(400, "Content-Length is not a number of bytes")
    return int(value)


def _origin_form(target: bytes) -> tuple[bytes, bytes]:
    """
    Take an absolute target apart: what stands behind the authority, and the
    authority (RFC 9112 section 3.2.2).
    """
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise BadRequest(400, "the target is neither a path nor an http URL")
    authority, rest = match.groups()
    authority = authority.rpartition(b"@")[2]
    if not authority:
        raise BadRequest(400, "the target is a URL without a host")
    return (rest if rest.startswith(b"/") else b"/" + rest), authority


class _Events:
    """
    What httptools calls while it reads.
    """

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.complete = False

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self.body.append(data)

    def on_message_complete(self) -> None:
        self.complete = True


class ChunksReader:
    """
    Decodes one chunked body.
    """

    def __init__(self) -> None:
        # Its own head: with the request's, an offered Upgrade would make the
        # parser take the chunks for another protocol.
        self._events = _Events()
        self._parser = httptools.HttpRequestParser(self._events)
        self._parser.feed_data(_CHUNKED_HEAD)

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Take the next bytes.

        @return: what they carry; and nothing, or L{None}: more is to come.
            What follows the last chunk is dropped: httptools does not say where
            it begins.
        @raise BadRequest: the chunks are malformed.
        """
        events = self._events
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not events.complete:
                raise BadRequest(400, f"bad chunk of the body: {error}") from error
        pieces = b"".join(events.body)
        events.body.clear()
        return pieces, b"" if events.complete else None
