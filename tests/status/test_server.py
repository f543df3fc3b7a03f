"""
Tests for L{emperor.status.server}.
"""

from __future__ import annotations

import json
import os
import socket
from typing import cast

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.statssettings import StatsSettings
from emperor.interfaces import INetwork
from emperor.proxy.binding import CannotListen
from emperor.status.routerstats import describe
from emperor.status.server import MOST_READERS, StatsService, close_stats, open_stats
from emperor.status.snapshot import take
from emperor.testing.proxy import FakeStream
from tests.status.shown import SETTINGS, ShownRouter


class Port:
    """
    A listening port that the test stops.
    """

    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()

    def stopListening(self) -> Deferred[None]:
        return self.stopped


class Network:
    """
    Takes listening sockets over.
    """

    def __init__(self) -> None:
        self.ports: list[Port] = []

    def listen(self, listener: socket.socket, factory: IProtocolFactory) -> IListeningPort:
        listener.close()
        self.factory = factory
        self.ports.append(Port())
        return cast(IListeningPort, self.ports[-1])


class ServerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = os.path.relpath(self.mktemp()).encode()
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.unix = UnixAddress(self.path)
        self.any_port = TcpAddress("127.0.0.1", 0)


class OpenTests(ServerCase):
    def test_open(self) -> None:
        """
        Each server has its sockets, with its mode.
        """
        addresses = (self.unix, self.any_port)
        opened = open_stats([StatsSettings(), StatsSettings(addresses=addresses, mode=0o640)])
        self.assertEqual([0, 2], [len(each.sockets) for each in opened])
        self.assertEqual(0o640, os.stat(self.path).st_mode & 0o777)
        close_stats(opened)
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(-1, opened[1].sockets[1].fileno())

    def test_in_use(self) -> None:
        """
        If one cannot be opened none is, and what was there stays.
        """
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = TcpAddress("127.0.0.1", taken.getsockname()[1])
            first = StatsSettings(addresses=(self.unix,))
            for servers in (
                [first, StatsSettings(addresses=(address,))],
                [StatsSettings(addresses=(self.unix, address))],
            ):
                error = self.assertRaises(CannotListen, open_stats, servers)
                self.assertIn(f"cannot listen on {address}", str(error))
                self.assertFalse(os.path.exists(self.path))


class ServiceTests(ServerCase):
    def serve(self, *, http: bool = False, minified: bool = False) -> StatsService:
        settings = StatsSettings(addresses=(self.unix,), http=http, minified=minified)
        self.clock = Clock()
        self.network = Network()
        self.router = router = ShownRouter(SETTINGS)
        (opened,) = open_stats([settings])
        network = cast(INetwork, self.network)
        service = StatsService(
            self.clock,
            network,
            "fastrouter",
            lambda: describe(take(router), router.pools()),
            opened,
        )
        service.startService()
        return service

    def connect(self) -> FakeStream | None:
        protocol = self.network.factory.buildProtocol(None)  # type: ignore[arg-type]
        return None if protocol is None else FakeStream(protocol, self.clock)

    def read(self, data: bytes = b"") -> bytes:
        stream = self.connect()
        assert stream is not None
        if data:
            stream.send(data)
        self.clock.pump([0] * 10)
        return stream.take()

    def stop(self, service: StatsService) -> Deferred[None]:
        stopping = ensureDeferred(service.stopService())
        for port in self.network.ports:
            port.stopped.callback(None)
        return stopping

    def test_raw(self) -> None:
        """
        A reader gets what the router shows now.
        """
        self.serve()
        self.assertNotIn("subscriptions", json.loads(self.read()))
        self.router.announce("a.test")
        (pool,) = json.loads(self.read())["subscriptions"]
        self.assertEqual("a.test", pool["key"])

    def test_options(self) -> None:
        """
        C{stats-http} and C{stats-minified}.
        """
        self.serve(http=True, minified=True)
        head, _, body = self.read(b"GET / HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.0 200 "))
        self.assertNotIn(b"\n", body)
        json.loads(body)

    def test_many_readers(self) -> None:
        """
        There can only be so many at once, which is in the log once; when one
        has left there is room again.
        """
        self.serve(http=True)
        streams = [self.connect() for _ in range(MOST_READERS)]
        with capturedLogs() as logs:
            self.assertEqual([None, None], [self.connect(), self.connect()])
        said = [formatEvent(event) for event in logs]
        self.assertEqual(
            ["32 connections read the statistics of fastrouter: no more at once"], said
        )
        assert streams[0] is not None
        streams[0].lose()
        self.assertIsNotNone(self.connect())

    def test_stop(self) -> None:
        """
        It ends at once, with whoever reads, and removes its file.
        """
        service = self.serve(http=True)
        self.assertEqual("fastrouter statistics", service.name)
        stream = self.connect()
        assert stream is not None
        self.assertTrue(os.path.exists(self.path))
        self.successResultOf(self.stop(service))
        self.assertTrue(stream.aborted)
        self.assertFalse(os.path.exists(self.path))
        self.clock.advance(0)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_broken(self) -> None:
        """
        One that cannot be shown does no harm to the next reader.
        """
        self.serve()
        self.router.broken = True
        self.router.announce("a.test")
        self.read()
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.router.broken = False
        json.loads(self.read())
