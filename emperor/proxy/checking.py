"""
Checks of the nodes in pools: those that fail are spared before a request meets
them, and those in quarantine come back without one.

Each process that picks nodes checks them itself, since each has its own opinion
of them.  Nodes are checked one after the other all the time, a few at once; one
that is in several pools is checked once for all of them, unless what it is asked
differs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from random import random as system_random

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.addresses import Address
from emperor.config.settings import NodeCheck
from emperor.interfaces import INodeDialer
from emperor.proxy.probing import Probe
from emperor.routing.checks import make_check
from emperor.routing.members import Member
from emperor.routing.subscribed import SubscribedPool
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.allowance import Allowance

#: Checks that run at the same time.
AT_ONCE = 32

#: Seconds between two looks for whose turn it is, usually and at least.
LOOK = 1.0
SHORTEST_LOOK = 0.1

#: The part of the frequency that is left to chance, so that processes do not
#: all ask in the same moment.
JITTER = 0.25

#: Lines in a second.
LOGGED_PER_SECOND = 20


@dataclass(slots=True, eq=False)
class _Subject:
    """
    A node that is asked something.

    @ivar members: what stands for it in the pools, as of the last look.
    @ivar due: when it is to be checked.
    @ivar busy: it is being checked, or its turn is about to come.
    @ivar trouble: what the last check found; empty: nothing.
    """

    address: Address
    members: list[tuple[SubscribedPool, Member]] = field(default_factory=list)
    due: float = 0
    busy: bool = False
    trouble: str = ""

    def current(self) -> list[tuple[SubscribedPool, Member]]:
        """
        Those that have not left.
        """
        return [
            (pool, member)
            for pool, member in self.members
            if pool.members.get(member.address) is member
        ]


class Checker(Service):
    """
    Checks the nodes of one registry while it runs.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        router: str,
        registry: Registry,
        dialer: INodeDialer,
        settings: NodeCheck,
        *,
        connect_timeout: float,
        random: Callable[[], float] = system_random,
    ) -> None:
        """
        @param router: C{"http"} or C{"fastrouter"}.
        @param connect_timeout: seconds until a node must have accepted.
        @param random: gives a number from 0 to 1.
        """
        self._clock = clock
        self._router = router
        self._registry = registry
        self._dialer = dialer
        self._settings = settings
        self._connect_timeout = connect_timeout
        self._random = random
        self._check = make_check(settings)
        self._subjects: dict[Hashable, _Subject] = {}
        self._queue: deque[_Subject] = deque()
        self._running: set[Probe] = set()
        self._starting = False
        self._allowance = Allowance(clock, LOGGED_PER_SECOND, self._unsaid)
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def startService(self) -> None:
        """
        Begin.
        """
        Service.startService(self)
        interval = max(SHORTEST_LOOK, min(LOOK, self._settings.frequency))
        self._loop.start(interval, now=False).addErrback(self._broken)

    def stopService(self) -> None:
        """
        Check nobody any more.
        """
        Service.stopService(self)
        if self._loop.running:
            self._loop.stop()
        self._queue.clear()
        for probe in list(self._running):
            probe.cancel()
        self._running.clear()

    def _look(self) -> None:
        """
        Find out who is here, and whose turn it is.
        """
        now = self._clock.seconds()
        self._gather()
        for subject in self._subjects.values():
            if not subject.busy and now >= subject.due:
                subject.busy = True
                self._queue.append(subject)
        self._go_on()

    def _gather(self) -> None:
        before, self._subjects = self._subjects, {}
        for subject in before.values():
            subject.members.clear()
        for pool in self._registry.pools:
            for member in pool.members.values():
                name = member.address, member.owner, self._check.topic(pool.key, member)
                subject = before.get(name) or _Subject(member.address)
                self._subjects[name] = before[name] = subject
                subject.members.append((pool, member))
                if member.health.failures:
                    subject.due = min(subject.due, member.health.until)

    def _go_on(self) -> None:
        if self._starting:  # a check that was over at once
            return
        self._starting = True
        try:
            while self._queue and len(self._running) < AT_ONCE:
                self._begin(self._queue.popleft())
        finally:
            self._starting = False

    def _begin(self, subject: _Subject) -> None:
        found = subject.current()
        if not found:
            subject.busy = False
            return
        pool, member = found[0]
        question = self._check.question(pool.key, member)

        def done(trouble: str) -> None:
            self._running.discard(probe)
            self._found(subject, trouble)
            self._go_on()

        probe = Probe(self._clock, self._check, question, self._settings.timeout, done)
        self._running.add(probe)
        probe.start(self._dialer, subject.address, self._connect_timeout, owner=member.owner)

    def _found(self, subject: _Subject, trouble: str) -> None:
        now = self._clock.seconds()
        pause = self._settings.frequency * (1 - JITTER * self._random())
        subject.busy, subject.due = False, now + pause
        for pool, member in subject.current():
            if trouble:
                pool.check_failed(member, now)
            else:
                pool.check_passed(member)
        self._note(subject, trouble)

    def _note(self, subject: _Subject, trouble: str) -> None:
        """
        Say what has changed.
        """
        changed = bool(trouble) != bool(subject.trouble)
        subject.trouble = trouble
        if not (changed and self._allowance.take()):
            return
        if trouble:
            sentence = "{router}: {node} does not pass its check: {trouble}"
        else:
            sentence = "{router}: {node} passes its check again"
        self._log.info(sentence, router=self._router, node=str(subject.address), trouble=trouble)

    def _unsaid(self, count: int) -> None:
        self._log.info(
            "{router}: {count} more nodes pass their checks again or do not",
            router=self._router,
            count=count,
        )

    def _broken(self, failure: Failure) -> None:
        self._log.failure("Nodes are not checked any more", failure)
