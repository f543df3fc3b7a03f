"""
What the log says of pools and nodes: when they come and go, never that they are
still there.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from emperor.routing.outcomes import Expiry, Result
from emperor.subscriptions.allowance import Allowance
from emperor.subscriptions.ledger import Arrival
from emperor.vassals.spec import shown

#: Lines in a second; a site that starts with all its nodes is shown whole.
LOGGED_PER_SECOND = 500

_SENTENCES = {
    Result.NEW_POOL: "{router}: new pool {key}",
    Result.NEW_NODE: "{router}: {key} => new node {node}",
    Result.SLEEPS: "{router}: {key} => {node} sleeps",
    Result.LEFT: "{router}: {key} => {node} has left",
}


class Chronicle:
    """
    Follows one router's ledger.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, router: str) -> None:
        self._router = router
        self._sleeping: set[tuple[str, str]] = set()
        self._allowance = Allowance(clock, LOGGED_PER_SECOND, self._log_rest)

    def arrived(self, arrival: Arrival) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.arrived}.
        """
        outcome, announcement = arrival.outcome, arrival.announcement
        result = outcome.result
        if result is Result.REFUSED:
            return
        node = announcement.address or f"the vassal {announcement.vassal}"
        if result is Result.NEW_POOL:
            self._write(_SENTENCES[result], outcome.key, node)
            result = Result.NEW_NODE
        if result in _SENTENCES and self._is_news(result, outcome.key, announcement.vassal):
            self._write(_SENTENCES[result], outcome.key, node)
        if outcome.reason:
            self._write("{router}: {key} => {node}: {reason}", outcome.key, node, outcome.reason)

    def expired(self, expiries: Sequence[Expiry]) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.expired}.
        """
        for expiry in expiries:
            self._sleeping.discard((expiry.key, expiry.node))
            self._write(
                "{router}: {key} => {node} was not heard of for {reason} s and is taken out",
                expiry.key,
                expiry.node,
                f"{expiry.silence:.0f}",
            )

    def _is_news(self, result: Result, key: str, vassal: str) -> bool:
        """
        A vassal says again and again that it sleeps.
        """
        name = (key, vassal)
        if result is not Result.SLEEPS:
            self._sleeping.discard(name)
            return True
        known = name in self._sleeping
        self._sleeping.add(name)
        return not known

    def _write(self, sentence: str, key: str, node: str, reason: str = "") -> None:
        if self._allowance.take():
            self._log.info(
                sentence,
                router=self._router,
                key=shown(key),
                node=shown(node),
                reason=shown(reason),
            )

    def _log_rest(self, count: int) -> None:
        self._log.info("{router}: {count} more changes of pools", router=self._router, count=count)
