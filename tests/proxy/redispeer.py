"""
A Redis without a network: what it holds, whom it lets in, and how it misbehaves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from zope.interface import implementer

from emperor.testing.proxy import FakeStream


class Peer(FakeStream):
    """
    The server's side of one connection.
    """

    def __init__(self, protocol: IProtocol, clock: Clock, redis: FakeRedis) -> None:
        self._redis = redis
        self._answering = clock
        self._received = b""
        self.subscriptions: list[bytes] = []
        super().__init__(protocol, clock)

    @property
    def disconnecting(self) -> bool:
        """
        What txredisapi asks its transport.
        """
        return self._closing

    def write(self, data: bytes) -> None:
        """
        Answer each whole command, a little later.
        """
        self._received += data
        while command := self._command():
            self._redis.asked.append(command)
            reply = self._redis.reply(self, command)
            if self._redis.silent or command[0] in self._redis.mute:
                self._redis.aside.append((self, reply))
            else:
                self._answering.callLater(0, self.say, reply)

    def say(self, data: bytes) -> None:
        """
        Send, unless the connection is over.
        """
        if self.lost is None:
            with suppress(AssertionError):
                self.send(data)

    def _command(self) -> list[bytes] | None:
        head, found, rest = self._received.partition(b"\r\n")
        if not found:
            return None
        words = []
        for _ in range(int(head[1:])):
            size, _, rest = rest.partition(b"\r\n")
            words.append(rest[: int(size[1:])])
            rest = rest[int(size[1:]) + 2 :]
        self._received = rest
        return words


@implementer(IStreamClientEndpoint)
class FakeRedis:
    """
    One server.

    @ivar values: what it holds, by the whole name.
    @ivar login: the words behind AUTH that it accepts; empty for none needed.
    @ivar role: what it says it is.
    @ivar master: what it says as a Sentinel.
    @ivar failure: if set, connections fail with it.
    @ivar silent: whether it takes commands and does not answer.
    @ivar mute: commands that it does not answer for a while.
    @ivar aside: what it did not answer, and to whom.
    @ivar hanging: whether it does not even accept.
    @ivar errors: by command, what it answers instead.
    @ivar asked: all commands.
    @ivar peers: all connections.
    """

    def __init__(self, clock: Clock) -> None:
        self.values: dict[bytes, bytes] = {}
        self.login: tuple[bytes, ...] = ()
        self.role = b"master"
        self.master: tuple[bytes, bytes] | None = None
        self.failure: Exception | None = None
        self.silent = self.hanging = False
        self.errors: dict[bytes, str] = {}
        self.asked: list[list[bytes]] = []
        self.peers: list[Peer] = []
        self.mute: set[bytes] = set()
        self.aside: list[tuple[Peer, bytes]] = []
        self._clock = clock

    def catch_up(self) -> None:
        """
        Say what was put aside, and be mute no more.
        """
        self.mute.clear()
        aside, self.aside = self.aside, []
        for peer, reply in aside:
            peer.say(reply)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        See L{IStreamClientEndpoint.connect}.
        """
        if self.failure is not None:
            return fail(self.failure)
        connecting: Deferred[IProtocol] = Deferred()
        if not self.hanging:
            self._clock.callLater(0, self._accept, protocolFactory, connecting)
        return connecting

    def _accept(self, factory: IProtocolFactory, connecting: Deferred[IProtocol]) -> None:
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 6379))
        assert protocol is not None
        self.peers.append(Peer(protocol, self._clock, self))
        connecting.callback(protocol)

    def leave(self) -> None:
        """
        Close all connections and accept no more.
        """
        self.failure = ConnectionRefusedError()
        for peer in self.peers:
            peer.lose(ConnectionDone)

    def count(self, command: bytes) -> int:
        """
        How often a command was sent.
        """
        return sum(words[0] == command for words in self.asked)

    def publish(self, channel: bytes, message: bytes) -> None:
        """
        Send a message to all who have subscribed.
        """
        for peer in self.peers:
            for subscription in peer.subscriptions:
                if subscription == channel:
                    peer.say(array(b"message", channel, message))
                elif subscription.endswith(b"*") and channel.startswith(subscription[:-1]):
                    peer.say(array(b"pmessage", subscription, channel, message))

    def reply(self, peer: Peer, words: list[bytes]) -> bytes:
        """
        The answer to a command.
        """
        name = words[0]
        if name in self.errors:
            return f"-{self.errors[name]}\r\n".encode()
        answers: dict[bytes, Callable[[], bytes]] = {
            b"AUTH": lambda: (
                b"+OK\r\n" if tuple(words[1:]) == self.login else b"-WRONGPASS no such user\r\n"
            ),
            b"SELECT": lambda: b"+OK\r\n",
            b"PING": lambda: array(b"pong", b"") if peer.subscriptions else b"+PONG\r\n",
            b"ROLE": lambda: array(self.role, b"0"),
            b"GETRANGE": lambda: bulk(self.values.get(words[1], b"")[: int(words[3]) + 1]),
            b"SENTINEL": lambda: array(*self.master) if self.master else b"*-1\r\n",
        }
        if name in (b"SUBSCRIBE", b"PSUBSCRIBE"):
            peer.subscriptions.append(words[1])
            return b"*3\r\n" + bulk(name.lower()) + bulk(words[1]) + b":1\r\n"
        return answers[name]()


def bulk(text: bytes) -> bytes:
    """
    A text of RESP.
    """
    return b"$%d\r\n%b\r\n" % (len(text), text)


def array(*texts: bytes) -> bytes:
    """
    A list of RESP.
    """
    return b"*%d\r\n" % len(texts) + b"".join(map(bulk, texts))
