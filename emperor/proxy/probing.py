"""
One check of one node.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from emperor.addresses import ANYBODY, Address
from emperor.interfaces import INodeDialer, IStream
from emperor.proxy.backends import explain, is_timeout
from emperor.routing.checks import LOOKED_AT, Check

#: Bytes of an answer that are taken, so that the node need not notice that
#: nobody wants them.
TAKEN = 64 * 1024


class Probe(Protocol):
    """
    The connection to the node; L{start} begins the check.
    """

    transport: IStream

    def __init__(
        self,
        clock: IReactorTime,
        check: Check,
        question: bytes,
        timeout: float,
        done: Callable[[str], object],
    ) -> None:
        """
        @param timeout: seconds for the answer.
        @param done: called once with what is wrong with the node; empty:
            nothing.
        """
        self._clock = clock
        self._check = check
        self._question = question
        self._timeout = timeout
        self._done: Callable[[str], object] | None = done
        self._answer = b""
        self._taken = 0
        self._verdict: str | None = None
        self._timer: IDelayedCall | None = None
        self._give_up: Callable[[], None] | None = None

    def start(
        self, dialer: INodeDialer, address: Address, timeout: float, *, owner: int = ANYBODY
    ) -> None:
        """
        Connect.

        @param timeout: seconds until the node must have accepted.
        @param owner: see L{emperor.routing.pools.Target}.
        """
        failed = partial(self._not_connected, timeout)
        self._give_up = dialer.dial(address, self, failed, timeout, owner=owner)

    def cancel(self) -> None:
        """
        Find nothing out any more.
        """
        self._done = None
        self._stop_timer()
        if self.transport is not None:
            self.transport.abortConnection()
        elif self._give_up is not None:
            self._give_up()

    def connectionMade(self) -> None:
        """
        The node accepted.
        """
        self._timer = self._clock.callLater(self._timeout, self._timed_out)
        if self._question:
            self.transport.write(self._question)
        else:
            self._verdict = ""
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """
        The node answers.
        """
        self._taken += len(data)
        if self._verdict is None:
            self._answer += data[: LOOKED_AT - len(self._answer)]
            ended = len(self._answer) == LOOKED_AT
            self._verdict = self._check.verdict(self._answer, ended)
        if self._taken > TAKEN:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The node closed, or we did.
        """
        if self._verdict is None and reason.check(ConnectionDone):
            self._verdict = self._check.verdict(self._answer, True)
        self._finish("it breaks the connection off")

    def _not_connected(self, timeout: float, failure: Failure) -> None:
        if is_timeout(failure):
            self._finish(f"it does not accept within {timeout:g} s")
        else:
            self._finish(f"it cannot be reached: {explain(failure)}")

    def _timed_out(self) -> None:
        self._timer = None
        self._finish(f"it does not answer within {self._timeout:g} s")
        self.transport.abortConnection()

    def _finish(self, otherwise: str) -> None:
        """
        @param otherwise: what to say if there is no verdict.
        """
        done, self._done = self._done, None
        self._stop_timer()
        if done is not None:
            done(otherwise if self._verdict is None else self._verdict)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
