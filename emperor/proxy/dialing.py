"""
Connections to nodes on the data plane's own transport.

A UNIX socket connects at once, and TCP on this machine by the time that it is
asked again: then the request is on its way before L{PollingDialer.dial} returns.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import EAGAIN, EALREADY, EINPROGRESS, EINTR

from twisted.internet.error import TimeoutError, getConnectError
from twisted.internet.interfaces import IDelayedCall, IProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import ANYBODY, SocketAddress, UnixAddress
from emperor.interfaces import IDialer
from emperor.proxy.peers import find_stranger
from emperor.proxy.poller import WRITABLE, Poller
from emperor.proxy.transport import Stream

# The class that socket.socket is made from: its own constructor, written in
# Python, would cost as much as the system call.
_KIND = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

# As plain numbers: the enumerations are converted for every call.
_TCP, _NODELAY = int(socket.IPPROTO_TCP), int(socket.TCP_NODELAY)
_UNIX, _INET, _INET6 = int(socket.AF_UNIX), int(socket.AF_INET), int(socket.AF_INET6)

#: Seconds until a UNIX socket whose queue is full is tried again.
RETRY = 0.01


@implementer(IDialer)
class PollingDialer:
    """
    Connects on a L{Poller}.
    """

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def dial(
        self,
        address: SocketAddress,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        See L{IDialer.dial}.
        """
        family, name = _target(address)
        try:
            connection = socket.SocketType(family, _KIND, 0)
        except OSError as error:  # no descriptor is left
            return self._fail_later(failed, getConnectError(error))
        try:
            if family != _UNIX:
                # A body behind the packet does not wait for its acknowledgement.
                connection.setsockopt(_TCP, _NODELAY, 1)
            problem = connection.connect_ex(name)
            if problem == EINPROGRESS:
                problem = connection.connect_ex(name)
        except OSError as error:  # an IPv6 scope that this machine does not have
            connection.close()
            return self._fail_later(failed, getConnectError(error))
        if not problem:
            stranger = None if owner == ANYBODY else find_stranger(connection, owner)
            if stranger is not None:
                connection.close()
                return self._fail_later(failed, stranger)
            Stream(self._poller, connection, family, name).start(protocol, read=False)
            return _nothing

        def connected() -> None:
            stranger = find_stranger(connection, owner)
            if stranger is None:
                Stream(self._poller, connection, family, name).start(protocol, read=False)
                return
            connection.close()
            failed(Failure(stranger))

        attempt = _Attempt(self._poller, connection, name, connected, failed)
        attempt.go_on(problem, timeout)
        return attempt.cancel

    def _fail_later(
        self, failed: Callable[[Failure], object], error: Exception
    ) -> Callable[[], None]:
        call = self._poller.reactor.callLater(0, lambda: failed(Failure(error)))

        def give_up() -> None:
            if call.active():
                call.cancel()

        return give_up


def _target(address: SocketAddress) -> tuple[int, bytes | tuple[str, int]]:
    """
    Family and name as the kernel wants them.
    """
    if isinstance(address, UnixAddress):
        return _UNIX, address.path
    return _INET6 if address.is_ipv6 else _INET, (address.host or "127.0.0.1", address.port)


def _nothing() -> None:
    """
    Cancel what is over.
    """


class _Attempt:
    """
    A connection that was not made at once.
    """

    def __init__(
        self,
        poller: Poller,
        connection: socket.SocketType,
        name: bytes | tuple[str, int],
        connected: Callable[[], object],
        failed: Callable[[Failure], object],
    ) -> None:
        self._poller = poller
        self._connection = connection
        self._name = name
        self._connected = connected
        self._failed = failed
        self._retry: IDelayedCall | None = None
        self._timer: IDelayedCall | None = None

    def go_on(self, problem: int, timeout: float) -> None:
        """
        Wait for what comes after the first C{connect}.
        """
        call_later = self._poller.reactor.callLater
        if problem in (EINPROGRESS, EALREADY, EINTR):
            self._poller.watch(self._connection.fileno(), WRITABLE, self._ready)
        elif problem == EAGAIN:
            self._again_later()
        else:
            self._timer = call_later(0, self._fail, _error(problem))
            return
        self._timer = call_later(timeout, self._fail, TimeoutError())

    def cancel(self) -> None:
        """
        Give up without a word; nothing happens when the attempt is over.
        """
        if self._timer is not None:
            self._stop_timers()
            self._poller.close(self._connection)

    def _again_later(self) -> None:
        self._retry = self._poller.reactor.callLater(RETRY, self._again)

    def _again(self) -> None:
        problem = self._connection.connect_ex(self._name)
        if problem == EAGAIN:
            self._again_later()
        else:
            self._settle(problem)

    def _ready(self, event: int) -> None:
        self._poller.forget(self._connection.fileno())
        self._settle(self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _settle(self, problem: int) -> None:
        if problem:
            self._fail(_error(problem))
            return
        self._stop_timers()
        self._connected()

    def _fail(self, error: Exception) -> None:
        self.cancel()
        self._failed(Failure(error))

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._retry):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._retry = None


def _error(problem: int) -> Exception:
    error: Exception = getConnectError((problem, os.strerror(problem)))
    return error
