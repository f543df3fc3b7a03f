"""
One connection to a Redis.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from txredisapi import RedisError, ResponseError

from emperor.proxy.redisconnection import (
    REPLY_LIMIT,
    RedisConnection,
    RedisConnections,
    RedisTrouble,
    explain,
)
from tests.proxy.redispeer import array, bulk

_ADDRESS = IPv4Address("TCP", "192.0.2.1", 6379)


class Transport(StringTransport):
    """
    May be paused after its end, as real ones may.
    """

    def pauseProducing(self) -> None:
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        self.producerState = "producing"


class ConnectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.notices: list[tuple[bytes, bytes]] = []
        self.connect()

    def connect(self) -> None:
        factory = RedisConnections(self.clock, lambda *notice: self.notices.append(notice))
        self.connection = factory.buildProtocol(_ADDRESS)
        self.transport = Transport()
        self.connection.makeConnection(self.transport)

    def feed(self, data: bytes) -> None:
        self.connection.dataReceived(data)
        self.clock.pump([0] * 50)

    def test_ask(self) -> None:
        """
        Words go out, a text that looks like a number comes back as text.
        """
        asking = self.connection.ask("GETRANGE", b"a\r\n", 0, 9)
        self.assertEqual(
            self.transport.value(), b"*4\r\n$8\r\nGETRANGE\r\n$3\r\na\r\n\r\n$1\r\n0\r\n$1\r\n9\r\n"
        )
        self.feed(bulk(b"12"))
        self.assertEqual(self.successResultOf(asking), b"12")

    def test_within(self) -> None:
        """
        A late reply is not waited for, and not taken for the next one.
        """
        first = Deferred.fromCoroutine(self.connection.ask_within(2, "PING"))
        self.clock.advance(2)
        self.assertEqual(explain(self.failureResultOf(first).value), "it does not answer in time")
        second = self.connection.ask("PING")
        self.feed(b"+late\r\n+PONG\r\n")
        self.assertEqual(self.successResultOf(second), "PONG")

    def test_notices(self) -> None:
        """
        Messages of channels are no replies.
        """
        asking = self.connection.ask("PING")
        self.feed(array(b"message", b"c", b"m") + array(b"pmessage", b"c*", b"cd", b"n"))
        self.assertEqual(self.notices, [(b"c", b"m"), (b"cd", b"n")])
        self.assertNoResult(asking)
        self.feed(array(b"pong", b""))
        self.successResultOf(asking)

    def test_lost(self) -> None:
        """
        What waits fails; nothing is asked any more.
        """
        asking = self.connection.ask("PING")
        self.connection.connectionLost(Failure(ConnectionDone()))
        self.failureResultOf(asking, RedisError)
        self.assertEqual(self.successResultOf(self.connection.over), "it closed the connection")
        later = self.failureResultOf(self.connection.ask("PING"), RedisTrouble)
        self.assertEqual(str(later.value), "it closed the connection")

    def test_dropped(self) -> None:
        """
        The reason for which we end it is the one that is told.
        """
        self.connection.drop("it is of no use")
        self.connection.drop("it does not matter any more")
        self.assertTrue(self.transport.disconnected)
        self.connection.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.successResultOf(self.connection.over), "it is of no use")

    def test_large(self) -> None:
        """
        A reply that is too large is refused before it comes.
        """
        for sign in (b"$", b"*"):
            self.connect()
            asking = self.connection.ask("GET", "a")
            self.feed(sign + b"%d\r\n" % REPLY_LIMIT)
            self.assertEqual(self.connection.reason, "")
            self.connect()
            asking = self.connection.ask("GET", "a")
            self.feed(sign + b"%d\r\n" % (REPLY_LIMIT + 1))
            self.assertIn("more than", self.connection.reason)
            self.assertNoResult(asking)

    @given(st.lists(st.binary(max_size=20), max_size=4), st.data())
    def test_cut(self, texts: list[bytes], data: st.DataObject) -> None:
        """
        Replies are the same however they are cut.
        """
        self.connect()
        asked: list[Deferred[Any]] = [self.connection.ask("GET", "a") for _ in texts]
        stream = b"".join(map(bulk, texts))
        while stream:
            size = data.draw(st.integers(1, len(stream)))
            self.feed(stream[:size])
            stream = stream[size:]
        self.assertEqual([self.successResultOf(one) for one in asked], texts)

    def test_after_drop(self) -> None:
        """
        What still comes from a connection that was dropped is not read, nor
        what was put aside.
        """
        asked = [self.connection.ask("GET", "a") for _ in range(3)]
        self.connection.dataReceived(bulk(b"a") + bulk(b"b"))
        self.connection.drop("it is of no use")
        self.feed(bulk(b"c"))
        self.assertEqual(self.successResultOf(asked[0]), b"a")
        self.assertNoResult(asked[1])

    @given(st.lists(st.one_of(st.sampled_from([b"*2\r\n", b"$3\r\n", b"\r\n"]), st.binary())))
    def test_garbage(self, pieces: list[bytes]) -> None:
        """
        Garbage raises nothing but what ends the connection, and asks nothing
        to be answered twice.
        """
        self.connect()
        asking = self.connection.ask("GET", "a")
        asking.addErrback(lambda failure: None)
        for piece in pieces:
            try:
                self.feed(piece)
            except UnicodeDecodeError:
                break
        self.connection.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(asking)


class ExplainTests(SynchronousTestCase):
    def test_sentences(self) -> None:
        """
        Each way to fail has its words.
        """
        for error, words in (
            (TimeoutError(), "it does not answer in time"),
            (ConnectionDone(), "it closed the connection"),
            (ConnectionLost(), "the connection broke"),
            (DNSLookupError("no such host"), "its name has no address"),
            (ConnectError(2), "No such file or directory"),
            (ResponseError("NOAUTH Authentication required."), "NOAUTH"),
            (TLSError([("SSL routines", "", "certificate verify failed")]), "verify failed"),
            (TLSError(), "handshake failed"),
            (VerificationError(errors=[]), "for another name"),
            (RedisTrouble("it is no master"), "it is no master"),
        ):
            self.assertIn(words, explain(error))

    def test_connection(self) -> None:
        """
        The protocol is made with nothing but a clock.
        """
        self.assertIsInstance(RedisConnection(Clock(), print), RedisConnection)
