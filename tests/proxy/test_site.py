"""
What all connections of an HTTP router have in common.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.site import HttpSite
from emperor.testing.proxy import FakeStream
from emperor.wire.uwsgi import iterate_variables
from tests.proxy.dialogue import HTTP, Dialogue


class SiteTests(SynchronousTestCase):
    def site(self, **changes: object) -> HttpSite:
        dialogue = Dialogue(HTTP)
        self.addCleanup(dialogue.router.deadlines.stop)
        settings = replace(HTTP, **changes)  # type: ignore[arg-type]
        return HttpSite(dialogue.router, settings, "machine")

    def test_connection(self) -> None:
        """
        A node is told who asks, in IPv4 where that is what it is.
        """
        for peer, host in (
            (IPv4Address("TCP", "192.0.2.1", 7), b"192.0.2.1"),
            (IPv6Address("TCP", "::ffff:192.0.2.1", 7), b"192.0.2.1"),
            (UNIXAddress(None), b"0.0.0.0"),
        ):
            own: IAddress = IPv4Address("TCP", "198.51.100.1", 80)
            stream = FakeStream(Protocol(), Clock(), peer, own)
            found = dict(iterate_variables(self.site().connection(stream)))
            self.assertEqual((found[b"REMOTE_ADDR"], found[b"SERVER_PORT"]), (host, b"80"))

    def test_server(self) -> None:
        """
        The server's name is the machine's, or the host that was asked for.
        """
        for named, name in ((False, b"machine"), (True, b"a.example")):
            site = self.site(server_name_as_http_host=named)
            found = dict(iterate_variables(site.server(b"a.example")))
            self.assertEqual(found[b"SERVER_NAME"], name)
