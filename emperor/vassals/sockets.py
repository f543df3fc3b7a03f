"""
The sockets that vassals have, and the files of those that they have left.

The file of a UNIX socket stays when nobody listens there any more: uWSGI's vacuum
leaves it if there was a reload, or a kill.  It is removed when no vassal that there
is may have it: when its vassal accepts with other sockets, or is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.logger import Logger

from emperor.addresses import Address, UnixAddress
from emperor.vassals.absence import Whereabouts
from emperor.vassals.spec import VassalId, shown

#: Sockets of earlier configurations of one vassal that are looked at again when it
#: goes, for somebody may have listened there when it left them.
LEFT_LIMIT = 64


class Sockets:
    """
    Follows vassals from one configuration to the next.
    """

    _log = Logger()

    def __init__(self, whereabouts: Whereabouts, remove: Callable[[bytes], object]) -> None:
        """
        @param remove: called with the path of each UNIX socket that no vassal has
            any more; what somebody else listens on it has to leave.
        """
        self._whereabouts = whereabouts
        self._remove = remove
        self._left: dict[VassalId, dict[Address, None]] = {}
        # Of each vassal with whom it shares what, as the log has told.
        self._shared: dict[VassalId, dict[Address, VassalId]] = {}

    def read(self, id: VassalId, addresses: frozenset[Address]) -> None:
        """
        A vassal has read its configuration and is to listen there.
        """
        self._whereabouts.move(id, addresses)

    def arrived(self, id: VassalId) -> None:
        """
        A vassal accepts with what it has read last.
        """
        places = self._whereabouts.arrive(id)
        if places:
            left = {**self._left.get(id, {}), **dict.fromkeys(places)}
            self._left[id] = dict.fromkeys(list(left)[-LEFT_LIMIT:])
            self._clear(places)
        self._look_for_rivals(id)

    def left(self, id: VassalId) -> None:
        """
        A vassal is gone.
        """
        self._shared.pop(id, None)
        places = self._whereabouts.leave(id)
        self._clear(dict.fromkeys((*places, *self._left.pop(id, ()))))

    def _clear(self, places: Iterable[Address]) -> None:
        for place in places:
            if not isinstance(place, UnixAddress) or place.is_abstract:
                continue
            if self._whereabouts.listener(place) is not None:
                continue
            try:
                self._remove(place.path)
            except Exception:
                self._log.failure("The socket {address} was not removed", address=str(place))

    def _look_for_rivals(self, id: VassalId) -> None:
        """
        Say with whom it shares a socket; once, for neither of them need change it.
        """
        before = self._shared.pop(id, {})
        found = {each: self._whereabouts.rival(id, each) for each in self._whereabouts.given(id)}
        shared = {address: other for address, other in found.items() if other is not None}
        for address, other in shared.items():
            if before.get(address) != other and self._shared.get(other, {}).get(address) != id:
                self._warn(other, id, address)
        if shared:
            self._shared[id] = shared

    def _warn(self, first: VassalId, second: VassalId, address: Address) -> None:
        self._log.warn(
            "Vassal {second} has the same socket as vassal {first}, {address}: requests for one "
            "may reach the other",
            first=shown(first.name),
            second=shown(second.name),
            address=shown(str(address)),
        )
