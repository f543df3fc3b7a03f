"""
Tests for L{emperor.announcing.servers}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing.servers import BadServer, UdpServer, UnixServer, parse_server


class ServerTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        Names, literals of both families, and paths.
        """
        for text, server in (
            ("router.internal:7000", UdpServer("router.internal", 7000)),
            ("192.0.2.1:7000", UdpServer("192.0.2.1", 7000)),
            ("[2001:db8::0:1]:7000", UdpServer("2001:db8::1", 7000)),
            ("/run/router.sock", UnixServer("/run/router.sock")),
        ):
            self.assertEqual(parse_server(text), server)
            self.assertEqual(parse_server(str(server)), server)

    def test_refused(self) -> None:
        """
        What is no address is refused with what is.
        """
        for text, reason in (
            ("", "accepted: host:port"),
            (":7000", "accepted: host:port"),
            ("router", "accepted: host:port"),
            ("router:", "'' in 'router:' is no port"),
            ("router:0", "is no port (1 to 65535)"),
            ("router:65536", "is no port"),
            ("router:x", "is no port"),
            ("::1:7000", "accepted: host:port"),
            ("[::g]:7000", "is no server"),
            ("@router:7000", "accepted"),
            ("a b:7000", "accepted"),
            ("/" + "x" * 107, "at most 107"),
            ("/run/\0", "at most 107"),
        ):
            error = self.assertRaises(BadServer, parse_server, text)
            self.assertIn(reason, str(error))

    @given(st.text(max_size=40))
    def test_garbage(self, text: str) -> None:
        """
        Any text is an address or refused as none.
        """
        try:
            server = parse_server(text)
        except BadServer:
            return
        self.assertEqual(parse_server(str(server)), server)
