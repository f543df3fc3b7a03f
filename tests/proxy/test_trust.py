"""
Whose word counts.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.trust import Trust
from tests.proxy.dialogue import FASTROUTER


class TrustTests(SynchronousTestCase):
    def test_default(self) -> None:
        """
        This machine is trusted, however its address is spelled.
        """
        trust = Trust(FASTROUTER)
        for host in ("127.0.0.1", "127.9.9.9"):
            self.assertTrue(trust.covers(IPv4Address("TCP", host, 1)), host)
        for host in ("::1", "::ffff:127.0.0.1", "::1%lo"):
            self.assertTrue(trust.covers(IPv6Address("TCP", host, 1)), host)
        self.assertTrue(trust.covers(UNIXAddress(None)))
        self.assertFalse(trust.covers(IPv4Address("TCP", "192.0.2.1", 1)))
        self.assertFalse(trust.covers(IPv6Address("TCP", "::ffff:192.0.2.1", 1)))

    def test_networks(self) -> None:
        """
        What is given takes the place of this machine.
        """
        trust = Trust(replace(FASTROUTER, trusted=("192.0.2.0/24",), trusts_unix=False))
        self.assertTrue(trust.covers(IPv4Address("TCP", "192.0.2.200", 1)))
        self.assertFalse(trust.covers(IPv4Address("TCP", "127.0.0.1", 1)))
        self.assertFalse(trust.covers(UNIXAddress(None)))

    def test_no_address(self) -> None:
        """
        What has no address is not trusted.
        """
        self.assertFalse(Trust(FASTROUTER).covers(IPv4Address("TCP", "somebody", 1)))
