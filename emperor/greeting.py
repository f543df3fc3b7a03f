"""
What the program says when it has started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from emperor.addresses import (
    Address,
    BorrowedSocket,
    ListenAddress,
    TcpAddress,
    parse_address,
)
from emperor.config.settings import HttpSettings, RouterSettings
from emperor.routing.hosts import literal_host
from emperor.vassals.spec import VassalId, shown
from emperor.vassals.status import Phase, VassalStatus

#: Seconds after which it greets, whoever is still starting.
PATIENCE = 10.0

#: Vassals that are named; of the others it says how many there are.
NAMES = 20

#: Phases in which a vassal's first start has come to an end.
SETTLED = frozenset({Phase.ACCEPTING, Phase.ASLEEP, Phase.HELD_BACK, Phase.EXILED, Phase.GONE})


def sites(routers: Iterable[RouterSettings], accepts: Callable[[Address], bool]) -> Iterator[str]:
    """
    What can be opened in a browser: rules for one host whose vassal is up.
    """
    for router in routers:
        ports = [place.port for place in _places(router) if isinstance(place, TcpAddress)]
        if isinstance(router, HttpSettings) and ports:
            port = "" if ports[0] == 80 else f":{ports[0]}"
            for rule in router.rules:
                host = literal_host(rule.pattern.pattern)
                if host and accepts(parse_address(rule.template)):
                    yield f"http://{host}{port}/"


def _places(router: RouterSettings) -> Iterator[ListenAddress]:
    for address in router.listen:
        yield address.address if isinstance(address, BorrowedSocket) else address


class Greeting:
    """
    Waits for the first start of every vassal, but not for ever, and then says,
    once, which are up and what to open.
    """

    _log = Logger()

    def __init__(
        self,
        routers: Iterable[RouterSettings],
        accepts: Callable[[Address], bool],
        clock: IReactorTime,
        running: Callable[[], bool],
    ) -> None:
        """
        @param running: whether the program is not about to end.
        """
        self._routers = tuple(routers)
        self._accepts = accepts
        self._clock = clock
        self._running = running
        self._starting: set[VassalId] = set()
        self._up: set[VassalId] = set()
        self._timer: IDelayedCall | None = None
        self._said = False

    def saw(self, status: VassalStatus) -> None:
        """
        A vassal has a new status.
        """
        if self._said:
            return
        if self._timer is None:
            self._timer = self._clock.callLater(PATIENCE, self._say)
        for names in (self._starting, self._up):
            names.discard(status.id)
        if status.phase is Phase.ACCEPTING:
            self._up.add(status.id)
        elif status.phase not in SETTLED:
            self._starting.add(status.id)
        if not self._starting:
            self._say()

    def _say(self) -> None:
        self._said = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if not self._running():
            return
        self._log.info("Vassals up: {names}", names=_names(self._up) or "none")
        if self._starting:
            self._log.info("Still starting: {names}", names=_names(self._starting))
        found = list(sites(self._routers, self._accepts))
        if found:
            self._log.info("Open {sites}", sites=" or ".join(found))


def _names(ids: Iterable[VassalId]) -> str:
    names = sorted(shown(id.name) for id in ids)
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")
