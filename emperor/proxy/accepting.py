"""
Clients' connections on the data plane's own transport.
"""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocolFactory
from twisted.logger import Logger
from zope.interface import implementer

from emperor.interfaces import IPort
from emperor.proxy.backends import EXHAUSTED
from emperor.proxy.poller import READABLE, Poller
from emperor.proxy.transport import Stream, address_of

#: Connections taken at once, so that those that are open get their turn.
BATCH = 64

#: Seconds without accepting when the process has no descriptor left.  It has
#: descriptors again when everybody who waits has been accepted.
PAUSE = 1.0


@implementer(IPort)
class PollingPort:
    """
    A listening socket on a L{Poller}.
    """

    _log = Logger()

    def __init__(self, poller: Poller, listener: socket.socket, factory: IProtocolFactory) -> None:
        """
        @param listener: bound, listening and non-blocking; it is ours now.
        """
        self._poller = poller
        self._listener = listener
        self._factory = factory
        self._family = int(listener.family)
        self._host = _own_address(listener)
        self._open = self._exhausted = False
        self._accepting = False
        self._rest: IDelayedCall | None = None

    def startListening(self) -> None:
        """
        See L{IListeningPort.startListening}.
        """
        self._open = True
        self._factory.doStart()
        self.startReading()

    def stopListening(self) -> None:
        """
        See L{IListeningPort.stopListening}.
        """
        if not self._open:
            return
        self._open = self._accepting = False
        if self._rest is not None:
            self._rest.cancel()
        self._poller.close(self._listener)
        self._factory.doStop()

    def stopReading(self) -> None:
        """
        See L{IPort.stopReading}.
        """
        if not self._accepting:
            return
        self._accepting = False
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        else:
            self._poller.forget(self._listener.fileno())

    def startReading(self) -> None:
        """
        See L{IPort.startReading}.
        """
        if self._open and not self._accepting:
            self._accepting = True
            self._poller.watch(self._listener.fileno(), READABLE, self._ready)

    def getHost(self) -> IAddress:
        """
        See L{IListeningPort.getHost}.
        """
        return address_of(self._family, self._listener.getsockname())

    def _ready(self, event: int) -> None:
        for _ in range(BATCH):
            if not self._accepting:
                return
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                self._exhausted = False
                return
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._pause(error)
                    return
                continue  # that client has gone while it waited
            self._begin(connection, peer)

    def _begin(self, connection: socket.SocketType, peer: object) -> None:
        stream = Stream(self._poller, connection, self._family, peer, self._host, patient=False)
        try:
            protocol = self._factory.buildProtocol(stream.getPeer())
        except Exception:
            self._log.failure("A client's protocol could not be made; its connection is closed")
            protocol = None
        if protocol is None:
            connection.close()
        else:
            stream.start(protocol, read=True)

    def _pause(self, error: OSError) -> None:
        if not self._exhausted:
            self._exhausted = True
            self._log.error(
                "No connection can be accepted: {reason}; raise the limit of open files "
                "(LimitNOFILE, ulimit -n)",
                reason=error.strerror,
            )
        self._poller.forget(self._listener.fileno())
        self._rest = self._poller.reactor.callLater(PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._rest = None
        self._poller.watch(self._listener.fileno(), READABLE, self._ready)


def _own_address(listener: socket.socket) -> IAddress | None:
    """
    Our address on every connection of a listening socket.

    @return: L{None}: they differ.
    """
    name = listener.getsockname()
    wildcard = listener.family != socket.AF_UNIX and name[0] in ("0.0.0.0", "::")
    return None if wildcard else address_of(listener.family, name)
