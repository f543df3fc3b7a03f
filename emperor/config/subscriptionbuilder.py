"""
What is written about subscriptions built into settings.
"""

from __future__ import annotations

from dataclasses import replace

from emperor.config import routervalues, subscriptionvalues, values
from emperor.config.settings import NodeCheck, Policy, SubscriptionSettings
from emperor.config.taking import Taker


def build_subscriptions(taker: Taker, kind: str) -> SubscriptionSettings:
    """
    The subscriptions of one router.

    @param kind: C{"http"} or C{"fastrouter"}.
    """
    digest, directory = taker.one(
        "subscriptions-sign-check", subscriptionvalues.signatures, ("", "")
    )
    v2_directory = taker.one("subscriptions-v2-check", values.words, "")
    return SubscriptionSettings(
        servers=taker.many(f"{kind}-subscription-server", subscriptionvalues.datagrams),
        algorithm=taker.default("subscription-algo", subscriptionvalues.algorithm),
        tolerance=taker.default("subscription-tolerance", values.seconds),
        tolerance_inactive=taker.default("subscription-tolerance-inactive", values.seconds),
        keep_last=taker.default("subscription-keep-last", values.grace),
        dotsplit=taker.flag("subscription-dotsplit"),
        mountpoints=taker.default("subscription-mountpoints", subscriptionvalues.mountpoints),
        vassal_required=taker.flag("subscription-vassal-required"),
        fallback_key=taker.one(f"{kind}-subscription-fallback-key", routervalues.key, ""),
        policy=_policy(taker),
        sign_digest=digest,
        sign_directory=directory,
        sign_tolerance=taker.default("subscriptions-sign-check-tolerance", values.seconds),
        sign_skip_uids=taker.many("subscriptions-sign-skip-uid", subscriptionvalues.user),
        v2_directory=v2_directory,
        v2_tolerance=taker.default("subscriptions-v2-tolerance", values.seconds),
        use_credentials=taker.flag("subscriptions-use-credentials"),
        credentials_directories=taker.many("subscriptions-credentials-check", values.words),
        resubscribe=taker.many(f"{kind}-resubscribe", subscriptionvalues.server),
        resubscribe_bind=taker.one(f"{kind}-resubscribe-bind", subscriptionvalues.datagrams, None),
        state=taker.one(f"{kind}-subscription-state", values.words, ""),
        check=_check(taker),
    )


def _check(taker: Taker) -> NodeCheck | None:
    """
    How nodes are checked, if they are.
    """
    check = taker.one("subscription-check", subscriptionvalues.check, None)
    frequency = taker.default("subscription-check-frequency", values.seconds)
    timeout = taker.default("subscription-check-timeout", values.seconds)
    return check and replace(check, frequency=frequency, timeout=timeout)


def _policy(taker: Taker) -> Policy:
    """
    The policy, for which there must be keys.
    """
    asked = taker.options.get("subscriptions-policy")
    v2_keys = "subscriptions-v2-check" in taker.options
    any_keys = v2_keys or "subscriptions-sign-check" in taker.options
    if not asked:
        return Policy.SIGNED if any_keys else Policy.PERMISSIVE
    policy = taker.one("subscriptions-policy", subscriptionvalues.policy, Policy.PERMISSIVE)
    if policy is Policy.SIGNED and not any_keys:
        taker.miss(
            asked[-1], "there are no keys: give subscriptions-sign-check or subscriptions-v2-check"
        )
    if policy is Policy.V2 and not v2_keys:
        taker.miss(asked[-1], "there are no keys: give subscriptions-v2-check = DIRECTORY")
    return policy
