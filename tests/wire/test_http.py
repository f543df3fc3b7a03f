"""
The strict reading of HTTP/1 requests.
"""

from __future__ import annotations

import contextlib

import httptools
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.headers import make_field
from emperor.wire.http import (
    _METHODS,
    HEAD_LIMIT,
    HEADERS_LIMIT,
    LINE_LIMIT,
    BadRequest,
    ChunksReader,
    RequestHead,
    RequestReader,
)
from tests.wire.cutting import cuts

GET = b"GET /p?q HTTP/1.1\r\nHost: a.example\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(request: bytes) -> tuple[RequestHead, bytes]:
    head, rest = RequestReader().feed(request)
    assert head is not None and rest is not None
    return head, rest


def pairs(head: RequestHead) -> list[tuple[bytes, bytes]]:
    return [(field.name, field.value) for field in head.fields]


def with_headers(*lines: bytes) -> bytes:
    return GET[:-2] + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


class ReaderCase(SynchronousTestCase):
    def assert_refused(self, request: bytes, status: int = 400) -> None:
        """
        The request is refused, whole and byte by byte.
        """
        error = self.assertRaises(BadRequest, RequestReader().feed, request)
        self.assertEqual(error.status, status, request[:80])
        if len(request) < 1000:
            reader = RequestReader()
            self.assertRaises(BadRequest, lambda: [reader.feed(bytes([c])) for c in request])


class HeadTests(ReaderCase):
    def test_parts(self) -> None:
        """
        A head is taken apart; what follows comes back untouched.
        """
        head, rest = read(GET + b"next")
        self.assertEqual(
            head,
            RequestHead(
                method=b"GET",
                target=b"/p?q",
                minor_version=1,
                host=b"a.example",
                fields=[make_field(b"host", b"a.example")],
                repeated=False,
                content_length=0,
                has_length=False,
                chunked=False,
                keep_alive=True,
                expects_continue=False,
            ),
        )
        self.assertFalse(head.has_body)
        self.assertEqual(rest, b"next")

    def test_names_and_values(self) -> None:
        """
        Names are in lower case, values without surrounding white space, and
        repeated headers stay in order.
        """
        head, _ = read(with_headers(b"X-B: \t 1 \t", b"X-A:", b"X-B:2"))
        self.assertEqual(pairs(head)[1:], [(b"x-b", b"1"), (b"x-a", b""), (b"x-b", b"2")])
        self.assertTrue(head.repeated)

    def test_underscores(self) -> None:
        """
        A name with an underscore is dropped: behind us it would be another's.
        """
        head, _ = read(with_headers(b"X_Real: 1", b"X-Real: 2"))
        self.assertEqual(pairs(head)[1:], [(b"x-real", b"2")])

    def test_content_length(self) -> None:
        """
        The length of the body is a number.
        """
        head, rest = read(with_headers(b"Content-Length: 3") + b"abc")
        self.assertEqual((head.content_length, head.has_body, rest), (3, True, b"abc"))

    def test_expect(self) -> None:
        """
        A client may wait for 100 Continue, in HTTP/1.1.
        """
        request = with_headers(b"Content-Length: 3", b"Expect: 100-Continue")
        self.assertTrue(read(request)[0].expects_continue)
        self.assertFalse(read(request.replace(b"/1.1", b"/1.0"))[0].expects_continue)

    def test_keep_alive(self) -> None:
        """
        HTTP/1.1 goes on unless it is told to close; HTTP/1.0 does not.
        """
        self.assertTrue(read(with_headers(b"Connection: keep-alive"))[0].keep_alive)
        for value in (b"close", b"Close", b"te , close"):
            for request in (
                with_headers(b"Connection: " + value),
                with_headers(b"Content-Length: 3", b"Connection: " + value),
            ):
                self.assertFalse(read(request)[0].keep_alive, request)
        old = with_headers(b"Connection: keep-alive").replace(b"/1.1", b"/1.0")
        self.assertFalse(read(old)[0].keep_alive)

    def test_old_without_host(self) -> None:
        """
        HTTP/1.0 needs no Host.
        """
        head, _ = read(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((head.host, head.minor_version, head.fields), (b"", 0, []))

    def test_absolute_form(self) -> None:
        """
        The host of an absolute target counts, for us and for the application
        (RFC 9112 section 3.2.2).
        """
        targets = {
            b"http://b.example/p?q": b"/p?q",
            b"HTTPS://b.example": b"/",
            b"http://b.example?q": b"/?q",
            b"http://user:secret@b.example/": b"/",
        }
        for target, expected in targets.items():
            head, _ = read(GET.replace(b"/p?q", target))
            self.assertEqual((head.target, head.host), (expected, b"b.example"))
            self.assertEqual(pairs(head), [(b"host", b"b.example")])

    def test_nothing_but_empty_lines(self) -> None:
        """
        A client that sends only empty lines does not do so for ever.
        """
        reader = RequestReader()
        for _ in range(8):
            self.assertEqual(reader.feed(b"\r\n"), (None, None))
        self.assertRaises(BadRequest, reader.feed, b"\r\n")

    def test_leading_lines(self) -> None:
        """
        Empty lines before a request are skipped (RFC 9112 section 2.2).
        """
        reader = RequestReader()
        self.assertEqual(reader.feed(b"\r\n\r\n"), (None, None))
        self.assertFalse(reader.started)
        head, _ = reader.feed(b"\r\n" + GET)
        self.assertIsNotNone(head)

    def test_asterisk(self) -> None:
        """
        OPTIONS may ask the server as a whole.
        """
        self.assertEqual(read(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")[0].target, b"*")
        self.assertRaises(BadRequest, read, b"GET * HTTP/1.1\r\nHost: a\r\n\r\n")


class StrictTests(ReaderCase):
    def test_lines(self) -> None:
        """
        What readers could understand differently is refused.
        """
        for request in (
            GET.replace(b"\r\n", b"\n"),
            GET.replace(b"\r\n", b"\n", 1),
            GET.replace(b"Host: a.example\r\n", b"Host: a.example\nX: 1\r\n"),
            GET.replace(b"GET /", b"GET  /"),
            GET.replace(b" HTTP", b"\tHTTP"),
            GET.replace(b"/p", b"/\x80"),
            GET.replace(b"/p", b"p"),
            with_headers(b"X : 1"),
            with_headers(b"X: 1", b" folded"),
            with_headers(b"X: a\0b"),
            with_headers(b"X: a\rb"),
            with_headers(b"no colon"),
            with_headers(b": no name"),
            b"\x16\x03\x01\x02\x00\x01\x00",
        ):
            self.assert_refused(request)

    def test_framing(self) -> None:
        """
        A body's end must be clear: no two lengths, no length beside chunks.
        """
        for lines in (
            [b"Content-Length: 3", b"Content-Length: 3"],
            [b"Content-Length: 3", b"Transfer-Encoding: chunked"],
            [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
            [b"Content-Length: +3"],
            [b"Content-Length: 0x3"],
            [b"Content-Length: 3, 3"],
            [b"Content-Length:"],
            [b"Content-Length: " + b"1" * 19],
            [b"Content-Length: " + b"1" * 5000],
        ):
            with_lines = with_headers(*lines)
            error = self.assertRaises(BadRequest, RequestReader().feed, with_lines)
            self.assertIn(error.status, (400, 501), lines)

    def test_encodings(self) -> None:
        """
        The only transfer encoding is chunked, in HTTP/1.1.
        """
        self.assert_refused(with_headers(b"Transfer-Encoding: gzip, chunked"), 501)
        self.assert_refused(CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0"), 501)

    def test_host(self) -> None:
        """
        HTTP/1.1 names exactly one host.
        """
        self.assert_refused(with_headers(b"Host: b.example"))
        self.assert_refused(with_headers(b"Host: a.example"))
        self.assert_refused(b"GET / HTTP/1.1\r\n\r\n")
        self.assert_refused(GET.replace(b"/p?q", b"http:///p"))

    def test_versions_and_methods(self) -> None:
        """
        Other versions, unknown methods and CONNECT are not offered.
        """
        self.assert_refused(b"PRI * HTTP/2.0\r\n\r\n", 505)
        self.assert_refused(GET.replace(b"/1.1", b"/1.2"), 505)
        self.assert_refused(GET.replace(b"/1.1", b"/0.9"), 505)
        self.assert_refused(GET.replace(b"GET", b"get"), 501)
        self.assert_refused(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501)


class LimitTests(ReaderCase):
    def line(self, length: int) -> bytes:
        start, end = b"GET /", b" HTTP/1.1"
        path = b"a" * (length - len(start) - len(end))
        return start + path + end + b"\r\nHost: a\r\n\r\n"

    def test_line(self) -> None:
        """
        A request line may have 16 KiB, wherever it is cut; one byte more is 414.
        """
        longest = self.line(LINE_LIMIT)
        self.assert_same(longest, range(LINE_LIMIT - 2, LINE_LIMIT + 5))
        self.assert_refused(self.line(LINE_LIMIT + 1), 414)
        reader = RequestReader()
        error = self.assertRaises(BadRequest, reader.feed, b"G" * (LINE_LIMIT + 2))
        self.assertEqual(error.status, 414)

    def head(self, length: int) -> bytes:
        return with_headers(b"X: " + b"a" * (length - len(GET) - 1))

    def test_head(self) -> None:
        """
        A head may have 64 KiB, wherever it is cut; one byte more is 431.
        """
        longest = self.head(HEAD_LIMIT)
        self.assert_same(longest, range(len(longest) - 6, len(longest)))
        self.assert_refused(self.head(HEAD_LIMIT + 1), 431)
        reader = RequestReader()
        error = self.assertRaises(BadRequest, reader.feed, longest[:-4] + b"aaaa")
        self.assertEqual(error.status, 431)

    def assert_same(self, request: bytes, places: range) -> None:
        expected = read(request)
        for place in places:
            reader = RequestReader()
            self.assertEqual(reader.feed(request[:place]), (None, None), place)
            self.assertEqual(reader.feed(request[place:]), expected)

    def test_headers(self) -> None:
        """
        A hundred header lines are taken; one more is 431.
        """
        read(with_headers(*[b"X: 1"] * (HEADERS_LIMIT - 1)))
        self.assert_refused(with_headers(*[b"X: 1"] * HEADERS_LIMIT), 431)


LINES = st.lists(
    st.sampled_from(
        b"X-A: 1|Cookie: a=b|X_A: 2|Content-Length: 5|Connection: close|Bad |X: a\nb|Host: b|"
        b"Transfer-Encoding: chunked|Expect: 100-continue".split(b"|")
    ),
    max_size=4,
)
GARBAGE = st.lists(
    st.sampled_from([b"GET", b"/", b" ", b"\r\n", b"\n", b"HTTP/1.1", b"Host: a", b":", b"\0"])
    | st.binary(max_size=5),
    max_size=12,
).map(b"".join)


def outcome(pieces: list[bytes]) -> tuple[RequestHead, bytes] | str:
    """
    What a reader makes of these pieces.
    """
    reader, rest = RequestReader(), b""
    head: RequestHead | None = None
    for piece in pieces:
        if head is not None:
            rest += piece
            continue
        try:
            head, behind = reader.feed(piece)
        except BadRequest:
            return "refused"
        rest = behind or b""
    return "incomplete" if head is None else (head, rest)


class AnyCutTests(SynchronousTestCase):
    @given(st.data(), LINES, st.binary(max_size=10))
    def test_requests(self, data: st.DataObject, lines: list[bytes], rest: bytes) -> None:
        """
        A request is the same wherever its bytes are cut.
        """
        whole = with_headers(*lines) + rest
        self.assertEqual(outcome(data.draw(cuts(whole))), outcome([whole]))

    @given(st.data(), GARBAGE)
    @settings(max_examples=300)
    def test_garbage(self, data: st.DataObject, whole: bytes) -> None:
        """
        Any garbage is refused or incomplete, and never raises anything else.
        A part may be refused before the whole is known.
        """
        cut, uncut = outcome(data.draw(cuts(whole))), outcome([whole])
        if cut != "refused":
            self.assertEqual(cut, uncut)
        if isinstance(uncut, tuple):
            self.assertEqual(cut, uncut)


class Events:
    """
    What llhttp tells of a head.
    """

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self.complete = True


def as_llhttp(request: bytes) -> list[tuple[bytes, bytes]] | None:
    """
    The headers that llhttp finds, or L{None} if it refuses.
    """
    events = Events()
    with contextlib.suppress(httptools.HttpParserUpgrade):
        try:
            httptools.HttpRequestParser(events).feed_data(request)
        except httptools.HttpParserError:
            return None
    return events.fields if events.complete else None


#: Bytes that matter to a reader, between any others.
TROUBLE = st.lists(
    st.sampled_from([b" ", b"\t", b"\r", b"\n", b"\r\n", b":", b"\0", b"\x7f", b"\x80", b"a", b"_"])
    | st.binary(max_size=2),
    max_size=6,
).map(b"".join)


class LlhttpTests(SynchronousTestCase):
    """
    What llhttp refuses is refused here, and what is taken is read alike.
    """

    def check(self, request: bytes) -> None:
        """
        Compare the two readers.
        """
        try:
            head, rest = RequestReader().feed(request)
        except BadRequest:
            return
        if head is not None and rest is not None:
            other = as_llhttp(request.removesuffix(rest))
            assert other is not None, request
            kept = [pair for pair in other if b"_" not in pair[0]]
            if not head.target.startswith(b"/"):
                kept = [pair for pair in kept if pair[0] != b"host"]
            self.assertEqual([p for p in pairs(head) if p in kept], kept, request)

    @given(TROUBLE, TROUBLE)
    @settings(max_examples=400)
    def test_fields(self, name: bytes, value: bytes) -> None:
        """
        Any header line.
        """
        self.check(with_headers(b"X" + name + b":" + value))
        self.check(with_headers(name + b"Content-Length:" + value + b"3"))

    @given(TROUBLE)
    @settings(max_examples=400)
    def test_lines(self, text: bytes) -> None:
        """
        Any request line.
        """
        self.check(GET.replace(b"/p", b"/" + text))
        self.check(text + GET)
        self.check(GET.replace(b"GET", b"GET" + text))
        self.check(GET.replace(b"HTTP/", b"HTTP/" + text))

    @given(LINES)
    @settings(max_examples=200)
    def test_requests(self, lines: list[bytes]) -> None:
        """
        Any usual lines together.
        """
        self.check(with_headers(*lines))

    def test_methods(self) -> None:
        """
        What is passed on, llhttp knows too.
        """
        for method in _METHODS:
            self.assertIsNotNone(as_llhttp(GET.replace(b"GET", method)), method)


@st.composite
def chunked(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """
    A body and one way to write it in chunks.
    """
    pieces = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
    extension = draw(st.sampled_from([b"", b";a=b"]))
    trailer = draw(st.sampled_from([b"", b"X-Sum: 1\r\n"]))
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(p), extension, p) for p in pieces)
    return b"".join(pieces), chunks + b"0\r\n" + trailer + b"\r\n"


class ChunksTests(SynchronousTestCase):
    @given(st.data(), chunked(), st.sampled_from([b"", GET, b"garbage", CHUNKED + b"1\r\na\r\n"]))
    def test_any_cut(self, data: st.DataObject, body: tuple[bytes, bytes], behind: bytes) -> None:
        """
        A chunked body is decoded wherever it is cut; trailers, and what
        follows, are dropped.
        """
        reader, found = ChunksReader(), b""
        rest: bytes | None = None
        expected, encoded = body
        for piece in data.draw(cuts(encoded)):
            self.assertIsNone(rest)
            more, rest = reader.feed(piece)
            found += more
        self.assertEqual((found, rest), (expected, b""))
        whole = ChunksReader().feed(encoded + behind)
        self.assertEqual(whole, (expected, b""))

    def test_upgrade(self) -> None:
        """
        A body gets through when the next request offers another protocol.
        """
        offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
        encoded = b"3\r\nabc\r\n0\r\n\r\n"
        self.assertEqual(ChunksReader().feed(encoded + GET[:-2] + offer), (b"abc", b""))

    def test_malformed(self) -> None:
        """
        Malformed chunks are the client's fault.
        """
        for encoded in (b"xyz\r\n", b"-1\r\n", b"3\r\nabcd\r\n", b"f" * 17 + b"\r\n", b"\r\n"):
            error = self.assertRaises(BadRequest, ChunksReader().feed, encoded)
            self.assertEqual(error.status, 400)

    @given(st.lists(st.binary(max_size=8), max_size=4))
    def test_any_garbage(self, pieces: list[bytes]) -> None:
        """
        Any bytes are a part of a body or refused.
        """
        reader = ChunksReader()
        try:
            for piece in pieces:
                reader.feed(piece)
        except BadRequest as error:
            self.assertEqual(error.status, 400)
