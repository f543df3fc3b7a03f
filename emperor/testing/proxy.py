"""
Connections without a network: streams, a dialer and the nodes behind it.

They behave as Twisted's own transports do where the routers depend on it:
closing happens later (C{clock.advance(0)}), a full buffer pauses the producer,
C{loseConnection} waits for the buffer and the producer, an abort does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import cast

from twisted.internet.address import IPv4Address
from twisted.internet.error import (
    ConnectError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    TimeoutError,
)
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IPullProducer,
    IPushProducer,
)
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import ANYBODY, Address
from emperor.interfaces import INodeDialer, IStream, IVassalDirectory

_CLIENT = IPv4Address("TCP", "192.0.2.7", 40000)
_ROUTER = IPv4Address("TCP", "198.51.100.1", 80)


@implementer(IStream)
class FakeStream:
    """
    One side of a connection; the test is the other side.

    @ivar reading: whether the protocol wants bytes.
    @ivar full: whether the far side does not take what is written.
    @ivar ended: whether the far side has seen the end of our half.
    @ivar lost: why the connection is over, for the protocol; L{None} before.
    @ivar aborted: whether the protocol has reset the connection.
    @ivar producer: what waits for room.
    @ivar taken: see L{emperor.proxy.transport.Stream}.
    """

    def __init__(
        self,
        protocol: IProtocol,
        clock: Clock,
        peer: IAddress = _CLIENT,
        host: IAddress = _ROUTER,
        *,
        full: bool = False,
    ) -> None:
        self.protocol = protocol
        self.reading = True
        self.full = full
        self.ended = self.aborted = False
        self.lost: type[Exception] | None = None
        self.producer: object = None
        self.streaming = False
        self.taken = 0
        self._clock = clock
        self._peer, self._host = peer, host
        self._written = b""
        self._closing = self._closing_half = False
        protocol.makeConnection(self)

    # What the test does at the far side.

    def take(self) -> bytes:
        """
        What the protocol has written since the last time.
        """
        data, self._written = self._written, b""
        return data

    def send(self, data: bytes) -> None:
        """
        Send to the protocol, which must be reading.
        """
        if not self.reading:
            raise AssertionError("the protocol is not reading")
        if self.lost is None:
            self.protocol.dataReceived(data)
            self._clock.advance(0)

    def send_end(self) -> None:
        """
        Close the far side's half; one that cannot bear it loses the connection.
        """
        if not self.reading:
            raise AssertionError("the protocol is not reading")
        half = IHalfCloseableProtocol(self.protocol, None)
        if half is None:
            self.lose()
            return
        self.reading = False
        half.readConnectionLost()
        self._clock.advance(0)

    def fill(self) -> None:
        """
        Take nothing more: the buffer runs full.
        """
        self.full = True
        if self.producer is not None and self.streaming:
            cast(IPushProducer, self.producer).pauseProducing()

    def drain(self) -> None:
        """
        Take everything again.
        """
        self.full = False
        if self.producer is not None:
            cast(IPullProducer, self.producer).resumeProducing()
        else:
            self._settle()
        self._clock.advance(0)

    def lose(self, reason: type[Exception] = ConnectionDone) -> None:
        """
        The connection is over.
        """
        self._over(reason)
        self._clock.advance(0)

    def break_off(self) -> None:
        """
        The far side resets the connection.
        """
        self.lose(ConnectionLost)

    # What the protocol does.

    @property
    def disconnecting(self) -> bool:
        """
        Told to close, and not closed yet.
        """
        return self._closing and self.lost is None

    def write(self, data: bytes) -> None:
        """
        Sent, unless the connection is closing.
        """
        if self.lost is None and not self.aborted and not self.ended:
            self._written += data

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        As L{write}.
        """
        self.write(b"".join(data))

    def getPeer(self) -> IAddress:
        """
        The far side's address.
        """
        return self._peer

    def getHost(self) -> IAddress:
        """
        The protocol's side.
        """
        return self._host

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """
        As L{twisted.internet.abstract.FileDescriptor.registerProducer}.
        """
        if self.lost is not None:
            cast(IPushProducer, producer).stopProducing()
            return
        if self.producer is not None:
            raise RuntimeError("there is a producer already")
        self.producer, self.streaming = producer, streaming
        if not streaming:
            self._clock.callLater(0, self._pull)

    def unregisterProducer(self) -> None:
        """
        As L{twisted.internet.abstract.FileDescriptor.unregisterProducer}.
        """
        self.producer = None
        if self._closing:
            self._settle()

    def pauseProducing(self) -> None:
        """
        The protocol wants no bytes.
        """
        self.reading = False

    def resumeProducing(self) -> None:
        """
        The protocol wants bytes.
        """
        self.reading = self.lost is None and not self._closing

    def stopProducing(self) -> None:
        """
        As L{twisted.internet.abstract.FileDescriptor.stopProducing}.
        """
        self.loseConnection()

    def loseConnection(self) -> None:
        """
        Close once all is sent.
        """
        self._closing = True
        self._settle()

    def abortConnection(self) -> None:
        """
        Close now.
        """
        self._closing = self.aborted = True
        self._clock.callLater(0, self._over, ConnectionAborted)

    def loseWriteConnection(self) -> None:
        """
        Close our half once all is sent.
        """
        self._closing_half = True
        self._settle()

    def _pull(self) -> None:
        while self.producer is not None and not self.streaming and not self.full:
            cast(IPullProducer, self.producer).resumeProducing()

    def _settle(self) -> None:
        pulled = self.producer is not None and not self.streaming
        if self.full or pulled or self.aborted:
            return
        if self._closing:
            self._clock.callLater(0, self._over, ConnectionDone)
        elif self._closing_half and not self.ended:
            self._clock.callLater(0, self._end_half)

    def _end_half(self) -> None:
        if self.lost is None and not self.ended:
            self.ended = True
            half = IHalfCloseableProtocol(self.protocol, None)
            if half is not None:
                half.writeConnectionLost()

    def _over(self, reason: type[Exception]) -> None:
        if self.lost is not None:
            return
        self.lost = reason
        self.reading = False
        producer, self.producer = self.producer, None
        if producer is not None:
            cast(IPushProducer, producer).stopProducing()
        self.protocol.connectionLost(Failure(reason()))


class Dial:
    """
    One connection that a router asked for.

    @ivar cancelled: whether the router has lost its interest.
    """

    def __init__(
        self,
        address: Address,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        clock: Clock,
        *,
        owner: int = ANYBODY,
    ) -> None:
        self.address = address
        self.owner = owner
        self.timeout = timeout
        self.cancelled = False
        self._protocol = protocol
        self._failed = failed
        self._clock = clock

    def cancel(self) -> None:
        """
        The router wants no connection any more.
        """
        self.cancelled = True

    def accept(self, *, full: bool = False) -> FakeStream:
        """
        The node accepts.

        @param full: it has no room for what it is sent.
        """
        stream = FakeStream(self._protocol, self._clock, full=full)
        self._clock.advance(0)
        return stream

    def fail(self, error: Exception) -> None:
        """
        The node does not accept.
        """
        self.tell(error)
        self._clock.advance(0)

    def tell(self, error: Exception) -> None:
        """
        Let the router know of a failure, if it still wants to.
        """
        if not self.cancelled:
            self._failed(Failure(error))

    def refuse(self) -> None:
        """
        Nothing listens at the address.
        """
        self.fail(ConnectionRefusedError())

    def miss(self, number: int) -> None:
        """
        The system reports an error number, such as C{ENOENT}.
        """
        self.fail(ConnectError(number, "as the test wants"))

    def time_out(self) -> None:
        """
        The node does not accept in time.
        """
        self.fail(TimeoutError())


@implementer(INodeDialer)
class FakeDialer:
    """
    Remembers what was dialed; the test decides what comes of it.

    @ivar dials: all of them, the oldest first.
    @ivar soon: if set, the error that dials fail with as soon as the clock
        moves.
    """

    def __init__(self, clock: Clock) -> None:
        self.dials: list[Dial] = []
        self.soon: Exception | None = None
        self._clock = clock

    def dial(
        self,
        address: Address,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        See L{INodeDialer.dial}.
        """
        dial = Dial(address, protocol, failed, timeout, self._clock, owner=owner)
        self.dials.append(dial)
        if self.soon is not None:
            self._clock.callLater(0, dial.tell, self.soon)
        return dial.cancel


@implementer(IVassalDirectory)
class FakeVassals:
    """
    Answers what the test has written down.

    @ivar absences: why nothing accepts, by address.
    @ivar leaving: where vassals are about to leave.
    @ivar asleep: where vassals sleep, and their names.
    @ivar known: why the vassals of these names do not accept.
    @ivar stopped: the names of those that a command has stopped.
    @ivar roused: who was asked for.
    """

    def __init__(self) -> None:
        self.leaving: set[Address] = set()
        self.absences: dict[Address, str] = {}
        self.asleep: set[Address | str] = set()
        self.known: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.stopped: set[str] = set()
        self.roused: list[Address | str] = []
        self._greeters: list[Callable[[Collection[Address]], object]] = []

    def reason_for_absence(self, address: Address) -> str | None:
        """
        See L{IVassalDirectory.reason_for_absence}.
        """
        return self.absences.get(address)

    def rouse(self, address: Address) -> bool:
        """
        See L{IVassalDirectory.rouse}.
        """
        self.roused.append(address)
        return address in self.asleep

    def rouse_named(self, name: str) -> bool:
        """
        See L{IVassalDirectory.rouse_named}.
        """
        self.roused.append(name)
        return name in self.asleep

    def reason_named(self, name: str) -> str | None:
        """
        See L{IVassalDirectory.reason_named}.
        """
        return self.known.get(name)

    def reason_for_keys(self, keys: Iterable[str]) -> str | None:
        """
        See L{IVassalDirectory.reason_for_keys}.
        """
        return next((self.named[key] for key in keys if key in self.named), None)

    def is_stopped(self, name: str) -> bool:
        """
        See L{IVassalDirectory.is_stopped}.
        """
        return name in self.stopped

    def greet(self, greeter: Callable[[Collection[Address]], object]) -> None:
        """
        See L{IVassalDirectory.greet}.
        """
        self._greeters.append(greeter)

    def accept(self, *addresses: Address) -> None:
        """
        A vassal accepts there from now on.
        """
        self.asleep.difference_update(addresses)
        for greeter in self._greeters:
            greeter(addresses)
