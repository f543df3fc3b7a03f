"""
A router as a service.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.settings import RouterSettings
from emperor.interfaces import INetwork, IRouterState
from emperor.proxy.fastrouter import UwsgiFrontend
from emperor.proxy.http import HttpFrontend
from emperor.proxy.listeners import open_listeners
from emperor.proxy.service import RouterService, build_factory
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.testing.proxy import FakeStream
from emperor.wire.control import Counts, RefusalCount
from emperor.wire.subscription import Announcement
from tests.proxy.dialogue import FASTROUTER, HTTP, NODE, Dialogue


class AdoptedPort:
    """
    A listening port; stopping it takes until the test says so.
    """

    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()
        self.stopping = False

    def stopListening(self) -> Deferred[None]:
        self.stopping = True
        return self.stopped


class Network:
    """
    Takes listening sockets over.
    """

    def __init__(self) -> None:
        self.ports: list[AdoptedPort] = []

    def listen(self, listener: socket.socket, factory: IProtocolFactory) -> IListeningPort:
        self.family, self.factory = listener.family, factory
        listener.close()
        self.ports.append(AdoptedPort())
        return cast(IListeningPort, self.ports[-1])


class FactoryTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """
        Each kind of router has its front end.
        """
        for settings, kind in ((HTTP, HttpFrontend), (FASTROUTER, UwsgiFrontend)):
            wire = Dialogue(settings)
            self.addCleanup(wire.router.deadlines.stop)
            factory = build_factory(wire.router, "machine")
            self.assertIsInstance(factory.buildProtocol(None), kind)

    def test_drain_twice(self) -> None:
        """
        A factory without connections is drained at once, again and again.
        """
        wire = Dialogue(FASTROUTER)
        self.addCleanup(wire.router.deadlines.stop)
        self.successResultOf(wire.factory.drain())
        self.successResultOf(wire.factory.drain())

    def test_closed_within_drain(self) -> None:
        """
        It does not matter whether connections close at once or later.
        """
        wire = Dialogue(FASTROUTER)
        self.addCleanup(wire.router.deadlines.stop)
        client = wire.connect()
        self.patch(client, "loseConnection", client.lose)
        self.successResultOf(wire.factory.drain())


class ServiceTests(SynchronousTestCase):
    def serve(
        self, settings: RouterSettings = HTTP, grace: float = 5, **details: Any
    ) -> RouterService:
        listen = TcpAddress("127.0.0.1", 0)
        if settings.listen == HTTP.listen:
            settings = replace(settings, listen=(listen,))
        self.wire = Dialogue(settings)
        self.wire.router.deadlines.stop()
        self.network = Network()
        network = cast(INetwork, self.network)
        service = RouterService(
            self.wire.clock,
            network,
            self.wire.router,
            open_listeners(settings).rows[0],
            hostname="machine",
            grace=grace,
            **details,
        )
        service.startService()
        self.addCleanup(self.wire.router.deadlines.stop)
        return service

    def client(self) -> FakeStream:
        protocol = self.network.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        assert protocol is not None
        return FakeStream(protocol, self.wire.clock)

    def stop(self, service: RouterService) -> Deferred[None]:
        stopping = ensureDeferred(service.stopService())
        for port in self.network.ports:
            self.assertTrue(port.stopping)
            port.stopped.callback(None)
        return stopping

    def test_serves(self) -> None:
        """
        Its sockets are taken over, and clients get their answers.
        """
        service = self.serve()
        self.assertEqual(service.name, "http")
        self.assertEqual(self.network.family, socket.AF_INET)
        client = self.client()
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(self.wire.dial.address, NODE.address)

    def test_counts(self) -> None:
        """
        Every request is counted once, however it ends, and every connection.
        """
        service = self.serve()
        verifyObject(IRouterState, service)
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        refused, abandoned, answered, malformed = (self.client() for _ in range(4))
        refused.send(request)
        self.wire.dial.refuse()
        abandoned.send(request)
        abandoned.lose()
        for number in (3, 4):
            answered.send(request)
            self.wire.dial.accept().send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self.assertEqual(number, service.counts().requests)
        malformed.send(b"nonsense\r\n\r\n")
        refusals = (RefusalCount("bad-request", 1), RefusalCount("node-absent", 1))
        counts = Counts(4, refusals, 5, open=3)
        self.assertEqual(counts, service.counts())
        self.assertEqual({os.getpid(): counts}, service.counts_by_process())

    def test_nodes(self) -> None:
        """
        It shows its configured nodes and the pools it is given.
        """
        registry = Registry(RegistrySettings())
        announcement = Announcement(leaving=False, key="a.test", address="127.0.0.1:1")
        registry.announce(announcement, 0)
        service = self.serve(subscribed=lambda: registry.pools)
        self.client().send(b"GET / HTTP/1.0\r\n\r\n")
        (node,) = service.fixed()
        self.assertEqual((NODE, 1), (node.node, node.hits))
        (pool,) = service.pools()
        self.assertEqual(["127.0.0.1:1"], [each.name for each in pool.nodes])

    def test_time_outs(self) -> None:
        """
        Time-outs run while it runs, and leave nothing behind.
        """
        service = self.serve(replace(HTTP, headers_timeout=5))
        client = self.client()
        self.wire.wait(8)
        self.assertIsNotNone(client.lost)
        self.successResultOf(self.stop(service))
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_requests_finish(self) -> None:
        """
        It stops when the last request is answered.
        """
        service = self.serve(FASTROUTER)
        client = self.client()
        client.send(b"\0\0\0\0")
        stopping = self.stop(service)
        self.assertTrue(self.wire.router.draining)
        self.assertNoResult(stopping)
        client.send_end()
        self.successResultOf(stopping)

    def test_grace(self) -> None:
        """
        After the grace a request whose answer has not begun gets one of ours; one
        whose answer has begun is cut.
        """
        service = self.serve(grace=5)
        waiting, half = self.client(), self.client()
        waiting.send(b"GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n")
        node = self.wire.dial.accept()
        half.send(b"GET / HTTP/1.1\r\nHost: half.test\r\n\r\n")
        self.wire.dial.accept().send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
        stopping = self.stop(service)
        self.wire.wait(4)
        self.assertNoResult(stopping)
        with capturedLogs() as events:
            self.wire.wait(1)
        self.assertTrue(node.aborted and half.aborted)
        answer = waiting.take()
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"Host: slow.test\nReason: the program stops", answer)
        self.successResultOf(stopping)
        self.assertFalse(waiting.aborted)
        self.assertEqual(self.wire.clock.getDelayedCalls()[1:], [])  # the refusals' second
        lines = [formatEvent(event) for event in events]
        ended = "requests in flight are ended: 2 (hosts: half.test, slow.test)"
        self.assertEqual([line for line in lines if ended in line], [f"http: after 5 s: {ended}"])

    def test_last_answer(self) -> None:
        """
        A client that does not close is not waited for.
        """
        service = self.serve(FASTROUTER, grace=5)
        client = self.client()
        client.send(b"\0\5\0\0")
        stopping = self.stop(service)
        self.wire.wait(6)
        self.assertNoResult(stopping)
        self.wire.wait(2)
        self.successResultOf(stopping)
        self.assertTrue(client.aborted)

    def test_hurry(self) -> None:
        """
        Who is in a hurry waits only until the clients have their answers.
        """
        for settings, request in ((HTTP, b"GET / HTTP/1.0\r\n\r\n"), (FASTROUTER, b"\0\x05\0\0")):
            service = self.serve(settings, grace=50)
            client = self.client()
            client.send(request)
            stopping = self.stop(service)
            service.cut()
            self.assertTrue(client.take().startswith(b"HTTP/1.1 503 "))
            client.send_end()
            self.successResultOf(stopping)
            self.wire.wait(3)
            self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_socket_file(self) -> None:
        """
        The file of a UNIX socket is removed at the end.
        """
        path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        service = self.serve(replace(HTTP, listen=(UnixAddress(path),)))
        self.assertTrue(os.path.exists(path))
        self.successResultOf(self.stop(service))
        self.assertFalse(os.path.exists(path))

    def test_socket_file_that_stays(self) -> None:
        """
        Unless somebody goes on to listen there.
        """
        paths = [os.fsencode(os.path.relpath(self.mktemp())) for _ in range(2)]
        places = [UnixAddress(path) for path in paths]
        os.makedirs(os.path.dirname(paths[0]), exist_ok=True)
        os.makedirs(os.path.dirname(paths[1]), exist_ok=True)
        service = self.serve(replace(HTTP, listen=tuple(places)))
        service.kept = frozenset(places[:1])
        self.successResultOf(self.stop(service))
        self.assertEqual([os.path.exists(path) for path in paths], [True, False])
