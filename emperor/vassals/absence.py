"""
Who would listen at an address, and why nobody does.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
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

#: Addresses of earlier configurations that one vassal is known by.
FORMER_LIMIT = 64


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
        # Of each what its configuration says, and the places of what it has said before.
        self._given: dict[VassalId, frozenset[Address]] = {}
        self._former: dict[VassalId, dict[Address, Address]] = {}
        self._phases: dict[VassalId, Phase] = {}
        self._held: set[VassalId] = set()
        self._going: set[VassalId] = set()
        self._named: dict[str, list[VassalId]] = {}
        # Of each place who claims it, the last one last, and in which spellings.
        self._claims: dict[Address, dict[VassalId, set[Address]]] = {}
        # The places that are claimed, by their port.
        self._ports: dict[int, set[TcpAddress]] = {}

    def settle(
        self, id: VassalId, addresses: Collection[Address], former: Collection[Address] = ()
    ) -> None:
        """
        A vassal listens at these addresses and nowhere else.

        @param former: where it listens perhaps, because it did so before its
            configuration changed; who listens there now comes first.
        """
        self._drop(id)
        now = {address: _canonical(address) for address in addresses}
        known = set(now.values())
        old = {address: _canonical(address) for address in former}
        old = {address: place for address, place in old.items() if place not in known}
        for address, place in (*old.items(), *now.items()):
            self._claim(id, address, place)
        self._places[id] = frozenset((*old.values(), *now.values()))
        self._given[id] = frozenset(now)
        if old:
            self._former[id] = old

    def move(self, id: VassalId, addresses: Collection[Address]) -> None:
        """
        A vassal reads its configuration, and is to listen at these addresses; until
        it L{arrive}s it may be found where it was as well.
        """
        before = sorted(self._given.get(id, ()), key=str)
        known = dict.fromkeys((*before, *self._former.get(id, ())))
        former = [each for each in known if each not in addresses]
        self.settle(id, addresses, former[:FORMER_LIMIT])

    def arrive(self, id: VassalId) -> frozenset[Address]:
        """
        A vassal accepts with the configuration that it has read last.  If that does
        not say where it listens, it may be where it was.

        @return: where it was and nobody listens now.
        """
        now = self._given.get(id)
        if not now or id not in self._former:
            return frozenset()
        before = self._places[id]
        self.settle(id, now)
        return frozenset(place for place in before if place not in self._claims)

    def _claim(self, id: VassalId, address: Address, place: Address) -> None:
        if isinstance(place, TcpAddress):
            self._ports.setdefault(place.port, set()).add(place)
        spellings = self._claims.setdefault(place, {}).setdefault(id, {place})
        spellings.add(address)
        if isinstance(place, TcpAddress) and not place.host:
            spellings.add(TcpAddress("127.0.0.1", place.port))

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
        Where a vassal listens by its present configuration, as far as it is known, in
        every spelling.
        """
        former = self._former.get(id, {}).values()
        places = self._places.get(id, frozenset()).difference(former)
        return frozenset(each for place in places for each in self._claims[place][id])

    def places(self, id: VassalId) -> frozenset[Address]:
        """
        The same, each in one spelling, and those that are from before.
        """
        return self._places.get(id, frozenset())

    def former(self, id: VassalId) -> tuple[Address, ...]:
        """
        Those of its addresses that are from before, as they were given.
        """
        return tuple(self._former.get(id, ()))

    def given(self, id: VassalId) -> frozenset[Address]:
        """
        The others, as they were given.
        """
        return self._given.get(id, frozenset())

    def rival(self, id: VassalId, address: Address) -> VassalId | None:
        """
        Another vassal that has the same socket, by its present configuration, and
        is not about to leave; of several the one that came first.
        """
        place = _canonical(address)
        others = self._present(place)
        return next((each for each in others if each != id and each not in self._going), None)

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
        place = _canonical(address)
        if place not in self._claims and isinstance(place, TcpAddress):
            place = TcpAddress("", place.port)
        found = self._present(place) or list(self._claims.get(place, ()))
        return found[-1] if found else None

    def _present(self, place: Address) -> list[VassalId]:
        """
        Who has that place by its present configuration.
        """
        claims = self._claims.get(place, ())
        return [id for id in claims if not self._is_former(id, place)]

    def _is_former(self, id: VassalId, place: Address) -> bool:
        return id in self._former and place in self._former[id].values()

    def named(self, name: str) -> tuple[VassalId, ...]:
        """
        The vassals of that name, in the order in which they came.
        """
        return tuple(self._named.get(name, ()))

    def _drop(self, id: VassalId) -> frozenset[Address]:
        places = self._places.pop(id, frozenset())
        self._given.pop(id, None)
        self._former.pop(id, None)
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
        if not serves and any(self._leaves(id, place) for id in claims):
            self.leaving |= spellings
        else:
            self.leaving -= spellings

    def _leaves(self, id: VassalId, place: Address) -> bool:
        closed = id in self._held and not self._is_former(id, place)
        return self._phases.get(id) in (_CLOSED if closed else _LEAVING)


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
