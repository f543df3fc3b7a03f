"""
The key that a host stands for.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.keys import KEY_LIMIT, BadHost, host_key


class KeyTests(SynchronousTestCase):
    def test_spellings(self) -> None:
        """
        Every spelling of a name gives one key.
        """
        hosts = {
            b"a.example": "a.example",
            b"A.Example": "a.example",
            b"a.example:8080": "a.example",
            b"a.example:": "a.example",
            b"a.example.": "a.example",
            b"a.example.:80": "a.example",
            b"[::1]:80": "[::1]",
            b"[::1]": "[::1]",
            b"[2001:DB8::1]": "[2001:db8::1]",
            b"127.0.0.1:80": "127.0.0.1",
            b"xn--bcher-kva.example": "xn--bcher-kva.example",
        }
        for host, key in hosts.items():
            self.assertEqual(host_key(host), key)

    def test_raw(self) -> None:
        """
        With raw-host-key nothing is changed.
        """
        self.assertEqual(host_key(b"A.Example.:80", True), "A.Example.:80")

    def test_refused(self) -> None:
        """
        What is no host is refused.
        """
        for host in (b"", b"a b", b"a/b", b"a\0b", b"\xff", b"a\n", b"a@b", b"a\\b", b'"', b"<a>"):
            for raw in (False, True):
                self.assertRaises(BadHost, host_key, host, raw)
        for host in (b".", b":80", b".:80"):
            self.assertRaises(BadHost, host_key, host)

    def test_length(self) -> None:
        """
        A key may have 255 bytes.
        """
        self.assertEqual(len(host_key(b"a" * KEY_LIMIT)), KEY_LIMIT)
        self.assertRaises(BadHost, host_key, b"a" * (KEY_LIMIT + 1))

    @given(st.binary(max_size=30) | st.text(alphabet="aA.:[]1%/").map(str.encode), st.booleans())
    def test_any_bytes(self, host: bytes, raw: bool) -> None:
        """
        Any bytes give a key in ASCII or are refused; a key is its own key.
        """
        try:
            key = host_key(host, raw)
        except BadHost:
            return
        self.assertTrue(key and key.isascii() and not set(key) & set("/\\@ \0"))
        if raw:
            self.assertEqual(key.encode(), host)
        else:
            self.assertEqual(key, key.lower())
