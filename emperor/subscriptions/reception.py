"""
What is done with a datagram: read, checked at the gate, written into the ledger.
"""

from __future__ import annotations

from collections.abc import Container

from twisted.internet.interfaces import IReactorTime

from emperor.addresses import Address, BadAddress, parse_announced
from emperor.routing.gatekeeper import Gatekeeper, Rejected
from emperor.routing.outcomes import Result
from emperor.subscriptions.ledger import Ledger
from emperor.subscriptions.receiving import Sender
from emperor.subscriptions.rejections import Fault, Rejections
from emperor.wire.fields import BadAnnouncement
from emperor.wire.hops import read_hops
from emperor.wire.subscription import Announcement, parse_announcement


class _Faulty(Exception):
    """
    It cannot be heeded; the message says why.
    """

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class Reception:
    """
    That of one router.
    """

    def __init__(
        self,
        clock: IReactorTime,
        gate: Gatekeeper,
        ledger: Ledger,
        rejections: Rejections,
        *,
        mark: str,
        own: Container[Address],
        vassal_required: bool = False,
    ) -> None:
        """
        @param clock: seconds of the epoch.
        @param mark: of this router (L{emperor.wire.hops}).
        @param own: the addresses where the router itself listens.
        """
        self._clock = clock
        self._gate = gate
        self._ledger = ledger
        self._rejections = rejections
        self._mark = mark
        self._own = own
        self._vassal_required = vassal_required

    def received(self, data: bytes, sender: Sender) -> None:
        """
        Heed a datagram, or turn it away.
        """
        key = ""
        try:
            datagram = parse_announcement(data)
            announcement = datagram.announcement
            key = announcement.key
            hops = read_hops(data)
            self._check(announcement, hops)
            self._gate.check(datagram, self._clock.seconds(), sender.credentials)
            self._enter(announcement, hops)
        except BadAnnouncement as error:
            self._rejections.reject(Fault.MALFORMED, str(error), sender, key)
        except _Faulty as error:
            self._rejections.reject(error.fault, str(error), sender, key)
        except Rejected as error:
            self._rejections.reject(error.cause, str(error), sender, key)

    def _check(self, announcement: Announcement, hops: tuple[str, ...]) -> None:
        if self._mark in hops:
            raise _Faulty(Fault.RETURNED, "it was passed on by this router and has come back")
        if self._vassal_required and not announcement.vassal:
            raise _Faulty(Fault.NO_VASSAL, "it names no vassal")
        if not announcement.address:
            return
        try:
            address = parse_announced(announcement.address)
        except BadAddress as error:
            raise _Faulty(Fault.REFUSED, str(error)) from error
        if address in self._own:
            raise _Faulty(Fault.OWN_ADDRESS, f"{address} is where this router itself listens")

    def _enter(self, announcement: Announcement, hops: tuple[str, ...]) -> None:
        outcome = self._ledger.announce(announcement, hops)
        if outcome.result is Result.REFUSED:
            raise _Faulty(Fault.REFUSED, outcome.reason)
