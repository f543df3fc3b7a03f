"""
Tests for L{emperor.subscriptions.places}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress, parse_address
from emperor.subscriptions.places import Places


def places(*texts: str) -> Places:
    return Places([parse_address(text) for text in texts])


class PlacesTests(SynchronousTestCase):
    def test_own(self) -> None:
        """
        An address is the router's own if it listens there.
        """
        found = places("192.0.2.1:80", "/run/r.sock", ":3031", "[::]:3032")
        for text in (
            *("192.0.2.1:80", "/run/r.sock", ":3031", "127.0.0.1:3031", "127.5.0.1:3031"),
            *("[::1]:3032", "0.0.0.0:3031"),
        ):
            self.assertIn(parse_address(text), found, text)
        for text in ("192.0.2.2:80", "192.0.2.1:81", "/run/x.sock", "192.0.2.2:3031", "@r"):
            self.assertNotIn(parse_address(text), found, text)
        self.assertNotIn("something else", found)

    def test_towards(self) -> None:
        """
        Others reach it by its first address; if that means every interface, by
        the one on the way to them.
        """
        self.assertEqual(places("192.0.2.1:80").towards("192.0.2.9"), TcpAddress("192.0.2.1", 80))
        self.assertEqual(places("/run/r.sock").towards(""), UnixAddress(b"/run/r.sock"))
        every = places(":80")
        self.assertEqual(every.towards("127.0.0.9"), TcpAddress("127.0.0.1", 80))
        self.assertEqual(every.towards(""), TcpAddress("127.0.0.1", 80))
