"""
The data plane's own epoll, nested in the reactor.

Twisted's reactor pays for each event: bookkeeping, a log context, a look for
what has changed.  The routers have tens of thousands of events in a second, so
they have an epoll object of their own, whose descriptor is one descriptor of
the reactor's: when that wakes, all that has happened is served in one loop.

The reactor gets its turn, and its timers, after L{ROUNDS} rounds of at most
L{EVENTS} events.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable
from socket import SocketType

from twisted.internet.interfaces import IReactorFDSet, IReactorTime, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

#: Events taken from the kernel at once, and how often before the reactor's turn.
EVENTS = 256
ROUNDS = 4

#: Events of a descriptor that is to be read.  The peer's end is asked for, so
#: that it is known together with the last bytes.
READABLE = select.EPOLLIN | select.EPOLLRDHUP
WRITABLE = select.EPOLLOUT
#: The peer sends nothing more.
ENDED = select.EPOLLRDHUP | select.EPOLLHUP
#: The connection was reset; a read that finds no bytes any more tells.
BROKEN = select.EPOLLERR
#: Neither side can send any more; the kernel reports both unasked.
RESET = select.EPOLLERR | select.EPOLLHUP
#: What makes a read worth while; the kernel reports the last two unasked.
TO_READ = READABLE | select.EPOLLHUP | select.EPOLLERR


class IPollingReactor(IReactorFDSet, IReactorTime):
    """
    A reactor that watches descriptors and has timers.
    """


@implementer(IReadDescriptor)
class Poller:
    """
    Watches many descriptors as one.
    """

    _log = Logger()

    def __init__(self, reactor: IPollingReactor) -> None:
        self.reactor = reactor
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], object]] = {}
        self._later: deque[Callable[[], object]] = deque()
        self._closed: list[SocketType] = []
        self._serving = self._scheduled = False

    def start(self) -> None:
        """
        Begin to serve.
        """
        self.reactor.addReader(self)

    def stop(self) -> None:
        """
        Serve nothing more and give the descriptor back.  What is still open can
        only be aborted.
        """
        self.reactor.removeReader(self)
        self._ready.clear()
        self._epoll.close()

    def watch(self, descriptor: int, events: int, ready: Callable[[int], object]) -> None:
        """
        Call C{ready} with the events of a descriptor, until told otherwise.
        """
        self._epoll.register(descriptor, events)
        self._ready[descriptor] = ready

    def change(self, descriptor: int, events: int) -> None:
        """
        Wait for other events of a watched descriptor.
        """
        self._epoll.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """
        Wait for no event of a watched descriptor.
        """
        del self._ready[descriptor]
        self._epoll.unregister(descriptor)

    def close(self, connection: SocketType, closed: Callable[[], object] | None = None) -> None:
        """
        Close a socket once all events at hand are served, so that none of them
        can be taken for one of a new socket with the same number.  Its callback
        is not called any more.

        Closing alone would not end the watch while a child that is being
        started still holds a copy of the descriptor: the old socket's end would
        be reported under a number that is another's.

        @param closed: called when the event that is being served has been served.
        """
        descriptor = connection.fileno()
        if self._ready.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)
        self._closed.append(connection)
        if closed is not None:
            self._later.append(closed)
        if not self._serving:
            self._schedule()

    def later(self, call: Callable[[], object]) -> None:
        """
        Call C{call} when the event that is being served has been served.
        """
        self._later.append(call)
        if not self._serving:
            self._schedule()

    def doRead(self) -> None:
        """
        Serve what has happened.
        """
        self._serving = True
        poll, find = self._epoll.poll, self._ready.get
        for _ in range(ROUNDS):
            events = poll(0, EVENTS)
            if not events:
                break
            for descriptor, event in events:
                ready = find(descriptor)
                if ready is not None:
                    try:
                        ready(event)
                    except Exception:
                        self._log.failure("An event could not be served")
            self._finish()
            if self._epoll.closed:  # the last connection's end was the end of all
                break
        self._serving = False

    def fileno(self) -> int:
        """
        Of the epoll object.
        """
        return self._epoll.fileno()

    def logPrefix(self) -> str:
        """
        For the reactor's log.
        """
        return "routers"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has stopped.
        """

    def _finish(self) -> None:
        later = self._later
        for _ in range(len(later)):
            try:
                later.popleft()()
            except Exception:
                self._log.failure("A connection's end broke")
        if later:
            self._schedule()
        if self._closed:
            for connection in self._closed:
                connection.close()
            self._closed.clear()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.reactor.callLater(0, self._finish_scheduled)

    def _finish_scheduled(self) -> None:
        self._scheduled = False
        self._serving = True
        self._finish()
        self._serving = False
