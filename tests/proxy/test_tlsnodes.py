"""
Connections to nodes that speak TLS, with a node in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, TlsAddress, parse_node
from emperor.proxy.backends import explain, is_absent, is_timeout
from emperor.proxy.tlsnodes import BadAuthorities, TlsDialer, load_authorities
from emperor.testing.proxy import FakeDialer, FakeStream
from tests.proxy.certificates import Authority
from tests.proxy.polling import Recorder, Source

AUTHORITY = Authority()


class _Given(ServerFactory):
    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._protocol


class Node:
    """
    A server with TLS.

    @ivar protocol: what it is behind TLS.
    """

    def __init__(self, clock: Clock, certificate: tuple[bytes, bytes]) -> None:
        self.protocol = Recorder()
        options = PrivateCertificate.loadPEM(b"".join(certificate)).options()
        factory = TLSMemoryBIOFactory(options, False, _Given(self.protocol), clock=clock)
        self.tls: Any = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.tls.makeConnection(self.transport)


class TlsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.sockets = FakeDialer(self.clock)
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(AUTHORITY.pem)
        self.dialer = TlsDialer(self.clock, self.sockets.dial, load_authorities(path))
        self.protocol = Recorder()
        self.failures: list[Failure] = []

    def dial(self, text: str = "tls://app.test:443") -> Callable[[], None]:
        address = parse_node(text)
        assert isinstance(address, TlsAddress)
        return self.dialer.dial(address, self.protocol, self.failures.append, 4)

    def accept(self, certificate: tuple[bytes, bytes] | None = None) -> FakeStream:
        """
        The node accepts and has this certificate.
        """
        self.node = Node(self.clock, certificate or AUTHORITY.certify("app.test"))
        self.stream = self.sockets.dials[-1].accept()
        self.pump()
        return self.stream

    def pump(self) -> None:
        """
        Carry bytes both ways until there are none.
        """
        for _ in range(20):
            self.clock.advance(0)
            data = self.stream.take()
            if data:
                self.node.tls.dataReceived(data)
            answer = self.node.transport.value()
            self.node.transport.clear()
            if answer and self.stream.lost is None:
                self.stream.send(answer)

    def connect(self) -> None:
        self.dial()
        self.accept()
        self.assertEqual(self.protocol.events, ["made"])

    def why(self) -> str:
        """
        The only failure, for people; the protocol has heard nothing.
        """
        (failure,) = self.failures
        self.assertEqual(self.protocol.events, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return explain(failure)


class ConnectingTests(TlsCase):
    def test_verified(self) -> None:
        """
        A node with a certificate for its name is connected, and only when it
        has shown that.
        """
        self.dial()
        (dial,) = self.sockets.dials
        self.assertEqual((str(dial.address), dial.timeout), ("app.test:443", 4))
        self.stream = dial.accept()
        self.assertEqual(self.protocol.events, [])
        self.accept()
        self.assertEqual(self.protocol.events, ["made"])
        self.assertEqual(self.failures, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_address(self) -> None:
        """
        So is one with a certificate for its IP address.
        """
        for text, host in (("tls://192.0.2.1:443", "192.0.2.1"), ("tls://[::1]:443", "::1")):
            self.protocol = Recorder()
            self.dial(text)
            self.assertEqual(self.sockets.dials[-1].address, TcpAddress(host, 443))
            self.accept(AUTHORITY.certify(host))
            self.assertEqual(self.protocol.events, ["made"])

    def test_dot(self) -> None:
        """
        The dot at the end of a name is not in its certificate.
        """
        self.dial("tls://app.test.:443")
        self.assertEqual(str(self.sockets.dials[0].address), "app.test.:443")
        self.accept()
        self.assertEqual(self.protocol.events, ["made"])

    def test_other_host(self) -> None:
        """
        A node with a certificate for another host has failed.
        """
        for text, host in (
            ("tls://app.test:443", "other.test"),
            ("tls://app.test:443", "192.0.2.1"),
            ("tls://192.0.2.1:443", "192.0.2.2"),
        ):
            self.failures.clear()
            self.dial(text)
            self.accept(AUTHORITY.certify(host))
            self.assertEqual(self.why(), "its certificate is for another host")
            self.assertTrue(self.stream.aborted)

    def test_not_trusted(self) -> None:
        """
        One that is certified by somebody else has failed, and so has one whose
        certificate is too old.
        """
        self.dial()
        self.accept(Authority().certify("app.test"))
        self.assertIn("certificate verify failed", self.why())
        self.failures.clear()
        self.dial()
        self.accept(AUTHORITY.certify("app.test", age=timedelta(days=9)))
        self.assertIn("certificate verify failed", self.why())

    def test_no_tls(self) -> None:
        """
        One that does not speak TLS has failed.
        """
        self.dial()
        self.sockets.dials[0].accept().send(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        self.clock.advance(0)
        self.assertIn("TLS failed: ", self.why())

    def test_closed(self) -> None:
        """
        One that closes before TLS is set up has failed.
        """
        self.dial()
        self.sockets.dials[0].accept().lose()
        self.assertEqual(self.why(), "it closed the connection while TLS was set up")

    def test_refused(self) -> None:
        """
        One that does not accept has failed as without TLS.
        """
        self.dial()
        self.sockets.dials[0].refuse()
        self.assertTrue(is_absent(self.failures[0]))
        self.why()

    def test_silent(self) -> None:
        """
        One that accepts and then keeps silent is a time-out.
        """
        self.dial()
        stream = self.sockets.dials[0].accept()
        self.clock.advance(4)
        self.assertTrue(is_timeout(self.failures[0]))
        self.assertTrue(stream.aborted)
        self.clock.advance(0)
        self.why()

    def test_given_up(self) -> None:
        """
        Who gives up hears nothing, before and after the node has accepted.
        """
        self.dial()()
        self.assertTrue(self.sockets.dials[0].cancelled)
        give_up = self.dial()
        stream = self.sockets.dials[1].accept()
        give_up()
        give_up()
        self.clock.advance(100)
        self.assertTrue(stream.aborted)
        self.assertEqual((self.failures, self.protocol.events), ([], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_given_up_too_late(self) -> None:
        """
        To give up a connection that is made changes nothing.
        """
        give_up = self.dial()
        self.accept()
        give_up()
        self.assertFalse(self.stream.aborted)


class ConnectedTests(TlsCase):
    def test_conversation(self) -> None:
        """
        Both sides understand each other, and nobody else does.
        """
        self.connect()
        self.protocol.transport.write(b"a request")
        self.clock.advance(0)
        self.assertNotIn(b"a request", self.stream._written)
        self.pump()
        self.assertEqual(self.node.protocol.received, b"a request")
        self.node.protocol.transport.write(b"an answer")
        self.node.protocol.transport.loseConnection()
        self.pump()
        self.clock.advance(0)
        self.assertEqual(self.protocol.received, b"an answer")
        self.assertEqual(self.protocol.reasons, [ConnectionDone])

    def test_cut_off(self) -> None:
        """
        The end of the connection without the end of TLS is no clean end:
        somebody may have cut the answer.
        """
        self.connect()
        self.node.protocol.transport.write(b"an ans")
        self.pump()
        self.stream.lose()
        self.assertEqual(self.protocol.received, b"an ans")
        self.assertEqual(self.protocol.reasons, [ConnectionLost])

    def test_no_half_close(self) -> None:
        """
        To end our half does not end the connection below.
        """
        self.connect()
        self.protocol.transport.loseWriteConnection()
        self.pump()
        self.assertFalse(self.stream.ended)
        self.assertIsNone(self.stream.lost)

    def test_flow(self) -> None:
        """
        A slow node pauses the producer, and we pause a fast node.
        """
        self.connect()
        source = Source()
        transport = self.protocol.transport
        transport.registerProducer(source, True)
        self.stream.fill()
        self.assertEqual(source.told, ["pause"])
        self.stream.drain()
        self.assertEqual(source.told, ["pause", "resume"])
        transport.unregisterProducer()
        transport.pauseProducing()
        self.assertFalse(self.stream.reading)
        transport.resumeProducing()
        self.assertTrue(self.stream.reading)

    def test_abort(self) -> None:
        """
        An abort is at once.
        """
        self.connect()
        self.protocol.transport.abortConnection()
        self.clock.advance(0)
        self.assertTrue(self.stream.aborted)
        self.assertEqual(self.protocol.events, ["made", "lost"])


class AuthoritiesTests(SynchronousTestCase):
    def write(self, data: bytes) -> str:
        path: str = self.mktemp()
        with open(path, "wb") as file:
            file.write(data)
        return path

    def test_several(self) -> None:
        """
        A file may have several of them, and text between.
        """
        text = b"# ours\n" + AUTHORITY.pem + b"# theirs\n" + Authority().pem
        load_authorities(self.write(text))
        load_authorities("")

    def test_bad(self) -> None:
        """
        A file without certificates is an error that names it.
        """
        for data in (b"", b"text", AUTHORITY.pem[:100]):
            path = self.write(data)
            error = self.assertRaises(BadAuthorities, load_authorities, path)
            self.assertIn(f"{path}: there is no PEM certificate in it", str(error))
        error = self.assertRaises(BadAuthorities, load_authorities, "/nowhere/ca.pem")
        self.assertEqual(str(error), "/nowhere/ca.pem: No such file or directory")
