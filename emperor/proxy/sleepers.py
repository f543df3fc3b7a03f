"""
Requests whose node is a vassal that sleeps: it is woken, and they wait until it
accepts.

A request asks its node again when the vassal accepts, and each second besides, for
a program that never says so may serve all the same.  After its patience it goes on
as if nothing slept: to the fallback, or to the client with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from emperor.addresses import Address
from emperor.config.settings import RouterSettings
from emperor.interfaces import IVassalDirectory

#: Requests for one address, and of a router, that wait at the same time.
PLACE_WAITING_LIMIT = 1024
WAITING_LIMIT = 8192

#: Seconds between two attempts of a request that waits.
AGAIN = 1.0


@dataclass(slots=True, eq=False)
class _Vigil:
    """
    The requests that wait for one address.
    """

    timer: IDelayedCall
    waiting: dict[object, Callable[[], object]] = field(default_factory=dict)


class Sleepers:
    """
    Those of one router, or of one of its processes.

    @ivar patience: seconds that a request waits.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, settings: RouterSettings, vassals: IVassalDirectory
    ) -> None:
        self.patience = min(settings.defer_connect_timeout, settings.timeout)
        self._clock = clock
        self._vassals = vassals
        self._vigils: dict[Address, _Vigil] = {}
        self._count = 0
        vassals.greet(self._accepted)

    def rouse(self, address: Address, since: float | None) -> bool:
        """
        Wake the vassal that listens at C{address}, if it sleeps.

        @param since: when the request began to wait; L{None}: it has not.
        @return: whether the request may L{wait} for it.
        """
        if since is not None and self._clock.seconds() >= since + self.patience:
            return False
        vigil = self._vigils.get(address)
        if self._count >= WAITING_LIMIT:
            return False
        if vigil is not None and len(vigil.waiting) >= PLACE_WAITING_LIMIT:
            return False
        return self._vassals.rouse(address)

    def wait(self, address: Address, again: Callable[[], object]) -> Callable[[], None]:
        """
        Wait for the vassal at C{address}.

        @param again: called once, and never before this returns: ask the node now.
        @return: waits no more; nothing happens if C{again} was called.
        """
        vigil = self._vigils.get(address)
        if vigil is None:
            pause = min(AGAIN, self.patience)
            timer = self._clock.callLater(pause, self._release, address)
            vigil = self._vigils[address] = _Vigil(timer)
        ticket = object()
        vigil.waiting[ticket] = again
        self._count += 1
        return lambda: self._forget(address, vigil, ticket)

    def _accepted(self, addresses: Collection[Address]) -> None:
        if self._vigils:
            for address in addresses:
                if address in self._vigils:
                    self._vigils[address].timer.reset(0)

    def _release(self, address: Address) -> None:
        vigil = self._vigils.pop(address)
        self._count -= len(vigil.waiting)
        waiting, vigil.waiting = vigil.waiting, {}
        for again in waiting.values():
            try:
                again()
            except Exception:
                self._log.failure("A request that waited broke")

    def _forget(self, address: Address, vigil: _Vigil, ticket: object) -> None:
        if vigil.waiting.pop(ticket, None) is None:
            return
        self._count -= 1
        if not vigil.waiting and self._vigils.get(address) is vigil:
            vigil.timer.cancel()
            del self._vigils[address]
