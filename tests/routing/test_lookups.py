"""
Under which keys a request may find its pool.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.lookups import (
    DOTSPLIT_LIMIT,
    BadKey,
    candidates,
    path_prefixes,
    pool_key,
    spellings,
)

LATIN = st.characters(max_codepoint=255)
#: Texts that are nearly hosts.
HOSTS = st.text(st.sampled_from("aB.:8/["), max_size=12) | st.text(LATIN, max_size=20)


class PoolKeyTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        The host's case and closing dot do not matter, the path's case does.
        """
        for text, expected in (
            ("foo.com", "foo.com"),
            ("Foo.COM.", "foo.com"),
            ("foo.com.:80", "foo.com:80"),
            ("foo.com:", "foo.com"),
            ("Foo.com:80/Sub/Dir/", "foo.com:80/Sub/Dir"),
            ("foo.com/", "foo.com"),
            (".Foo.com", ".foo.com"),
            ("[::1]:80", "[::1]:80"),
            ("\xc3\x84", "\xc3\x84"),
        ):
            self.assertEqual(pool_key(text), expected)
            self.assertEqual(pool_key(text, raw=True), text)

    def test_refused(self) -> None:
        """
        A key has 1 to 255 bytes, of which something must be left.
        """
        for text in ("", ".", "/", ":", "./", "a" * 256):
            self.assertIn("1 to 255", str(self.assertRaises(BadKey, pool_key, text)))
        self.assertRaises(BadKey, pool_key, "", raw=True)
        self.assertEqual(pool_key(".", raw=True), ".")
        self.assertEqual(len(pool_key("a" * 255)), 255)

    @given(HOSTS)
    def test_settled(self, text: str) -> None:
        """
        A kept key stands for itself, whether it was ever announced so or not.
        """
        try:
            key = pool_key(text)
        except BadKey:
            self.assertEqual(spellings(text), ())
            return
        self.assertEqual(pool_key(key), key)
        for spelling in spellings(text):
            self.assertEqual(pool_key(spelling), spelling)
        self.assertEqual(spellings(text)[0], key)


class PathPrefixTests(SynchronousTestCase):
    def test_prefixes(self) -> None:
        """
        Whole segments, the longest first, and at last nothing.
        """
        for path, depth, expected in (
            (b"/a/b/c", 2, ("/a/b", "/a", "")),
            (b"/a/b/c", 9, ("/a/b/c", "/a/b", "/a", "")),
            (b"/a/b", 1, ("/a", "")),
            (b"/a/", 2, ("/a", "")),
            (b"/", 2, ("",)),
            (b"", 2, ("",)),
            (b"*", 2, ("",)),
            (b"a/b", 2, ("",)),
            (b"/a", 0, ("",)),
            (b"/\xff", 1, ("/\xff", "")),
        ):
            self.assertEqual(tuple(path_prefixes(path, depth)), expected, path)

    @given(st.binary(max_size=300).map(lambda path: b"/" + path), st.integers(0, 9))
    def test_borders(self, path: bytes, depth: int) -> None:
        """
        Each one ends where a segment of the path ends.
        """
        text = path.decode("latin-1")
        for prefix in path_prefixes(path, depth):
            if len(prefix) <= 255:
                self.assertTrue((text + "/").startswith(prefix + "/"))
                self.assertLessEqual(prefix.count("/"), depth)


class CandidateTests(SynchronousTestCase):
    def found(self, host: str, path: bytes = b"", **options: object) -> list[str]:
        return list(candidates(host, path, **options))  # type: ignore[arg-type]

    def test_port(self) -> None:
        """
        With the port first, then without.
        """
        self.assertEqual(self.found("Foo.com.:80"), ["foo.com:80", "foo.com"])
        self.assertEqual(self.found("[::1]:80"), ["[::1]:80", "[::1]"])

    def test_raw(self) -> None:
        """
        A raw key is looked up as it is.
        """
        self.assertEqual(self.found("Foo.com.:80", raw=True), ["Foo.com.:80"])

    def test_mountpoints(self) -> None:
        """
        The longest part of the path first, for each spelling of the host.
        """
        self.assertEqual(
            self.found("a:1", b"/b/c", depth=2),
            ["a:1/b/c", "a:1/b", "a:1", "a/b/c", "a/b", "a"],
        )

    def test_dotsplit(self) -> None:
        """
        Then the hosts above it, each with its dot.
        """
        self.assertEqual(self.found("a.b.c", dotsplit=True), ["a.b.c", ".b.c", ".c"])
        self.assertEqual(
            self.found("a.b:1", b"/x", depth=1, dotsplit=True),
            ["a.b:1/x", "a.b:1", "a.b/x", "a.b", ".b:1/x", ".b:1", ".b/x", ".b"],
        )

    def test_limits(self) -> None:
        """
        No key is over 255 bytes, and there is an end of hosts above hosts.
        """
        self.assertEqual(self.found("a" * 250, b"/12345", depth=1), ["a" * 250])
        self.assertEqual(len(self.found("a" * 250, b"/1234", depth=1)), 2)
        self.assertEqual(self.found("a" * 256), [])
        self.assertEqual(self.found(""), [])
        self.assertEqual(len(self.found("a." * 100, dotsplit=True)), DOTSPLIT_LIMIT + 1)

    @given(HOSTS, st.binary(max_size=40), st.integers(0, 3), st.booleans(), st.booleans())
    def test_anything(self, host: str, path: bytes, depth: int, dotsplit: bool, raw: bool) -> None:
        """
        Whatever a client sends gives few keys of the right length.
        """
        keys = self.found(host, b"/" + path, depth=depth, dotsplit=dotsplit, raw=raw)
        self.assertLessEqual(len(keys), 2 * (depth + 1) * (DOTSPLIT_LIMIT + 1))
        for key in keys:
            self.assertIn(len(key), range(1, 256))
