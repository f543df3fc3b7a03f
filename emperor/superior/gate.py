"""
Keeps the doors shut after the program has executed itself again.

Its listening sockets were open all the time.  Clients who wait there would be told
that their site is starting; so the routers begin to accept when the first start of
every vassal has come to an end, or after a few seconds.
"""

from __future__ import annotations

from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from emperor.greeting import SETTLED
from emperor.vassals.spec import VassalId
from emperor.vassals.status import VassalStatus

#: Seconds after which it opens, whoever is still starting.
PATIENCE = 5.0


class Gate(MultiService):
    """
    Services that start when vassals are up.
    """

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._clock = clock
        self._starting: set[VassalId] = set()
        self._timer: IDelayedCall | None = None
        self._is_open = False

    def startService(self) -> None:
        """
        Wait, but not for ever.
        """
        Service.startService(self)
        if not self._is_open:
            self._timer = self._clock.callLater(PATIENCE, self.open)

    def stopService(self) -> Any:
        """
        Stop what has started; what has not gives its sockets back only then.
        """
        self.open()
        return super().stopService()  # type: ignore[no-untyped-call]

    def saw(self, status: VassalStatus) -> None:
        """
        A vassal has a new status.
        """
        if status.phase in SETTLED:
            self._starting.discard(status.id)
        else:
            self._starting.add(status.id)
        if not self._starting and self._timer is not None:
            self.open()

    def open(self) -> None:
        """
        Start them, once.
        """
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if not self._is_open:
            self._is_open = True
            for service in self:
                service.startService()
