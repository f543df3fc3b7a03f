"""
Real sockets on a poller, without a reactor: the test is the other side.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from emperor.interfaces import IStream
from emperor.proxy.poller import IPollingReactor, Poller
from emperor.proxy.transport import Stream


class PollingClock(Clock):
    """
    A clock that also knows which descriptors are to be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[object] = set()

    def addReader(self, reader: object) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:
        self.readers.discard(reader)

    def turn(self) -> None:
        """
        Make the calls that are due, but not those that they ask for: one turn
        of a reactor.
        """
        for call in [each for each in self.calls if each.getTime() <= self.seconds()]:
            if call.active():
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)


class Recorder(Protocol):
    """
    Remembers what its transport tells it.

    @ivar events: the names of the calls, equal ones that follow each other once.
    @ivar nested: calls that came from within another one.
    @ivar on: what to do in a call, by its name.
    """

    transport: IStream

    def __init__(self, **on: Callable[[Any], object]) -> None:
        self.received = b""
        self.events: list[str] = []
        self.nested: list[str] = []
        self.reasons: list[type[BaseException] | type[None]] = []
        self.on = on
        self._within = False

    def connectionMade(self) -> None:
        self._called("made")

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._called("data")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reasons.append(type(reason.value))
        self._called("lost")

    @property
    def is_lost(self) -> bool:
        return bool(self.reasons)

    def _called(self, name: str) -> None:
        if self._within:
            self.nested.append(name)
        if self.events[-1:] != [name] or name != "data":
            self.events.append(name)
        self._within = True
        try:
            self.on.get(name, _nothing)(self)
        finally:
            self._within = False


@implementer(IHalfCloseableProtocol)
class HalfRecorder(Recorder):
    """
    One that can bear a half-closed connection.
    """

    def readConnectionLost(self) -> None:
        self._called("read ended")

    def writeConnectionLost(self) -> None:
        self._called("write ended")


@implementer(IPushProducer)
class Source:
    """
    A streaming or pull producer that remembers what it is told.
    """

    def __init__(self, resumed: Callable[[], object] = tuple) -> None:
        self.told: list[str] = []
        self._resumed = resumed

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self._resumed()

    def stopProducing(self) -> None:
        self.told.append("stop")


class Far:
    """
    The far side of a connection.

    @ivar got: all that was read from it.
    @ivar ended: whether the end was read.
    @ivar was_reset: whether the connection was reset instead.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.got = b""
        self.ended = self.was_reset = False

    def read(self, limit: int = 1 << 30) -> bytes:
        """
        Read what is there.
        """
        try:
            while limit > 0 and not (self.ended or self.was_reset):
                data = self.socket.recv(min(limit, 1 << 16))
                self.got += data
                self.ended = not data
                limit -= len(data)
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.was_reset = True
        return self.got

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def end(self) -> None:
        """
        Send nothing more.
        """
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """
        Close a TCP connection with a reset.
        """
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def tcp_pair(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """
    The accepted and the connecting side of a TCP connection.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen(1)
        far = socket.create_connection(listener.getsockname()[:2])
        near, _ = listener.accept()
    return near, far


def shrink(connection: socket.socket) -> None:
    """
    Let the kernel take as few bytes at once as it can.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)


def open_descriptors() -> set[tuple[int, str]]:
    """
    All descriptors of this process and what they are.
    """
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the listing's own
            found.add((int(name), os.readlink(f"/proc/self/fd/{name}")))
    return found


def _nothing(protocol: object) -> None:
    """
    What is done in most calls.
    """


class PollingMixin:
    """
    One poller; what a test leaves open is closed, and then nothing may be left.
    """

    def start_poller(self: Any) -> None:
        self.addCleanup(self._assert_nothing_left, open_descriptors())
        self.clock = PollingClock()
        self.poller = Poller(cast(IPollingReactor, self.clock))
        self.poller.start()
        self.addCleanup(self.poller.stop)
        self.addCleanup(self.serve)

    def _assert_nothing_left(self: Any, before: set[tuple[int, str]]) -> None:
        self.assertEqual(open_descriptors() - before, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.clock.readers, set())

    def far(self: Any, connection: socket.socket) -> Far:
        """
        The test's side, closed at the end.
        """
        self.addCleanup(connection.close)
        return Far(connection)

    def stream(
        self: Any,
        protocol: Protocol,
        pair: tuple[socket.socket, socket.socket] | None = None,
        *,
        read: bool = False,
        patient: bool = True,
    ) -> tuple[Stream, Far]:
        """
        A started stream on the first of two sockets, and the other one.
        """
        near, far = pair or socket.socketpair()
        peer = near.getpeername()
        stream = Stream(self.poller, near, near.family, peer, patient=patient)
        self.addCleanup(stream.abortConnection)
        other = self.far(far)
        stream.start(protocol, read=read)
        return stream, other

    def is_ready(self: Any, seconds: float = 0) -> bool:
        """
        Whether the reactor would call the poller; waits for that if need be.
        """
        return bool(select.select([self.poller], [], [], seconds)[0])

    def serve(self: Any) -> None:
        """
        Serve all that has happened, and no more than a few turns.
        """
        for _ in range(5):
            if self.poller in self.clock.readers:
                self.poller.doRead()
            self.clock.turn()

    def serve_until(self: Any, done: Callable[[], object]) -> None:
        """
        Serve until something has come true; five seconds without are a failure.
        """
        idle = 0
        while not done():
            idle = 0 if self.is_ready(0.01) else idle + 1
            if idle == 500:
                self.fail("it did not happen")
            self.poller.doRead()
            self.clock.turn()


class PollingCase(PollingMixin, SynchronousTestCase):
    """
    What tests of the data plane's own transport share.
    """

    def setUp(self) -> None:
        self.start_poller()
