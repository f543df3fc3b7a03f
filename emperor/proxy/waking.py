"""
Requests for pools in which all vassals sleep: the Emperor is asked to start one,
and the request waits until it says where it listens.  One of this program is told
by itself, another one by a datagram.

The Emperor is reminded each second as long as somebody waits, for a datagram
can get lost, and asked for another vassal of the pool in turn, for one can be
broken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.announcing.sending import CannotSend, Sender
from emperor.announcing.servers import Server, parse_server
from emperor.config.settings import RouterSettings
from emperor.interfaces import IVassalDirectory
from emperor.proxy.refusals import Reason, Refusal, Refused
from emperor.routing.mappers import Asked
from emperor.routing.members import Sleeper
from emperor.routing.pools import Pool
from emperor.routing.subscribed import SubscribedPool
from emperor.routing.subscriptions import Registry
from emperor.vassals.spec import shown
from emperor.wire.commands import spawn

#: Requests of one pool, and of all pools of a router, that wait at the same time.
POOL_WAITING_LIMIT = 1024
WAITING_LIMIT = 8192

#: Seconds between two datagrams for one vassal.
REMINDING = 1.0

#: Seconds for which it is remembered when a vassal was asked for.
REMEMBERED = 60.0


@dataclass(slots=True, eq=False)
class _Vigil:
    """
    The requests that wait for one pool.

    @ivar vassal: which was asked for last.
    """

    pool: SubscribedPool
    vassal: str = ""
    waiting: dict[Deferred[Pool | None], IDelayedCall] = field(default_factory=dict)


class Waker(Service):
    """
    That of one router, or of one of its processes.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        settings: RouterSettings,
        registry: Registry,
        sender: Sender,
        vassals: IVassalDirectory,
    ) -> None:
        """
        @param sender: reaches the Emperor of C{settings}, for vassals that
            C{vassals} does not know.
        """
        self._vassals = vassals
        self._clock = clock
        self._option = f"{settings.kind}-emperor-socket"
        self._emperor = _server(settings)
        # The front end's own time-out would not know what was waited for.
        self._patience = min(settings.defer_connect_timeout, settings.timeout)
        self._sender = sender
        self._vigils: dict[str, _Vigil] = {}
        self._count = 0
        self._asked: dict[str, float] = {}
        self._reminder: IDelayedCall | None = None
        self._trouble = ""
        registry.greet(self._came)

    async def stopService(self) -> None:
        """
        Wake nobody any more.
        """
        Service.stopService(self)
        if self._reminder is not None:
            self._reminder.cancel()
            self._reminder = None
        for vigil in list(self._vigils.values()):
            for waiting in list(vigil.waiting):
                waiting.cancel()
        await self._sender.close()

    def pool(self, pool: SubscribedPool, asked: Asked) -> Pool | Deferred[Pool | None]:
        """
        A pool in which vassals sleep, when one of its nodes can serve.

        @return: it may be cancelled, and it fails as this raises.
        @raise Refused: the request cannot wait, or has waited in vain.
        """
        if not pool.is_asleep(self._clock.seconds()):
            return pool
        vigil = self._vigils.get(pool.key) or _Vigil(pool)
        vigil.pool = pool
        self._check(vigil, asked)
        self._vigils[pool.key] = vigil
        waiting: Deferred[Pool | None] = Deferred(partial(self._forget, vigil))
        late = self._clock.callLater(self._patience, self._late, vigil, waiting, asked)
        vigil.waiting[waiting] = late
        self._count += 1
        self._wake(vigil)
        if self._reminder is None:
            self._reminder = self._clock.callLater(REMINDING, self._remind)
        return waiting

    def _check(self, vigil: _Vigil, asked: Asked) -> None:
        if all(map(self._vassals.is_stopped, vigil.pool.sleepers)):
            raise _refused(self._state(next(iter(vigil.pool.sleepers))), asked)
        if self._emperor is None and not any(map(self._is_ours, vigil.pool.sleepers)):
            vassal = shown(next(iter(vigil.pool.sleepers)))
            detail = f"vassal {vassal} sleeps, and {self._option} does not say who can wake it"
            raise _refused(detail, asked)
        if len(vigil.waiting) >= POOL_WAITING_LIMIT or self._count >= WAITING_LIMIT:
            raise _refused(f"{self._count} requests wait for vassals that sleep already", asked)

    def _came(self, pool: SubscribedPool) -> None:
        """
        A node is in this pool now.
        """
        vigil = self._vigils.get(pool.key)
        if vigil is not None:
            self._release(vigil, pool)

    def _release(self, vigil: _Vigil, pool: SubscribedPool) -> None:
        for waiting in list(vigil.waiting):
            if waiting in vigil.waiting:
                self._forget(vigil, waiting)
                waiting.callback(pool)

    def _forget(self, vigil: _Vigil, waiting: Deferred[Pool | None]) -> None:
        """
        This request waits no more.
        """
        timer = vigil.waiting.pop(waiting)
        if timer.active():
            timer.cancel()
        self._count -= 1
        if not vigil.waiting:
            del self._vigils[vigil.pool.key]

    def _late(self, vigil: _Vigil, waiting: Deferred[Pool | None], asked: Asked) -> None:
        """
        The vassal has not come: the request goes to what there is.
        """
        self._forget(vigil, waiting)
        if vigil.pool.members:
            waiting.callback(vigil.pool)
            return
        waiting.errback(_refused(self._state(vigil.vassal), asked))

    def _state(self, vassal: str) -> str:
        """
        Why it has not come.
        """
        ours = self._vassals.reason_named(vassal)
        if ours:
            return ours
        state = f"cannot be woken: {self._trouble}" if self._trouble else "is being woken"
        return f"vassal {shown(vassal)} {state}"

    def _is_ours(self, vassal: str) -> bool:
        return self._vassals.reason_named(vassal) is not None

    def _remind(self) -> None:
        """
        Look again at all that somebody waits for.
        """
        self._reminder = None
        now = self._clock.seconds()
        for vigil in list(self._vigils.values()):
            if vigil.pool.sleepers and not vigil.pool.is_asleep(now):
                self._release(vigil, vigil.pool)
            else:
                self._wake(vigil)
        self._asked = {name: when for name, when in self._asked.items() if now - when < REMEMBERED}
        if self._vigils and self._reminder is None:
            self._reminder = self._clock.callLater(REMINDING, self._remind)

    def _wake(self, vigil: _Vigil) -> None:
        sleepers = vigil.pool.sleepers
        if not sleepers:
            return
        now = self._clock.seconds()
        vigil.vassal = min(sleepers, key=lambda name: self._turn(name, sleepers[name]))
        if vigil.vassal in self._asked and now < self._asked[vigil.vassal] + REMINDING:
            return
        self._asked[vigil.vassal] = now
        if self._vassals.rouse_named(vigil.vassal) or self._emperor is None:
            return
        sending = ensureDeferred(self._sender.send(self._emperor, spawn(vigil.vassal)))
        sending.addCallbacks(self._sent, self._not_sent)

    def _turn(self, name: str, sleeper: Sleeper) -> tuple[float, int]:
        return self._asked.get(name, float("-inf")), sleeper.announcement.backup

    def _sent(self, _: object) -> None:
        self._trouble = ""

    def _not_sent(self, failure: Failure) -> None:
        trouble = str(failure.value)
        if not failure.check(CannotSend):
            self._log.failure("The Emperor was not asked", failure)
        elif trouble != self._trouble:
            self._log.warn("Vassals cannot be woken: {trouble}", trouble=trouble)
        self._trouble = trouble


def _server(settings: RouterSettings) -> Server | None:
    """
    @return: L{None}: there is no Emperor to ask.
    """
    return parse_server(settings.emperor_socket) if settings.emperor_socket else None


def _refused(detail: str, asked: Asked) -> Refused:
    return Refused(Refusal(Reason.NODE_ABSENT, detail, shown(asked.host)))
