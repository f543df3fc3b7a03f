"""
What the names of nodes stand for, as the system's resolver says.

An answer is used for its time to live.  Then it is asked for anew, while
requests go on with the old one; only what is older than L{OLD} has to be
confirmed before it is used.  A resolver that fails or keeps silent changes
nothing: the last answer stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorTime,
    IResolutionReceiver,
)
from twisted.logger import Logger
from zope.interface import implementer

#: What is told: literal IP addresses, none if there are none.
Told = Callable[[tuple[str, ...]], object]

#: Seconds after which an answer is not used any more without a new one.
OLD = 60.0

#: Seconds that requests wait for a new answer if there is an old one.
PATIENCE = 1.0

#: Seconds until a name that has no address is asked for again.
RETRY = 1.0

#: Names that are remembered, and that are asked for at the same time.  Clients
#: can name hosts where a pattern makes addresses of them.
MOST_NAMES = 1024
MOST_QUESTIONS = 64

#: Addresses of one name that are used.
MOST_ADDRESSES = 16


@dataclass(slots=True, eq=False)
class _Name:
    """
    One name.

    @ivar hosts: the last answer.
    @ivar answered: when that was.
    @ivar asked: when the resolver was last asked.
    @ivar open: it has not answered yet.
    @ivar missing: it had no answer.
    @ivar waiting: who is to be told.
    @ivar bad: addresses that did not accept since the last answer.
    @ivar turn: how often the answer was used.
    """

    host: str
    hosts: tuple[str, ...] = ()
    answered: float = float("-inf")
    asked: float = float("-inf")
    open: bool = False
    missing: bool = False
    waiting: dict[Told, None] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    turn: int = 0

    def is_due(self, now: float, ttl: float) -> bool:
        """
        Whether the resolver is to be asked.
        """
        return not self.open and now - self.asked >= (ttl if self.hosts else RETRY)

    def is_usable(self, now: float) -> bool:
        """
        Whether nobody need wait for a new answer.
        """
        late = self.open and now - self.asked >= PATIENCE
        return bool(self.hosts) and (late or now - self.answered <= OLD)

    def take(self) -> tuple[str, ...]:
        """
        The addresses, each time with the next one first: one after the other of
        the kind that the resolver prefers, then the other kind, and at the end
        those that did not accept.
        """
        hosts = self.hosts
        self.turn += 1
        alike = [host for host in hosts if (":" in host) == (":" in hosts[0])]
        start = self.turn % len(alike) if alike else 0
        order = [*alike[start:], *alike[:start], *hosts[len(alike) :]]
        return tuple(sorted(order, key=self.bad.__contains__))


class Names:
    """
    Looks names up and remembers them.
    """

    _log = Logger()

    def __init__(self, resolver: IHostnameResolver, clock: IReactorTime, ttl: float) -> None:
        """
        @param ttl: seconds that an answer is used without asking.
        """
        self._resolver = resolver
        self._clock = clock
        self._ttl = ttl
        self._names: dict[str, _Name] = {}
        self._questions = 0

    def ask(self, host: str, told: Told) -> None:
        """
        Call C{told} with the addresses of a name, perhaps before this returns;
        none if it has none.
        """
        name = self._find(host)
        now = self._clock.seconds()
        if name.is_due(now, self._ttl) and self._questions < MOST_QUESTIONS:
            self._begin(name, now)
        if name.open and not name.is_usable(now):
            name.waiting[told] = None
        else:
            told(name.take())

    def give_up(self, host: str, told: Told) -> tuple[str, ...]:
        """
        Do not call C{told} any more.

        @return: what the name stood for when it was last known.
        """
        name = self._find(host)
        name.waiting.pop(told, None)
        return name.take()

    def failed(self, host: str, address: str) -> None:
        """
        Try this address of the name after all others, until the next answer.
        """
        self._find(host).bad.add(address)

    def _find(self, host: str) -> _Name:
        found = self._names.pop(host, None) or _Name(host)
        self._names[host] = found  # the last one used is the last
        if len(self._names) > MOST_NAMES:
            oldest = next(key for key, name in self._names.items() if not name.open)
            del self._names[oldest]
        return found

    def _begin(self, name: _Name, now: float) -> None:
        self._questions += 1
        name.open, name.asked = True, now
        answer = _Answer(lambda hosts: self._answered(name, hosts))
        kinds = [IPv4Address, IPv6Address]
        self._resolver.resolveHostName(answer, name.host, 0, kinds, "TCP")

    def _answered(self, name: _Name, hosts: tuple[str, ...]) -> None:
        self._questions -= 1
        name.open = False
        self._note(name, hosts)
        name.missing = not hosts
        if hosts:
            name.hosts, name.answered = hosts, self._clock.seconds()
            name.bad.clear()
        waiting, name.waiting = name.waiting, {}
        for told in waiting:
            told(name.take())

    def _note(self, name: _Name, hosts: tuple[str, ...]) -> None:
        shown = ", ".join(hosts or name.hosts)
        if hosts and hosts != name.hosts:
            self._log.info("{host} is {hosts}", host=name.host, hosts=shown)
        elif not (hosts or name.missing):
            rest = f"it stays {shown}" if shown else "it has no address"
            self._log.warn("{host} was not found: {rest}", host=name.host, rest=rest)


@implementer(IResolutionReceiver)
class _Answer:
    """
    Collects the addresses of one answer.
    """

    def __init__(self, done: Callable[[tuple[str, ...]], object]) -> None:
        self._done = done
        self._hosts: dict[str, None] = {}

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """
        See L{IResolutionReceiver.resolutionBegan}.
        """

    def addressResolved(self, address: IAddress) -> None:
        """
        See L{IResolutionReceiver.addressResolved}.
        """
        if isinstance(address, (IPv4Address, IPv6Address)):
            self._hosts[address.host] = None

    def resolutionComplete(self) -> None:
        """
        See L{IResolutionReceiver.resolutionComplete}.
        """
        first = next(iter(self._hosts), "")
        # The resolver prefers a kind; within it the order changes for no reason.
        found = sorted(self._hosts, key=lambda host: ((":" in host) != (":" in first), host))
        self._done(tuple(found[:MOST_ADDRESSES]))
