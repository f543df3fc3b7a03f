"""
What is said when somebody else listens at the socket of a node.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from emperor.proxy.peers import Stranger
from emperor.routing.members import Member
from emperor.routing.pools import Target
from emperor.subscriptions.allowance import Allowance
from emperor.vassals.spec import shown

#: Lines in a second; clients cause them.
LOGGED_PER_SECOND = 2


class Strangers:
    """
    Those that one router has met.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, router: str) -> None:
        """
        @param router: C{"http"} or C{"fastrouter"}.
        """
        self._router = router
        self._allowance = Allowance(clock, LOGGED_PER_SECOND, self._unsaid)

    def note(self, node: Target, stranger: Stranger) -> None:
        """
        A connection to C{node} was not used.
        """
        if not self._allowance.take():
            return
        self._log.warn(
            "{router} sends nothing to {node}, which vassal {vassal} of user {owner} names as its "
            "socket: user {found} listens there",
            router=self._router,
            node=shown(str(node.address)),
            vassal=shown(node.announcement.vassal if isinstance(node, Member) else ""),
            owner=stranger.owner,
            found=stranger.found,
        )

    def _unsaid(self, count: int) -> None:
        self._log.warn(
            "{router} met {count} more sockets of other users than their vassals' owners",
            router=self._router,
            count=count,
        )
