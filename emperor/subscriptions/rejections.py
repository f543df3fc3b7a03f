"""
Subscriptions that are turned away: counted by their reason, and logged as far as
a log can bear, since anybody can send as many as he likes.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from emperor.routing.gatekeeper import Cause
from emperor.subscriptions.allowance import Allowance
from emperor.subscriptions.receiving import Sender
from emperor.vassals.spec import shown

#: Lines in a second.
LOGGED_PER_SECOND = 20


class Fault(Enum):
    """
    What is wrong with a subscription that proves, or need not prove, who has
    sent it; with those of L{Cause} the words to count by.
    """

    #: Its bytes are none.
    MALFORMED = "malformed"
    #: It names no vassal, where it has to.
    NO_VASSAL = "no vassal"
    #: It came back to the router that has passed it on.
    RETURNED = "returned"
    #: Its address is where the router itself listens.
    OWN_ADDRESS = "own address"
    #: Its key or its address can be none, or there are too many.
    REFUSED = "refused"


class Rejections:
    """
    Those of one router.

    @ivar counts: how many of each kind since the start.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, router: str) -> None:
        self.counts: Counter[Fault | Cause] = Counter()
        self._router = router
        self._allowance = Allowance(clock, LOGGED_PER_SECOND, self._log_rest)

    def by_reason(self) -> dict[str, int]:
        """
        The same as it is shown: by the words of the reasons, in their order.
        """
        shown = {cause.value.replace(" ", "-"): count for cause, count in self.counts.items()}
        return dict(sorted(shown.items()))

    def reject(self, cause: Fault | Cause, reason: str, sender: Sender, key: str = "") -> None:
        """
        Take note of one.

        @param reason: a sentence without its full stop.
        @param key: of the pool; empty: it is not known.
        """
        self.counts[cause] += 1
        # That one is nobody's fault where two routers pass theirs on to each other.
        if cause is not Fault.RETURNED and self._allowance.take():
            self._log.warn(
                "{router} turned a subscription from {sender} away: {reason}{about}",
                router=self._router,
                sender=shown(sender.name),
                reason=shown(reason),
                about=f" (key {shown(key)})" if key else "",
                cause=cause.value,
            )

    def _log_rest(self, count: int) -> None:
        self._log.warn(
            "{router} turned {count} more subscriptions away", router=self._router, count=count
        )
