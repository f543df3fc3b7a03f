"""
Tests for L{emperor.subscriptions.receiving}.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any, cast

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import TcpAddress, UnixAddress
from emperor.routing.gatekeeper import Credentials
from emperor.subscriptions.receiving import BATCH, DatagramReader, Sender
from emperor.subscriptions.sockets import open_server
from emperor.wire.subscription import DATAGRAM_LIMIT
from tests.proxy.polling import PollingClock


class ReaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = PollingClock()
        self.received: list[tuple[bytes, Sender]] = []

    def open(self, address: TcpAddress | UnixAddress) -> DatagramReader:
        self.server = open_server(address, 0o600)
        reader = DatagramReader(
            cast(IReactorFDSet, self.reactor), self.server, lambda *each: self.received.append(each)
        )
        reader.start()
        self.addCleanup(reader.stop)
        return reader

    def client(self) -> socket.socket:
        client = socket.socket(self.server.family, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.connect(self.server.getsockname())
        return client

    def unix(self) -> DatagramReader:
        os.makedirs(folder := os.path.relpath(self.mktemp()))
        return self.open(UnixAddress(os.fsencode(os.path.join(folder, "s"))))

    def test_interface(self) -> None:
        """
        The reactor can read it.
        """
        verifyObject(IReadDescriptor, self.unix())

    def test_udp(self) -> None:
        """
        The peer is known by his address.
        """
        reader = self.open(TcpAddress("127.0.0.1", 0))
        client = self.client()
        client.send(b"one")
        client.send(b"two")
        reader.doRead()
        sender = Sender(f"127.0.0.1:{client.getsockname()[1]}")
        self.assertEqual(self.received, [(b"one", sender), (b"two", sender)])

    def test_udp6(self) -> None:
        """
        Also by one of IPv6.
        """
        reader = self.open(TcpAddress("::1", 0))
        client = self.client()
        client.send(b"one")
        reader.doRead()
        self.assertEqual(self.received[0][1], Sender(f"[::1]:{client.getsockname()[1]}"))

    def test_credentials(self) -> None:
        """
        On a UNIX socket the kernel says who it is.
        """
        reader = self.unix()
        self.client().send(b"one")
        reader.doRead()
        credentials = Credentials(os.getpid(), os.getuid(), os.getgid())
        name = f"process {os.getpid()} of user {os.getuid()}"
        self.assertEqual(self.received, [(b"one", Sender(name, credentials))])

    def test_descriptors(self) -> None:
        """
        Descriptors that somebody sends along are not taken.
        """
        reader = self.unix()
        before = len(os.listdir("/proc/self/fd"))
        client = self.client()
        open_now = len(os.listdir("/proc/self/fd"))
        socket.send_fds(client, [b"one"], [0, 1, 2])
        reader.doRead()
        self.assertEqual(len(os.listdir("/proc/self/fd")), open_now)
        self.assertGreater(open_now, before)
        self.assertEqual(self.received[0][1].credentials and os.getuid(), os.getuid())

    def test_too_long(self) -> None:
        """
        What is too long stays too long.
        """
        reader = self.unix()
        self.client().send(b"x" * 60_000)
        reader.doRead()
        self.assertEqual(len(self.received[0][0]), DATAGRAM_LIMIT + 1)

    def test_many(self) -> None:
        """
        The others get their turn while many come; nothing is lost.
        """
        reader = self.open(TcpAddress("127.0.0.1", 0))
        client = self.client()
        for _ in range(BATCH + 6):
            client.send(b"x")
        reader.doRead()
        self.assertEqual(len(self.received), BATCH)
        reader.doRead()
        self.assertEqual(len(self.received), BATCH + 6)

    def test_failure(self) -> None:
        """
        A datagram that breaks something does not keep the next one.
        """
        reader = self.unix()
        calls: list[bytes] = []

        def broken(data: bytes, sender: Sender) -> None:
            calls.append(data)
            raise ZeroDivisionError

        reader._received = broken
        client = self.client()
        client.send(b"one")
        client.send(b"two")
        reader.doRead()
        self.assertEqual(calls, [b"one", b"two"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_no_memory(self) -> None:
        """
        A read that fails is said; reading goes on later.
        """
        reader = self.unix()
        reader._server = cast(socket.socket, _Failing())
        reader.doRead()
        reader._server = self.server
        self.assertEqual(self.received, [])

    def test_stop(self) -> None:
        """
        The reactor is asked for nothing any more, and the port is free.
        """
        reader = self.unix()
        self.assertEqual(self.reactor.readers, {reader})
        reader.stop()
        self.assertEqual(self.reactor.readers, set())
        self.assertEqual(self.server.fileno(), -1)

    def test_strange_ancillary(self) -> None:
        """
        What else the kernel could tell is passed over.
        """
        reader = self.unix()
        reader._server = cast(socket.socket, _Telling([(1, 99, b"x"), (1, 2, b"short")]))
        reader.doRead()
        reader._server = self.server
        self.assertEqual(self.received[0][1], Sender("a UNIX socket"))


class _Failing:
    def recvmsg(self, *sizes: int) -> Any:
        raise OSError(12, "Cannot allocate memory")


class _Telling:
    """
    A socket with one datagram.
    """

    def __init__(self, ancillary: Sequence[tuple[int, int, bytes]]) -> None:
        self._ancillary: Any = ancillary

    def recvmsg(self, *sizes: int) -> Any:
        if self._ancillary is None:
            raise BlockingIOError
        ancillary, self._ancillary = self._ancillary, None
        return b"x", ancillary, 0, b""
