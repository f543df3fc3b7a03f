"""
Connections to nodes that have a name.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import TimeoutError
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime
from twisted.python.failure import Failure

from emperor.addresses import NamedAddress, TcpAddress
from emperor.interfaces import IDialer
from emperor.proxy.names import PATIENCE, Names
from emperor.proxy.peers import CannotReach


class NamedDialer:
    """
    Looks a name up and tries its addresses one after the other.
    """

    def __init__(self, clock: IReactorTime, dialer: IDialer, names: Names) -> None:
        """
        @param dialer: makes the connections.
        """
        self._clock = clock
        self._dialer = dialer
        self._names = names

    def dial(
        self,
        address: NamedAddress,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
    ) -> Callable[[], None]:
        """
        As L{emperor.interfaces.IDialer.dial}.

        @param timeout: for the name and all its addresses together.
        """
        attempt = _Attempt(
            self._clock,
            self._dialer,
            self._names,
            address=address,
            protocol=protocol,
            failed=failed,
        )
        attempt.start(timeout)
        return attempt.cancel


class _Attempt:
    """
    One connection to be made.
    """

    def __init__(
        self,
        clock: IReactorTime,
        dialer: IDialer,
        names: Names,
        *,
        address: NamedAddress,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
    ) -> None:
        self._clock = clock
        self._dialer = dialer
        self._names = names
        self._address = address
        self._protocol = protocol
        self._failed = failed
        self._end = 0.0
        self._hosts: list[str] = []
        self._timer: IDelayedCall | None = None
        self._give_up: Callable[[], None] = self._forget

    def start(self, timeout: float) -> None:
        """
        Ask for the name.
        """
        self._end = self._clock.seconds() + timeout
        self._timer = self._clock.callLater(min(PATIENCE, timeout), self._lose_patience)
        self._names.ask(self._address.host, self._resolved)

    def cancel(self) -> None:
        """
        Give up without a word; nothing happens when the attempt is over.
        """
        self._stop_timer()
        self._give_up()

    def _lose_patience(self) -> None:
        self._timer = None
        host, left = self._address.host, self._end - self._clock.seconds()
        known = self._names.give_up(host, self._resolved)
        if known:
            self._resolved(known)
        elif left > 0:
            self._timer = self._clock.callLater(left, self._lose_patience)
            self._names.ask(host, self._resolved)
        else:
            self._failed(Failure(TimeoutError()))

    def _resolved(self, hosts: tuple[str, ...]) -> None:
        self._stop_timer()
        self._hosts = list(hosts)
        if hosts:
            self._next()
        else:
            error = CannotReach(string=f"the name {self._address.host} has no address")
            self._timer = self._clock.callLater(0, self._failed, Failure(error))

    def _next(self) -> None:
        host = self._hosts.pop(0)
        # One that is silent leaves time for the others.
        timeout = max(0.0, self._end - self._clock.seconds()) / (len(self._hosts) + 1)

        def refused(failure: Failure) -> None:
            self._names.failed(self._address.host, host)
            if self._hosts:
                self._next()
            else:
                self._give_up = _nothing
                self._failed(failure)

        place = TcpAddress(host, self._address.port)
        self._give_up = self._dialer.dial(place, self._protocol, refused, timeout)

    def _forget(self) -> None:
        self._names.give_up(self._address.host, self._resolved)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def _nothing() -> None:
    """
    Give up what is over.
    """
