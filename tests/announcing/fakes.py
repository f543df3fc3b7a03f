"""
A reactor of datagrams, names and time, all in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock

from emperor.wire.subscription import Datagram, parse_announcement


@dataclass
class Question:
    """
    A name that is being resolved.
    """

    receiver: Any
    host: str
    port: int

    def answer(self, *hosts: str) -> None:
        """
        These are its addresses; none: there is no such name.
        """
        self.receiver.resolutionBegan(None)
        for host in hosts:
            kind = IPv6Address if ":" in host else IPv4Address
            self.receiver.addressResolved(kind("UDP", host, self.port))
        self.receiver.resolutionComplete()


class FakePort:
    """
    A socket that writes down what it sends.
    """

    def __init__(self, reactor: FakeReactor, kind: str) -> None:
        self.reactor = reactor
        self.kind = kind
        self.broadcasts = False

    def setBroadcastAllowed(self, allowed: bool) -> None:
        self.broadcasts = allowed

    def write(self, datagram: bytes, address: Any) -> None:
        if address in self.reactor.broken:
            raise OSError(2, "No such file or directory")
        self.reactor.sent.append((address, datagram))

    def stopListening(self) -> Deferred[None]:
        self.reactor.ports.remove(self)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done


class FakeReactor(Clock):
    """
    What L{emperor.announcing} needs of a reactor.

    @ivar sent: where to and what, of all sockets.
    @ivar questions: the names that were asked for.
    @ivar answers: names that are answered at once.
    @ivar broken: addresses that cannot be sent to.
    """

    def __init__(self, now: float = 1_700_000_000) -> None:
        super().__init__()
        self.rightNow = now
        self.ports: list[FakePort] = []
        self.sent: list[tuple[Any, bytes]] = []
        self.questions: list[Question] = []
        self.answers: dict[str, list[str]] = {}
        self.broken: set[Any] = set()
        self.families = ["", "::"]

    @property
    def nameResolver(self) -> FakeReactor:
        return self

    def resolveHostName(
        self, receiver: Any, host: str, port: int, *, transportSemantics: str
    ) -> None:
        assert transportSemantics == "UDP"
        question = Question(receiver, host, port)
        self.questions.append(question)
        if host in self.answers:
            question.answer(*self.answers[host])

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str) -> FakePort:
        assert port == 0
        if interface not in self.families:
            raise OSError(97, "Address family not supported by protocol")
        return self._listen(interface)

    def listenUNIXDatagram(self, address: str, protocol: DatagramProtocol) -> FakePort:
        assert address == ""
        return self._listen("unix")

    def _listen(self, kind: str) -> FakePort:
        port = FakePort(self, kind)
        self.ports.append(port)
        return port

    def take(self) -> list[tuple[Any, Datagram]]:
        """
        What was sent since the last time.
        """
        sent, self.sent = self.sent, []
        return [(address, parse_announcement(data)) for address, data in sent]
