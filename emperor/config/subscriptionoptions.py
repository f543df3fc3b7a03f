"""
The options of subscriptions: by them servers put themselves into pools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emperor.config.option import Kind, Option, Service


def subscription_options() -> Iterator[Option]:
    """
    What counts for the subscriptions of both routers.
    """

    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=name, kind=kind, service=Service.SUBSCRIPTIONS, help=help, **more)

    yield row(
        "subscription-algo",
        Kind.ALGORITHM,
        "How a pool chooses between its nodes, unless a node says it.",
        default="wrr",
    )
    yield row(
        "subscription-tolerance",
        Kind.SECONDS,
        "How long a node stays without being heard of.",
        default="17",
    )
    yield row(
        "subscription-tolerance-inactive",
        Kind.SECONDS,
        "How long a vassal that sleeps stays without being heard of.",
        default="17",
    )
    yield row(
        "subscription-keep-last",
        Kind.GRACE,
        "How long the last nodes of a pool serve on when none of them is heard of any more.",
        default="30",
        ours=True,
    )
    yield row(
        "subscription-dotsplit",
        Kind.FLAG,
        "A host without a pool is sought as .its.domain, then as .domain.",
        default="off",
    )
    yield row(
        "subscription-mountpoints",
        Kind.TIMES,
        "How many parts of the path a key may have, as in host/first/second; 1 without a value.",
        aliases=("subscription-mountpoint",),
        default="0",
    )
    yield row(
        "subscription-vassal-required",
        Kind.FLAG,
        "Refuse subscriptions that do not name a vassal.",
        default="off",
    )
    yield row(
        "subscription-check",
        Kind.CHECK,
        "Check the nodes of pools: whether they accept, answer uWSGI's ping, or have this page.",
        ours=True,
    )
    yield row(
        "subscription-check-frequency",
        Kind.SECONDS,
        "How long after a check of a node the next one follows.",
        default="5",
        ours=True,
    )
    yield row(
        "subscription-check-timeout",
        Kind.SECONDS,
        "How long a node that is checked may take to answer.",
        default="5",
        ours=True,
    )
    yield from _proofs()


def _proofs() -> Iterator[Option]:
    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(
            name=f"subscriptions-{name}",
            kind=kind,
            service=Service.SUBSCRIPTIONS,
            help=help,
            **more,
        )

    yield row(
        "policy",
        Kind.POLICY,
        "Take all subscriptions, those with a signature of either kind, or those of the second"
        " kind alone; signed if there are keys, else permissive.",
        ours=True,
    )
    yield row("sign-check", Kind.SIGNATURES, "Where the keys of uWSGI's signatures lie.")
    yield row(
        "sign-check-tolerance",
        Kind.SECONDS,
        "How old a packet with uWSGI's signature may be.",
        default="86400",
    )
    yield row(
        "sign-skip-uid",
        Kind.USER,
        "This user of this machine need not sign what comes over a UNIX socket.",
        repeatable=True,
    )
    yield row(
        "v2-check",
        Kind.TEXT,
        "The directory in which the keys of the second kind of signature lie.",
        ours=True,
    )
    yield row(
        "v2-tolerance",
        Kind.SECONDS,
        "How far the clock of who signs in the second way may be from ours.",
        default="60",
        ours=True,
    )
    yield row(
        "use-credentials",
        Kind.FLAG,
        "Refuse what does not come from a process of this machine, over a UNIX socket.",
        default="off",
    )
    yield row(
        "credentials-check",
        Kind.TEXT,
        "A directory where a key's file must belong to who announces it.",
        repeatable=True,
    )
