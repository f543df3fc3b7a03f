"""
The pipe to the Emperor from a vassal that hands it on (C{UWSGI_EMPEROR_PROXY}).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.interfaces import IAddress, IDelayedCall, IFileDescriptorReceiver
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.superior.summons import NoPipe, claim
from emperor.wire.proxying import BadHandOver, parse_hand_over

#: Seconds until the next attempt.
RETRY = 1.0

#: Seconds that one attempt may take.
PATIENCE = 30.0


@implementer(IFileDescriptorReceiver)
class Receiver(Protocol):
    """
    Takes one hand-over.
    """

    def __init__(
        self, take: Callable[[socket.socket], object], fail: Callable[[str], object]
    ) -> None:
        """
        @param take: gets the pipe.
        @param fail: is told why there is none; one of both is called, once.
        """
        self._take = take
        self._fail = fail
        self._data = b""
        self._first: int | None = None
        self._is_over = False

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """
        The first one is the pipe; ours are configured by files.
        """
        if self._first is not None or self._is_over:
            os.close(descriptor)
            return
        os.set_inheritable(descriptor, False)
        self._first = descriptor

    def dataReceived(self, data: bytes) -> None:
        """
        A piece of the message.
        """
        if self._is_over:
            return
        self._data += data
        try:
            if parse_hand_over(self._data) is not None:
                self._deliver()
        except (BadHandOver, NoPipe) as error:
            self.give_up(str(error))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        There is no more.
        """
        self.give_up("it closed the connection without handing a pipe over")

    def give_up(self, reason: str) -> None:
        """
        There will be no pipe.
        """
        if self._is_over:
            return
        self._end()
        if self._first is not None:
            os.close(self._first)
            self._first = None
        self._fail(reason)

    def _deliver(self) -> None:
        if self._first is None:
            raise NoPipe("no descriptor came with the message")
        pipe = claim(self._first)
        self._first = None
        self._end()
        self._take(pipe)

    def _end(self) -> None:
        self._is_over = True
        if self.transport is not None:
            self.transport.loseConnection()


class _Once(Factory):
    """
    Has one protocol.
    """

    noisy = False

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def buildProtocol(self, addr: IAddress | None) -> Receiver:
        """
        It is there already.
        """
        return self._receiver


def _reason(failure: Failure) -> str:
    number = getattr(failure.value, "osError", None)
    return os.strerror(number) if isinstance(number, int) else failure.getErrorMessage()


class ProxyClient:
    """
    Asks for the pipe until it gets one.
    """

    _log = Logger()

    def __init__(self, reactor: Any, path: str, take: Callable[[socket.socket], object]) -> None:
        """
        @param reactor: for connections and time.
        @param take: gets the pipe, once.
        """
        self._reactor = reactor
        self._path = path
        self._take = take
        self._reason = ""
        self._retry: IDelayedCall | None = None
        self._receiver: Receiver | None = None
        self._stopped = False

    def start(self) -> None:
        """
        Ask now.
        """
        self._receiver = receiver = Receiver(self._took, self._failed)
        self._retry = self._reactor.callLater(PATIENCE, receiver.give_up, "it takes too long")
        endpoint = UNIXClientEndpoint(self._reactor, self._path, timeout=PATIENCE)
        connecting = endpoint.connect(_Once(receiver))
        connecting.addErrback(lambda failure: receiver.give_up(_reason(failure)))

    def stop(self) -> None:
        """
        Ask no more.
        """
        self._stopped = True
        self._cancel()
        if self._receiver is not None:
            self._receiver.give_up("")

    def _took(self, pipe: socket.socket) -> None:
        self._cancel()
        self._receiver = None
        self._log.info("{path} has handed the pipe to the Emperor over", path=self._path)
        self._take(pipe)

    def _failed(self, reason: str) -> None:
        self._cancel()
        if self._stopped:
            return
        if reason != self._reason:
            self._reason = reason
            self._log.warn(
                "No pipe to the Emperor from {path}: {reason}; trying again every second",
                path=self._path,
                reason=reason,
            )
        self._retry = self._reactor.callLater(RETRY, self.start)

    def _cancel(self) -> None:
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        self._retry = None
