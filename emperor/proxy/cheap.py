"""
Cheap mode: a router accepts only while somebody has subscribed.

Others who listen on the same socket get the connections meanwhile; where there
are none, clients wait in its queue.  Connections that are open go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from emperor.config.settings import RouterSettings
from emperor.interfaces import IPort
from emperor.routing.subscriptions import Registry


def make_cheap_mode(settings: RouterSettings, registry: Registry) -> CheapMode | None:
    """
    What the settings ask for.

    @return: L{None}: the router accepts always.
    """
    return CheapMode(settings.kind, registry) if settings.cheap else None


class CheapMode:
    """
    That of one router.
    """

    _log = Logger()

    def __init__(self, router: str, registry: Registry) -> None:
        self._router = router
        self._registry = registry
        self._ports: Sequence[IPort] = ()
        registry.watch(self._changed)

    def start(self, ports: Sequence[IPort]) -> None:
        """
        Rule over these ports, which accept now.
        """
        self._ports = ports
        if ports and self._registry.is_empty:
            self._rest("{router} is in cheap mode until somebody subscribes")

    def stop(self) -> None:
        """
        Leave the ports alone.
        """
        self._ports = ()

    def _changed(self, empty: bool) -> None:
        if not self._ports:
            return
        if empty:
            self._rest("{router} enters cheap mode: nobody is subscribed any more")
            return
        self._log.info("{router} leaves cheap mode", router=self._router)
        for port in self._ports:
            port.startReading()

    def _rest(self, sentence: str) -> None:
        self._log.info(sentence, router=self._router)
        for port in self._ports:
            port.stopReading()
