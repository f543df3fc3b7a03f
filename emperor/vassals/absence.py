"""
Who would listen at an address, and why nobody does.
"""

from __future__ import annotations

import os
from math import ceil

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus

_REASONS = {
    Phase.QUEUED: "is starting",
    Phase.STARTING: "is starting",
    Phase.READY: "is starting",
    Phase.RELOADING: "is reloading",
    Phase.STOPPING: "is stopping",
    Phase.REPLACED: "is restarting",
    Phase.ORPHANED: "died",
    Phase.EXILED: "asked not to be started again until its configuration changes",
}

_EVERY_HOST = frozenset({"", "0.0.0.0", "::"})


class Whereabouts:
    """
    Which vassal listens at which address.
    """

    def __init__(self) -> None:
        self._listeners: dict[Address, VassalId] = {}
        self._addresses: dict[VassalId, frozenset[Address]] = {}

    def settle(self, id: VassalId, addresses: frozenset[Address]) -> None:
        """
        A vassal listens at these addresses and nowhere else.
        """
        self.leave(id)
        known = frozenset(_canonical(address) for address in addresses)
        self._addresses[id] = known
        self._listeners.update(dict.fromkeys(known, id))

    def leave(self, id: VassalId) -> frozenset[Address]:
        """
        A vassal listens nowhere any more.

        @return: where nobody listens now.
        """
        left = frozenset(
            address
            for address in self._addresses.pop(id, frozenset())
            if self._listeners.get(address) == id
        )
        for address in left:
            del self._listeners[address]
        return left

    def addresses(self, id: VassalId) -> frozenset[Address]:
        """
        Where a vassal listens, as far as it is known.
        """
        return self._addresses.get(id, frozenset())

    def listener(self, address: Address) -> VassalId | None:
        """
        The vassal that listens at C{address}, also on behalf of every host.
        """
        found = self._listeners.get(_canonical(address))
        if found is None and isinstance(address, TcpAddress):
            return self._listeners.get(TcpAddress("", address.port))
        return found


def _canonical(address: Address) -> Address:
    """
    The one spelling of a place: a path may have C{..} and links in it.
    """
    if isinstance(address, TcpAddress) and address.host in _EVERY_HOST:
        return TcpAddress("", address.port)
    if isinstance(address, UnixAddress) and not address.is_abstract:
        directory, name = os.path.split(address.path)
        return UnixAddress(os.path.join(os.path.realpath(directory), name))
    return address


def reason(status: VassalStatus, now: float) -> str | None:
    """
    Why a vassal does not accept; L{None} if it does.
    """
    what = _REASONS.get(status.phase)
    if status.phase is Phase.HELD_BACK:
        seconds = ceil(max(0.0, status.retry_at - now))
        what = f"died and is held back for {seconds} s" if seconds else "is restarting"
    return f"vassal {status.id.name} {what}" if what else None
