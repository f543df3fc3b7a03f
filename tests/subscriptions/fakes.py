"""
What the parts of a subscription server are tried with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from emperor.routing.outcomes import Expiry
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.ledger import Arrival, Ledger
from emperor.wire.subscription import Announcement
from tests.wire.announcements import announcement

NODE, OTHER = "127.0.0.1:3031", "127.0.0.1:3032"


def said(do: Callable[[], Any]) -> list[str]:
    """
    What is logged meanwhile.
    """
    with capturedLogs() as logs:
        do()
    return [formatEvent(event) for event in logs]


def make_ledger(clock: Clock, **settings: Any) -> Ledger:
    """
    One whose nodes are forgotten after 10 seconds.
    """
    values = {"tolerance": 10, "tolerance_inactive": 10, "keep_last": 0, **settings}
    return Ledger(clock, Registry(RegistrySettings(**values), lambda: 0.5))


def nodes(registry: Registry) -> dict[str, list[str]]:
    """
    The addresses in each pool.
    """
    return {pool.key: [str(address) for address in pool.members] for pool in registry.pools}


def leaving(**changes: Any) -> Announcement:
    """
    The last words of a node.
    """
    return announcement(leaving=True, **changes)


class Recorder:
    """
    Follows a ledger.
    """

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.expiries: list[Expiry] = []

    def arrived(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    def expired(self, expiries: Sequence[Expiry]) -> None:
        self.expiries += expiries
