"""
Who would listen at an address, and why nobody does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from math import ceil

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.vassals.spec import VassalId, shown
from emperor.vassals.status import Phase, Rest, VassalStatus

_REASONS = {
    Phase.QUEUED: "is starting",
    Phase.STARTING: "is starting",
    Phase.READY: "is starting",
    Phase.RELOADING: "is reloading",
    Phase.ASLEEP: "sleeps",
    Phase.RETIRING: "is falling asleep",
    Phase.STOPPING: "is stopping",
    Phase.REPLACED: "is restarting",
    Phase.ORPHANED: "died",
    Phase.EXILED: "asked not to be started again until its configuration changes",
}

#: Phases in which a vassal still has its sockets and will take no request.
_LEAVING = frozenset({Phase.STOPPING, Phase.REPLACED, Phase.RETIRING})

#: Phases in which a vassal goes and may still have its sockets.
_GOING = frozenset({*_LEAVING, Phase.ORPHANED})

#: Phases in which nobody will answer at a socket that the Emperor has.
_CLOSED = frozenset({Phase.STOPPING, Phase.HELD_BACK, Phase.EXILED})

#: Phases in which a vassal has its sockets and takes requests, or soon will.
_SERVING = frozenset({Phase.READY, Phase.ACCEPTING, Phase.RELOADING, Phase.RENEWING})

_EVERY_HOST = frozenset({"", "0.0.0.0", "::"})


class Whereabouts:
    """
    Which vassals listen at which address; several may claim the same one.

    @ivar leaving: the addresses, in every spelling that is known, whose vassal
        is about to leave, or cannot be started although its socket is open,
        while no other one serves there.  It is the same set for ever.
    """

    def __init__(self) -> None:
        self.leaving: set[Address] = set()
        self._places: dict[VassalId, frozenset[Address]] = {}
        self._phases: dict[VassalId, Phase] = {}
        self._held: set[VassalId] = set()
        self._going: set[VassalId] = set()
        self._named: dict[str, list[VassalId]] = {}
        # Of each place who claims it, the last one last, and in which spellings.
        self._claims: dict[Address, dict[VassalId, set[Address]]] = {}
        # The places that are claimed, by their port.
        self._ports: dict[int, set[TcpAddress]] = {}

    def settle(self, id: VassalId, addresses: frozenset[Address]) -> None:
        """
        A vassal listens at these addresses and nowhere else.
        """
        self._drop(id)
        for address in addresses:
            place = _canonical(address)
            if isinstance(place, TcpAddress):
                self._ports.setdefault(place.port, set()).add(place)
            spellings = self._claims.setdefault(place, {}).setdefault(id, {place})
            spellings.add(address)
            if isinstance(place, TcpAddress) and not place.host:
                spellings.add(TcpAddress("127.0.0.1", place.port))
        self._places[id] = frozenset(_canonical(address) for address in addresses)

    def note(self, id: VassalId, phase: Phase, held: bool = False) -> bool:
        """
        A vassal came into another phase.

        @param held: its socket is the Emperor's, and closed to requests while
            the vassal is away; not if it L{returns<VassalStatus.returns>}.
        @return: whether it was going and is not any more.
        """
        if id not in self._phases:
            self._named.setdefault(id.name, []).append(id)
        was_going = id in self._going
        self._phases[id] = phase
        (self._held.add if held else self._held.discard)(id)
        (self._going.add if phase in _GOING else self._going.discard)(id)
        for place in self._places.get(id, ()):
            self._judge(place)
        return was_going and phase not in _GOING

    def leave(self, id: VassalId) -> frozenset[Address]:
        """
        A vassal listens nowhere any more.

        @return: where nobody listens now.
        """
        if self._phases.pop(id, None) is not None:
            self._named[id.name].remove(id)
            if not self._named[id.name]:
                del self._named[id.name]
        self._held.discard(id)
        self._going.discard(id)
        return self._drop(id)

    def addresses(self, id: VassalId) -> frozenset[Address]:
        """
        Where a vassal listens, as far as it is known, in every spelling.
        """
        places = self._places.get(id, frozenset())
        return frozenset(each for place in places for each in self._claims[place][id])

    def places(self, id: VassalId) -> frozenset[Address]:
        """
        The same, each in one spelling.
        """
        return self._places.get(id, frozenset())

    @property
    def is_somebody_going(self) -> bool:
        """
        Whether any vassal goes and may still have its sockets.
        """
        return bool(self._going)

    def is_taken(self, id: VassalId, addresses: Iterable[Address]) -> bool:
        """
        Whether a TCP port of these is about to be left by another vassal, and
        cannot be opened before.
        """
        claimed = (claims for each in addresses for claims in self._claims_at(_canonical(each)))
        return any(other in self._going for claims in claimed for other in claims if other != id)

    def _claims_at(self, place: Address) -> Iterator[Iterable[VassalId]]:
        """
        Who has a TCP port that keeps another one from opening this.
        """
        if not isinstance(place, TcpAddress):
            return
        if place.host:
            for host in (place.host, ""):
                yield self._claims.get(TcpAddress(host, place.port), ())
            return
        for other in self._ports.get(place.port, ()):
            yield self._claims[other]

    def listener(self, address: Address) -> VassalId | None:
        """
        The vassal that listens at C{address}, also on behalf of every host;
        of several the one that came last.
        """
        found = self._claims.get(_canonical(address))
        if not found and isinstance(address, TcpAddress):
            found = self._claims.get(TcpAddress("", address.port))
        return next(reversed(found)) if found else None

    def named(self, name: str) -> tuple[VassalId, ...]:
        """
        The vassals of that name, in the order in which they came.
        """
        return tuple(self._named.get(name, ()))

    def _drop(self, id: VassalId) -> frozenset[Address]:
        places = self._places.pop(id, frozenset())
        for place in places:
            self.leaving -= self._claims[place].pop(id)
            self._judge(place)
        left = frozenset(place for place in places if not self._claims[place])
        for place in left:
            del self._claims[place]
            if isinstance(place, TcpAddress):
                self._ports[place.port].discard(place)
                if not self._ports[place.port]:
                    del self._ports[place.port]
        return left

    def _judge(self, place: Address) -> None:
        claims = self._claims[place]
        spellings = {spelling for each in claims.values() for spelling in each}
        serves = any(self._phases.get(id) in _SERVING for id in claims)
        if not serves and any(self._leaves(id) for id in claims):
            self.leaving |= spellings
        else:
            self.leaving -= spellings

    def _leaves(self, id: VassalId) -> bool:
        return self._phases.get(id) in (_CLOSED if id in self._held else _LEAVING)


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
    if status.phase is Phase.ASLEEP and status.rest is not Rest.NONE:
        what = status.rest.value
    if status.phase is Phase.HELD_BACK:
        seconds = ceil(max(0.0, status.retry_at - now))
        what = f"died and is held back for {seconds} s" if seconds else "is restarting"
    return f"vassal {shown(status.id.name)} {what}" if what else None


def are_stopped(statuses: Iterable[VassalStatus]) -> bool:
    """
    Whether there are some of these, and a command has stopped them all.
    """
    rests = {status.rest for status in statuses}
    return rests == {Rest.STOPPED}


def reason_of_any(statuses: Iterable[VassalStatus], now: float) -> str | None:
    """
    Why the first one of these that does not accept does not.

    @return: empty: all accept; L{None}: there are none.
    """
    reasons = [reason(status, now) for status in statuses]
    return next(filter(None, reasons), "") if reasons else None
