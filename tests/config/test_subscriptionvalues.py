"""
L{emperor.config.subscriptionvalues}
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import BadAddress, TcpAddress, UnixAddress
from emperor.config import subscriptionvalues
from emperor.config.settings import CheckKind, NodeCheck, Policy
from emperor.config.values import BadValue
from tests.config.fixtures import BOUNDED


class SubscriptionValueTests(SynchronousTestCase):
    """
    Texts read as values.
    """

    def refuses(self, parse: Callable[[str], Any], *texts: str) -> None:
        """
        Each text is refused.
        """
        for text in texts:
            self.assertRaises((BadValue, BadAddress), parse, text)

    def test_algorithm(self) -> None:
        """
        uWSGI's names, and the consistent hash on one of three things.
        """
        for text in ("wrr", "lrc", "wlrc", "iphash", "chash", "chash:cookie:Session"):
            self.assertEqual(subscriptionvalues.algorithm(text), text)
        self.assertEqual(subscriptionvalues.algorithm("chash:header:X-User"), "chash:header:x-user")
        self.refuses(
            subscriptionvalues.algorithm, "", "rr", "WRR", "chash:", "chash:header:", "chash:path:x"
        )

    def test_policy(self) -> None:
        """
        Three words.
        """
        self.assertIs(subscriptionvalues.policy("v2"), Policy.V2)
        error = self.assertRaises(BadValue, subscriptionvalues.policy, "strict")
        self.assertIn("accepted: permissive, signed, v2", str(error))

    def test_check(self) -> None:
        """
        That a node accepts, uWSGI's ping, or a page with its query.
        """
        for text, expected in {
            "connect": NodeCheck(CheckKind.CONNECT),
            "ping": NodeCheck(CheckKind.PING),
            "http:/": NodeCheck(CheckKind.HTTP, "/"),
            "http:/up%20?a=b&c": NodeCheck(CheckKind.HTTP, "/up%20?a=b&c"),
        }.items():
            self.assertEqual(subscriptionvalues.check(text), expected)
        self.refuses(
            subscriptionvalues.check,
            "",
            "http",
            "http:",
            "http:up",
            "http:/a b",
            "http:/a#b",
            "http:/\xe4",
            "http:/%",
            "http:/%zz",
            "http:/%00",
            "http:/\n",
            "http:/" + "x" * 1024,
            "ping:/x",
            "PING",
        )

    def test_signatures(self) -> None:
        """
        A digest as OpenSSL calls it, in any case, and a directory.
        """
        for text, expected in {
            "SHA256:/keys": ("SHA256", "/keys"),
            "sha1:/k:2": ("SHA1", "/k:2"),
        }.items():
            self.assertEqual(subscriptionvalues.signatures(text), expected)
        self.refuses(subscriptionvalues.signatures, "", "SHA256", "SHA256:", "/keys", "CRC:/k")

    def test_user(self) -> None:
        """
        A number; root must sign like anybody.
        """
        self.assertEqual(subscriptionvalues.user("33"), 33)
        self.refuses(subscriptionvalues.user, "0", "www-data", "-1", "")

    def test_mountpoints(self) -> None:
        """
        A number of segments, one without a value.
        """
        for text, number in {"": 1, "0": 0, "3": 3}.items():
            self.assertEqual(subscriptionvalues.mountpoints(text), number)
        self.refuses(subscriptionvalues.mountpoints, "true", "65", "-1")

    def test_datagrams(self) -> None:
        """
        Where uWSGI's instances can send to, by UDP or by a file's name.
        """
        for text, address in {
            ":7000": TcpAddress("", 7000),
            "225.1.1.1:4000": TcpAddress("225.1.1.1", 4000),
            "[::1]:7000": TcpAddress("::1", 7000),
            "/run/sub": UnixAddress(b"/run/sub"),
        }.items():
            self.assertEqual(subscriptionvalues.datagrams(text), address)
        self.refuses(subscriptionvalues.datagrams, "", "@sub", "=0", "fd://3", "7000", "h:x")

    def test_server(self) -> None:
        """
        A server to send to may have a name, for others than uWSGI itself.
        """
        for text in ("router.internal:7000", "192.0.2.1:1", "[::1]:7000", "/run/sub", "a:65535"):
            self.assertEqual(subscriptionvalues.server(text), text)
        self.refuses(
            subscriptionvalues.server,
            "",
            "router",
            "router:",
            "router:0",
            ":7000",
            "router:x",
            "a b:7",
            "-x:7",
            "[::g]:7",
            "/" + "p" * 108,
            "x" * 254 + ":7",
        )

    @settings(deadline=BOUNDED)
    @given(st.text() | st.from_regex(r"(chash|SHA1|h)?:.*", fullmatch=True))
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        for parse in (
            subscriptionvalues.algorithm,
            subscriptionvalues.policy,
            subscriptionvalues.signatures,
            subscriptionvalues.user,
            subscriptionvalues.mountpoints,
            subscriptionvalues.datagrams,
            subscriptionvalues.server,
        ):
            with contextlib.suppress(BadValue, BadAddress):
                parse(text)
