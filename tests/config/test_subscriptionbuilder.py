"""
L{emperor.config.subscriptionbuilder}
"""

from __future__ import annotations

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.settings import CheckKind, NodeCheck, Policy, SubscriptionSettings
from tests.config.fixtures import ConfigurationCase


class SubscriptionBuilderTests(ConfigurationCase):
    """
    Options about subscriptions built into settings.
    """

    def subscriptions(self, text: str) -> SubscriptionSettings:
        """
        The subscriptions of a router that takes some.
        """
        (router,) = self.settings(
            f"fastrouter = :1\nfastrouter-subscription-server = :2\n{text}"
        ).routers
        return router.subscriptions

    def test_defaults(self) -> None:
        """
        uWSGI's defaults.
        """
        self.assertEqual(self.subscriptions(""), SubscriptionSettings(servers=(TcpAddress("", 2),)))

    def test_all(self) -> None:
        """
        Everything that can be said.
        """
        text = (
            "fastrouter-subscription-server = /s\nsubscription-algo = chash:cookie:S\n"
            "subscription-tolerance = 1\nsubscription-tolerance-inactive = 2\n"
            "subscription-keep-last = 0\nsubscription-dotsplit\nsubscription-mountpoint = 3\n"
            "subscription-vassal-required\nfastrouter-subscription-fallback-key = f.com\n"
            "subscriptions-policy = v2\nsubscriptions-sign-check = sha1:/k\n"
            "subscriptions-sign-check-tolerance = 4\nsubscriptions-sign-skip-uid = 5\n"
            "subscriptions-sign-skip-uid = 6\nsubscriptions-v2-check = /k2\n"
            "subscriptions-v2-tolerance = 7\nsubscriptions-use-credentials\n"
            "subscriptions-credentials-check = /c/\nfastrouter-resubscribe = h:8\n"
            "fastrouter-resubscribe-bind = 127.0.0.1:0\nfastrouter-subscription-state = st\n"
            "subscription-check = http:/up\nsubscription-check-frequency = 9\n"
            "subscription-check-timeout = 10\n"
        )
        self.assertEqual(
            self.subscriptions(text),
            SubscriptionSettings(
                servers=(TcpAddress("", 2), UnixAddress(b"/s")),
                algorithm="chash:cookie:S",
                tolerance=1,
                tolerance_inactive=2,
                keep_last=0,
                dotsplit=True,
                mountpoints=3,
                vassal_required=True,
                fallback_key="f.com",
                policy=Policy.V2,
                sign_digest="SHA1",
                sign_directory="/k",
                sign_tolerance=4,
                sign_skip_uids=(5, 6),
                v2_directory="/k2",
                v2_tolerance=7,
                use_credentials=True,
                credentials_directories=("/c/",),
                resubscribe=("h:8",),
                resubscribe_bind=TcpAddress("127.0.0.1", 0),
                state="st",
                check=NodeCheck(CheckKind.HTTP, "/up", 9, 10),
            ),
        )

    def test_shared(self) -> None:
        """
        What is said of subscriptions counts for both routers; servers, fallback
        and state are each router's own.
        """
        http, fastrouter = self.settings(
            "http = :1\nhttp-subscription-server = :2\nhttp-subscription-fallback-key = a\n"
            "fastrouter = :3\nfastrouter-subscription-server = :4\nsubscription-tolerance = 5\n"
        ).routers
        self.assertEqual([5, 5], [r.subscriptions.tolerance for r in (http, fastrouter)])
        self.assertEqual("", fastrouter.subscriptions.fallback_key)
        self.assertEqual((TcpAddress("", 4),), fastrouter.subscriptions.servers)

    def test_policy(self) -> None:
        """
        Who gives keys wants signatures.
        """
        v1, v2, policy_is = (
            "subscriptions-sign-check = SHA1:/k\n",
            "subscriptions-v2-check = /k\n",
            "subscriptions-policy = ",
        )
        for text, policy in (
            ("", Policy.PERMISSIVE),
            (v1, Policy.SIGNED),
            (v2, Policy.SIGNED),
            (f"{v2}{policy_is}v2", Policy.V2),
            (f"{v1}{policy_is}permissive", Policy.PERMISSIVE),
        ):
            self.assertIs(self.subscriptions(text).policy, policy, text)

    def test_keys_missing(self) -> None:
        """
        A policy that nobody could satisfy is an error.
        """
        for text, needed in (
            ("subscriptions-policy = signed", "subscriptions-sign-check or subscriptions-v2-check"),
            ("subscriptions-policy = v2", "give subscriptions-v2-check"),
            ("subscriptions-policy = v2\nsubscriptions-sign-check = SHA1:/k", "v2-check"),
        ):
            self.assert_refused(needed, self.subscriptions, text)
        self.assert_refused(
            "'CRC' is no digest",
            self.subscriptions,
            "subscriptions-policy = signed\nsubscriptions-sign-check = CRC:/k",
        )
