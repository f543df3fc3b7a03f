"""
The variables that a node gets for an HTTP request.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.http import BadRequest, RequestReader
from emperor.wire.uwsgi import encode_variable, iterate_variables
from emperor.wire.variables import (
    connection_variables,
    decode_path,
    request_payload,
    server_variables,
)

CONNECTION = connection_variables(
    server_port=b"80", remote_address=b"192.0.2.1", remote_port=b"4000"
)


def pairs(
    *lines: bytes,
    target: bytes = b"/p",
    method: bytes = b"GET",
    extra: bytes = b"",
    length: int = 0,
) -> list[tuple[bytes, bytes]]:
    """
    The variables of a request with these header lines.
    """
    text = b"".join(line + b"\r\n" for line in (b"Host: a", *lines))
    head, _ = RequestReader().feed(b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, text))
    assert head is not None
    payload = request_payload(
        head, server_variables(b"machine"), CONNECTION, extra, length or head.content_length
    )
    return list(iterate_variables(payload))


class PayloadTests(SynchronousTestCase):
    def test_order(self) -> None:
        """
        The variables have the names and the order of uWSGI's http router.
        """
        found = pairs(b"Accept: */*", target=b"/p?q", extra=encode_variable(b"X", b"y"))
        expected = [
            (b"REQUEST_METHOD", b"GET"),
            (b"PATH_INFO", b"/p"),
            (b"REQUEST_URI", b"/p?q"),
            (b"QUERY_STRING", b"q"),
            (b"SERVER_PROTOCOL", b"HTTP/1.1"),
            (b"SCRIPT_NAME", b""),
            (b"SERVER_NAME", b"machine"),
            (b"SERVER_PORT", b"80"),
            (b"UWSGI_ROUTER", b"http"),
            (b"REMOTE_ADDR", b"192.0.2.1"),
            (b"REMOTE_PORT", b"4000"),
            (b"HTTP_HOST", b"a"),
            (b"HTTP_ACCEPT", b"*/*"),
            (b"X", b"y"),
        ]
        self.assertEqual(found, expected)

    def test_order_without_query(self) -> None:
        """
        Without a query REQUEST_URI comes first, and QUERY_STRING is empty.
        """
        expected = [(b"REQUEST_URI", b"/%70"), (b"PATH_INFO", b"/p"), (b"QUERY_STRING", b"")]
        self.assertEqual(pairs(target=b"/%70")[1:4], expected)
        self.assertEqual(pairs(target=b"/?")[1], (b"PATH_INFO", b"/"))

    def test_merged(self) -> None:
        """
        A repeated header is one variable: joined with a comma, cookies with a
        semicolon, where the first one stood.
        """
        found = pairs(b"X-A: 1", b"Cookie: a", b"x-a: 2", b"X-B: 3", b"Cookie: b", b"X-A: 1")
        self.assertEqual(
            found[-3:], [(b"HTTP_X_A", b"1, 2, 1"), (b"HTTP_COOKIE", b"a; b"), (b"HTTP_X_B", b"3")]
        )

    def test_proxy(self) -> None:
        """
        A Proxy header never becomes HTTP_PROXY (CVE-2016-5385).
        """
        self.assertNotIn(b"HTTP_PROXY", dict(pairs(b"Proxy: evil", b"proxy: evil")))

    def test_body(self) -> None:
        """
        CONTENT_LENGTH and CONTENT_TYPE have no prefix.
        """
        found = dict(pairs(b"Content-Length: 3", b"Content-Type: text/plain", method=b"POST"))
        self.assertEqual((found[b"CONTENT_LENGTH"], found[b"CONTENT_TYPE"]), (b"3", b"text/plain"))
        self.assertFalse({b"HTTP_CONTENT_LENGTH", b"HTTP_CONTENT_TYPE"} & set(found))

    def test_no_body(self) -> None:
        """
        CONTENT_LENGTH is there if the client declared one, be it 0.
        """
        self.assertNotIn(b"CONTENT_LENGTH", dict(pairs()))
        self.assertEqual(dict(pairs(b"Content-Length: 0"))[b"CONTENT_LENGTH"], b"0")

    def test_chunked(self) -> None:
        """
        A chunked body has been decoded: its length is named, its encoding is not.
        """
        found = dict(pairs(b"Transfer-Encoding: chunked", b"Expect: 100-continue", length=7))
        self.assertEqual(found[b"CONTENT_LENGTH"], b"7")
        self.assertFalse({b"HTTP_TRANSFER_ENCODING", b"HTTP_EXPECT"} & set(found))

    def test_too_large(self) -> None:
        """
        A head that is taken but makes too many variables is 431.
        """
        error = self.assertRaises(BadRequest, pairs, b"X: " + b"a" * 40000, b"Y: " + b"a" * 25400)
        self.assertEqual(error.status, 431)


class PathTests(SynchronousTestCase):
    def test_decoded(self) -> None:
        """
        Escapes are decoded; empty and dot segments are gone.
        """
        paths = {
            b"/": b"/",
            b"/a/b": b"/a/b",
            b"/a%20b%2Fc": b"/a b/c",
            b"//a///b/": b"/a/b/",
            b"/a/./b/../c": b"/a/c",
            b"/a/b/..": b"/a/",
            b"/a/.": b"/a/",
            b"/../../etc": b"/etc",
            b"/%2e%2e/%2E/etc": b"/etc",
            b"/a%2f..%2fb": b"/b",
            b"/..": b"/",
            b"/.hidden/..x": b"/.hidden/..x",
            b"/a#b": b"/a",
            b"/a%23b": b"/a#b",
            b"/%2525": b"/%25",
            b"*": b"*",
        }
        for path, expected in paths.items():
            self.assertEqual(decode_path(path), expected, path)

    def test_malformed(self) -> None:
        """
        A malformed escape and NUL are refused.
        """
        for path in (b"/%", b"/%a", b"/%zz", b"/%00", b"/%2/"):
            error = self.assertRaises(BadRequest, decode_path, path)
            self.assertEqual(error.status, 400)

    @given(st.lists(st.sampled_from([b"a", b"/", b".", b"..", b"%2e", b"%2F", b"%", b"#", b"%41"])))
    def test_nothing_leads_up(self, pieces: list[bytes]) -> None:
        """
        No path leads out of the root, whatever it is made of.
        """
        try:
            path = decode_path(b"/" + b"".join(pieces))
        except BadRequest:
            return
        self.assertTrue(path.startswith(b"/"))
        self.assertFalse({b"..", b"."} & set(path.split(b"/")))
        self.assertNotIn(b"//", path)
