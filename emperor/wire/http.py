"""
The head of an HTTP/1 request, read strictly (RFC 9112).

httptools (llhttp) checks the grammar: it refuses a bare LF, a folded header, a
space before the colon, NUL, Content-Length beside Transfer-Encoding, a signed
or repeated Content-Length.  This module adds what llhttp leaves to its caller:
one space between the parts of the request line, the version, a single Host,
limits.  Names with an underscore are dropped, because behind a gateway
C{X_A} and C{X-A} would be one variable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httptools

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

_END = b"\r\n\r\n"
_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.([01])\r\n")
_OTHER_VERSION = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/[0-9]\.[0-9]")
_TOKEN_START = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


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
    @ivar headers: in order, names in lower case, without names that have an
        underscore; Host has what an absolute target names (RFC 9112 section
        3.2.2), so that the application sees what the request was routed by.
    @ivar content_length: bytes of the body; 0 if there is none or if it is
        C{chunked}.
    @ivar has_length: whether the length of the body is said or will be known.
    """

    method: bytes
    target: bytes
    minor_version: int
    host: bytes
    headers: list[tuple[bytes, bytes]]
    content_length: int
    has_length: bool
    chunked: bool
    keep_alive: bool
    expects_continue: bool

    @property
    def has_body(self) -> bool:
        """
        Whether bytes of a body follow.
        """
        return self.chunked or self.content_length > 0


class _Events:
    """
    What httptools calls while it reads.
    """

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.head_complete = self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self.head_complete = True

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self.body.append(data)

    def on_message_complete(self) -> None:
        self.complete = True


class RequestReader:
    """
    Collect one request's head from bytes that are cut anywhere.

    It holds at most L{HEAD_LIMIT} bytes and is good for one request.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._blank = 0
        self._events = _Events()
        self._parser = httptools.HttpRequestParser(self._events)

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
        data = self._buffer + data if before else self._without_blank_lines(data)
        end = data.find(_END, max(0, before - len(_END)))
        if not 0 <= end <= HEAD_LIMIT:
            self._check_part(data, before)
            self._buffer = data
            return None, None
        end += len(_END)
        self._buffer = b""
        return self._read(data[:end]), data[end:]

    def _without_blank_lines(self, data: bytes) -> bytes:
        """
        Pass over an empty line before the request (RFC 9112 section 2.2).
        """
        kept = data.lstrip(b"\r\n")
        self._blank += len(data) - len(kept)
        if self._blank > BLANK_LIMIT:
            raise BadRequest(400, "only empty lines instead of a request")
        return kept

    def body(self, data: bytes) -> tuple[bytes, bool]:
        """
        Decode the next bytes of a chunked body.

        @return: what they carry, and whether the body is complete; bytes
            after its end are dropped.
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
        return pieces, events.complete

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

    def _read(self, head: bytes) -> RequestHead:
        match = _REQUEST_LINE.match(head)
        if match is None or match.end() > LINE_LIMIT + 2:
            raise _bad_line(head.partition(b"\r\n")[0])
        self._parse(head)
        return self._head(match[1], match[2], match[3] == b"1", b"_" in head)

    def _parse(self, head: bytes) -> None:
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserInvalidMethodError as error:
            raise BadRequest(501, "unknown method") from error
        except httptools.HttpParserError as error:
            raise BadRequest(400, str(error)) from error
        if not self._events.head_complete:
            raise BadRequest(400, "the head does not end where its empty line is")
        if len(self._events.headers) > HEADERS_LIMIT:
            raise BadRequest(431, f"more than {HEADERS_LIMIT} header lines")

    def _head(self, method: bytes, target: bytes, is_1_1: bool, unusual: bool) -> RequestHead:
        """
        @param unusual: there may be a name with an underscore.
        """
        if method == b"CONNECT":
            raise BadRequest(501, "CONNECT is not offered here")
        headers = self._events.headers
        singles, connection = _special_headers(headers)
        encoding = singles.get(b"transfer-encoding")
        if encoding is not None and (encoding.lower() != b"chunked" or not is_1_1):
            raise BadRequest(501, "the only transfer encoding taken is chunked, in HTTP/1.1")
        host = singles.get(b"host")
        if host is None and is_1_1:
            raise BadRequest(400, "HTTP/1.1 without a Host header")
        if unusual:
            headers = [pair for pair in headers if b"_" not in pair[0]]
        if not target.startswith(b"/") and target != b"*":
            target, authority = _origin_form(target)
            headers = [(b"host", authority), *(pair for pair in headers if pair[0] != b"host")]
            host = authority
        length = singles.get(b"content-length")
        head = RequestHead(
            method,
            target,
            1 if is_1_1 else 0,
            host or b"",
            headers,
            0 if length is None else _content_length(length),
            length is not None or encoding is not None,
            encoding is not None,
            is_1_1 and not (connection and _asks_to_close(connection)),
            is_1_1 and singles.get(b"expect", b"").lower() == b"100-continue",
        )
        if encoding is not None:
            self._begin_body()
        return head

    def _begin_body(self) -> None:
        """
        Give the chunks a parser of their own: that of the head would take them
        for another protocol if the client offers an Upgrade.
        """
        self._events = _Events()
        self._parser = httptools.HttpRequestParser(self._events)
        self._parser.feed_data(_CHUNKED_HEAD)


#: Headers that decide where a request goes or ends: repeated, they are refused.
_SINGLE = frozenset([b"host", b"content-length", b"transfer-encoding", b"expect"])


def _special_headers(
    headers: list[tuple[bytes, bytes]],
) -> tuple[dict[bytes, bytes], list[bytes]]:
    """
    @return: those that may come once, and the values of Connection.
    """
    singles: dict[bytes, bytes] = {}
    connection: list[bytes] = []
    for name, value in headers:
        if name in _SINGLE:
            if name in singles:
                raise BadRequest(400, f"more than one {name.decode()} header")
            singles[name] = value
        elif name == b"connection":
            connection.append(value)
    return singles, connection


def _asks_to_close(connection: list[bytes]) -> bool:
    options = b",".join(connection).lower().split(b",")
    return any(option.strip() == b"close" for option in options)


def _bad_line(line: bytes) -> BadRequest:
    if len(line) > LINE_LIMIT:
        return BadRequest(414, f"the request line is over {LINE_LIMIT} bytes")
    if _OTHER_VERSION.fullmatch(line):
        return BadRequest(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    return BadRequest(400, "the request line is not METHOD TARGET HTTP/1.x")


def _content_length(value: bytes | None) -> int:
    if value is None:
        return 0
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
