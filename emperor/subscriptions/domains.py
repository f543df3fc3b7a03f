"""
Vassals in pools: one whose file names its domains need not subscribe.

It is in their pools from when it accepts requests until before it is asked to
leave; while it reloads its sockets stay open, so it stays.  Its file is read
when it starts and when it reloads, as the vassal does it, and counts from when
it accepts.  One whose socket is the Emperor's is there also while it sleeps, and
stays while it starts again.

One that opens its socket itself is among the sleepers of its pools from when it
leaves to sleep until it accepts again: a request wakes it, and waits for it.  So is
one that a command has stopped, whoever has its socket: requests are told so.

One that is in no pool still names its domains (L{emperor.subscriptions.naming}):
requests for them are told why nobody answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.addresses import ANYBODY, Address, TcpAddress
from emperor.config.attributes import Attributes
from emperor.routing.outcomes import Result
from emperor.subscriptions.ledger import Ledger
from emperor.subscriptions.naming import Naming, Tell
from emperor.subscriptions.places import is_every_host
from emperor.vassals.spec import VassalId, shown
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.wire.subscription import Announcement

#: Seconds between two looks for who has to be announced again, usually and at
#: least.
LOOK = 1.0
SHORTEST_LOOK = 0.1

#: The part of the tolerance after which a vassal is announced again.
_REPETITIONS = 3

#: When a vassal reads its file.
_READING = frozenset({Phase.STARTING, Phase.RELOADING})

#: When it takes requests, or will in a moment and has its sockets.
_STAYING = frozenset({Phase.RELOADING, Phase.READY, Phase.RENEWING})

#: When a vassal whose socket is the Emperor's needs nothing but a request.
_WAITING = frozenset({Phase.ASLEEP, Phase.READY})

#: When a vassal that opens its socket itself needs nothing but a request.
_DROWSY = frozenset({Phase.ASLEEP, Phase.RETIRING})

#: When one that was woken has not come yet, and may.
_COMING = frozenset({Phase.QUEUED, Phase.STARTING, Phase.READY, Phase.REPLACED, Phase.HELD_BACK})

#: When nobody would answer at a socket that is the Emperor's.
_CLOSED = frozenset({Phase.STOPPING, Phase.HELD_BACK, Phase.EXILED, Phase.GONE})


@dataclass(frozen=True, slots=True)
class Holdings:
    """
    What a vassal's file says of its pools.

    @ivar announcements: to be made while it accepts.
    @ivar problems: sentences about what is wrong in it, with their place.
    """

    announcements: tuple[Announcement, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """
        Its pools, as they are written.
        """
        return [each.key for each in self.announcements]


EMPTY = Holdings()


def make_holdings(
    name: str, attributes: Attributes, sockets: Sequence[Address], owner: int = ANYBODY
) -> Holdings:
    """
    The pools of a vassal.

    @param name: of the vassal.
    @param sockets: where it takes uwsgi requests; the first one counts.
    @param owner: who must listen there, if it is a UNIX socket.
    """
    problems = tuple(str(problem) for problem in attributes.problems)
    if not attributes.domains:
        return Holdings((), problems)
    if not sockets:
        missing = (
            f"{name} has a domain, but names no socket that can be told from outside; "
            "needed: socket = /path, @name or ADDRESS:PORT"
        )
        return Holdings((), (*problems, missing))
    address = str(_reachable(sockets[0]))
    return Holdings(
        tuple(
            Announcement(
                leaving=False,
                key=domain.key,
                address=address,
                modifier1=domain.modifier1,
                modifier2=domain.modifier2,
                weight=domain.weight,
                backup=domain.backup,
                algorithm=domain.algorithm,
                vassal=name,
                owner=owner,
            )
            for domain in attributes.domains
        ),
        problems,
    )


def _reachable(address: Address) -> Address:
    """
    A vassal is on this machine.
    """
    if isinstance(address, TcpAddress) and is_every_host(address):
        return TcpAddress("::1" if address.is_ipv6 else "127.0.0.1", address.port)
    return address


@dataclass(slots=True)
class _Entry:
    """
    An announcement that stands.

    @ivar last: when it was made.
    """

    announcement: Announcement
    last: float


#: Key and address of a node; of a sleeper the key, and its vassal.
_Name = tuple[str, str, str]


class Domains(Service):
    """
    Puts vassals into the pools of all routers and takes them out.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        ledgers: Sequence[Ledger],
        read: Callable[[VassalId], Holdings],
        tolerance: float,
        named: Tell = lambda id, keys: None,
    ) -> None:
        """
        @param ledgers: one for each router.
        @param read: looks at a vassal's file.
        @param tolerance: the shortest one of the routers.
        @param named: is told which keys a vassal names.
        """
        self._clock = clock
        self._ledgers = tuple(ledgers)
        self._read = read
        self._gap = tolerance / _REPETITIONS
        self._naming = Naming(clock, lambda id: self._look(id).keys, named)
        self._coming: dict[VassalId, Holdings] = {}
        # What the next generation, which comes up beside the current one, says.
        self._next: dict[VassalId, Holdings] = {}
        self._entries: dict[VassalId, dict[_Name, _Entry]] = {}
        # How many vassals are the same node: they may share a socket.
        self._claims: Counter[_Name] = Counter()
        self._sleeping: set[VassalId] = set()
        self._complaints: dict[VassalId, tuple[str, ...]] = {}
        self._loop = LoopingCall(self._repeat)
        self._loop.clock = clock

    def startService(self) -> None:
        """
        Begin to say again who is there.
        """
        Service.startService(self)
        self._loop.start(max(SHORTEST_LOOK, min(LOOK, self._gap)), now=False).addErrback(
            self._broken
        )

    def stopService(self) -> None:
        """
        Say nothing any more.
        """
        Service.stopService(self)
        self._naming.stop()
        if self._loop.running:
            self._loop.stop()

    def saw(self, status: VassalStatus) -> None:
        """
        A vassal has a new status.
        """
        id, phase = status.id, status.phase
        started = self._next.pop(id, None)
        if phase is Phase.RENEWING:
            self._next[id] = self._look(id)
        elif phase is Phase.RELOADING and started is not None:
            # The file may be another one by now than what this generation read.
            self._expect(id, started)
        elif phase in _READING or phase is Phase.ASLEEP:
            self._expect(id, self._look(id))
        elif phase is Phase.QUEUED or not (phase is Phase.GONE or self._naming.knows(id)):
            self._naming.expect(id)
        if phase is Phase.ACCEPTING:
            self._naming.settled(id, self._coming.get(id, EMPTY).keys)
        if self._sleeps(status):
            self._lay_down(id)
        elif phase is Phase.ACCEPTING or (status.held and phase in _WAITING):
            self._settle(id, self._coming.get(id, EMPTY))
        elif self._is_closed(status):
            self._settle(id, EMPTY)
        if phase is Phase.GONE:
            self._coming.pop(id, None)
            self._complaints.pop(id, None)
            self._naming.gone(id)

    def _expect(self, id: VassalId, holdings: Holdings) -> None:
        """
        A vassal has read this, and accepts with it perhaps.
        """
        self._coming[id] = holdings
        self._naming.heard(id, holdings.keys)

    def _sleeps(self, status: VassalStatus) -> bool:
        """
        Whether a request can wake it, or has woken it and has to wait, or has to be
        told that it was stopped.
        """
        if status.rest is Rest.STOPPED:
            return status.phase is not Phase.GONE
        if status.held:
            return False
        if status.phase in _DROWSY:
            return True
        return status.id in self._sleeping and status.phase in _COMING

    def _lay_down(self, id: VassalId) -> None:
        """
        A vassal is one of the sleepers of its pools.
        """
        holdings = self._coming.get(id, EMPTY)
        asleep = tuple(replace(each, address="") for each in holdings.announcements)
        self._settle(id, Holdings(asleep))
        if asleep:
            self._sleeping.add(id)

    @staticmethod
    def _is_closed(status: VassalStatus) -> bool:
        """
        Whether nobody answers at its socket, and nobody will in a moment.
        """
        if status.held:
            return status.phase in _CLOSED and not status.returns
        return status.phase not in _STAYING

    def _look(self, id: VassalId) -> Holdings:
        try:
            holdings = self._read(id)
        except Exception:
            self._log.failure("The domains of vassal {vassal} are unknown", vassal=shown(id.name))
            return EMPTY
        self._complain(id, holdings.problems)
        return holdings

    def _complain(self, id: VassalId, problems: tuple[str, ...]) -> None:
        """
        Say what is wrong with a file, once for each change.
        """
        if problems == self._complaints.get(id, ()):
            return
        self._complaints[id] = problems
        for problem in problems:
            self._log.warn(
                "Vassal {vassal}: {problem}", vassal=shown(id.name), problem=shown(problem)
            )

    def _settle(self, id: VassalId, holdings: Holdings) -> None:
        """
        A vassal is in these pools and in no others.
        """
        if not (holdings.announcements or id in self._entries):
            return
        now = self._clock.seconds()
        self._sleeping.discard(id)
        before = self._entries.pop(id, {})
        after = {_name(each): _Entry(each, now) for each in holdings.announcements}
        if after:
            self._entries[id] = after
        self._claims.update(after.keys() - before.keys())
        # First who comes, so that no pool is empty for a moment.
        for entry in after.values():
            # A sleeper takes the place of the node that it was.
            asleep = not entry.announcement.address
            self._announce(id, replace(entry.announcement, clear=asleep))
        for name in before.keys() - after.keys():
            self._claims[name] -= 1
            if not self._claims[name]:
                del self._claims[name]
                self._announce(id, replace(before[name].announcement, leaving=True))

    def _announce(self, id: VassalId, announcement: Announcement) -> None:
        for ledger in self._ledgers:
            outcome = ledger.announce(announcement)
            if outcome.result is Result.REFUSED:
                self._log.warn(
                    "Vassal {vassal} is in no pool {key}: {reason}",
                    vassal=shown(id.name),
                    key=shown(announcement.key),
                    reason=shown(outcome.reason),
                )

    def _repeat(self) -> None:
        due = self._clock.seconds() - self._gap
        for entry in self._due(due):
            for ledger in self._ledgers:
                ledger.announce(entry.announcement)

    def _due(self, due: float) -> Iterator[_Entry]:
        for entries in list(self._entries.values()):
            for entry in entries.values():
                if entry.last <= due:
                    entry.last = self._clock.seconds()
                    yield entry

    def _broken(self, failure: Failure) -> None:
        self._log.failure("Vassals are not announced any more", failure)


def _name(announcement: Announcement) -> _Name:
    asleep = "" if announcement.address else announcement.vassal
    return announcement.key, announcement.address, asleep
