"""
Tests for L{emperor.proxy.worker}.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import Logger, globalLogBeginner
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import UnixAddress
from emperor.config.settings import HttpSettings
from emperor.interfaces import INetwork
from emperor.proxy.worker import REPORT_INTERVAL, Worker, begin_log
from emperor.testing.proxy import FakeDialer, FakeStream
from emperor.vassals.status import Phase
from emperor.wire.control import (
    Configure,
    Counts,
    Cut,
    Drain,
    FixedCount,
    Message,
    MessageReader,
    NodeNews,
    Progress,
    Ready,
    RefusalCount,
    Subscriptions,
    VassalNews,
    Vassals,
    Wanted,
    encode,
)
from tests.proxy.dialogue import LISTEN, NODE
from tests.wire.announcements import announcement

GRACE = 5
ORDER = Configure(HttpSettings(listen=LISTEN, to=(NODE,)), "machine", GRACE, "twisted")
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def subscribed(key: str, address: str, *, leaving: bool = False) -> NodeNews:
    """
    A node's announcement.
    """
    return NodeNews(announcement(key=key, address=address, leaving=leaving))


class Network(Service):
    """
    A network that takes no real socket.
    """

    def __init__(self, clock: Clock) -> None:
        self.dialer = FakeDialer(clock)
        self.open = False
        self.reading = True

    def listen(self, listener: socket.socket, factory: IProtocolFactory) -> IListeningPort:
        self.factory = factory
        self.open = True
        return cast(IListeningPort, self)

    def stopListening(self) -> None:
        self.open = False

    def stopReading(self) -> None:
        self.reading = False

    def startReading(self) -> None:
        self.reading = True


class Reactor(Clock):
    """
    A clock that can be stopped.
    """

    stops = 0

    def stop(self) -> None:
        self.stops += 1


class WorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.network = Network(self.reactor)
        self.transport = "none"
        self.worker = Worker(self.reactor, self.make_network, self.sockets)
        self.wire = StringTransport()
        self.worker.link.makeConnection(self.wire)

    def make_network(self, transport: str) -> INetwork:
        self.transport = transport
        return cast(INetwork, self.network)

    def sockets(self, count: int) -> Sequence[socket.socket]:
        return cast(Sequence[socket.socket], [None] * count)

    def tell(self, *messages: Message) -> None:
        self.worker.link.dataReceived(b"".join(map(encode, messages)))

    def said(self) -> list[Message]:
        data = self.wire.value()
        self.wire.clear()
        return list(MessageReader(1 << 20).feed(data))

    def serve(self) -> None:
        self.tell(ORDER)
        self.assertEqual([Ready()], self.said())

    def client(self) -> FakeStream:
        protocol = self.network.factory.buildProtocol(None)  # type: ignore[arg-type]
        assert protocol is not None
        stream = FakeStream(protocol, self.reactor)
        stream.send(REQUEST)
        return stream

    def hang_up(self) -> None:
        self.worker.link.connectionLost(Failure(ConnectionDone()))

    def test_serves(self) -> None:
        """
        Once it is configured it serves, on the network that was asked for.
        """
        self.serve()
        self.assertTrue(self.network.open)
        self.assertEqual("twisted", self.transport)
        self.client()
        self.assertEqual(NODE.address, self.network.dialer.dials[-1].address)

    def test_knows_of_vassals(self) -> None:
        """
        It tells why a vassal does not answer.
        """
        vassal = VassalNews("m", "a.ini", Phase.STARTING, 0, (NODE.address,))
        self.tell(Vassals(True, (vassal,)))
        self.serve()
        client = self.client()
        self.network.dialer.dials[-1].refuse()
        self.assertIn(b"vassal a.ini is starting", client.take())

    def test_wakes(self) -> None:
        """
        The program is told, once a second, that a request waits for a vassal that
        sleeps; the request goes on when that accepts.
        """
        vassal = VassalNews("m", "a.ini", Phase.ASLEEP, 0, (NODE.address,))
        self.tell(Vassals(True, (vassal,)))
        self.serve()
        for _ in range(2):
            client = self.client()
            self.network.dialer.dials[-1].refuse()
        self.assertEqual([Wanted("m", "a.ini")], self.said())
        coming = replace(vassal, phase=Phase.STARTING, woken=True)
        self.tell(Vassals(False, (coming,)))
        self.client()
        self.network.dialer.dials[-1].refuse()
        self.tell(Vassals(False, (replace(vassal, phase=Phase.ACCEPTING),)))
        before = len(self.network.dialer.dials)
        self.reactor.advance(0)
        self.assertEqual(3, len(self.network.dialer.dials) - before)
        self.assertEqual(b"", client.take())
        self.assertEqual([], self.said())

    def test_wakes_no_faster_than_it_is_heard(self) -> None:
        """
        While the program does not read nothing is kept for it.
        """
        vassal = VassalNews("m", "a.ini", Phase.ASLEEP, 0, (NODE.address,))
        self.tell(Vassals(True, (vassal,)))
        self.serve()
        self.worker.link.pauseProducing()
        self.client()
        self.network.dialer.dials[-1].refuse()
        self.assertEqual([], self.said())

    def subscribe(self) -> None:
        order = replace(ORDER, settings=HttpSettings(listen=LISTEN), subscribable=True)
        self.tell(Subscriptions(True, (subscribed("a", "127.0.0.1:3031"),)), order)
        self.assertEqual([Ready()], self.said())

    def test_knows_of_nodes(self) -> None:
        """
        Who has subscribed before it was there gets requests at once; who leaves
        gets none.
        """
        self.subscribe()
        self.client()
        self.assertEqual("127.0.0.1:3031", str(self.network.dialer.dials[-1].address))
        self.tell(Subscriptions(False, (subscribed("a", "127.0.0.1:3032"),)))
        self.tell(Subscriptions(False, (subscribed("a", "127.0.0.1:3031", leaving=True),)))
        self.client()
        self.assertEqual("127.0.0.1:3032", str(self.network.dialer.dials[-1].address))

    def test_cheap(self) -> None:
        """
        In cheap mode it accepts only while it knows a node.
        """
        settings = HttpSettings(listen=LISTEN, cheap=True)
        self.tell(replace(ORDER, settings=settings, subscribable=True))
        self.assertFalse(self.network.reading)
        self.tell(Subscriptions(False, (subscribed("a", "127.0.0.1:3031"),)))
        self.assertTrue(self.network.reading)

    def test_file(self) -> None:
        """
        The file of a socket is left to the program, if that is still there.
        """
        path = os.path.relpath(self.mktemp())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        order = replace(ORDER, settings=HttpSettings(listen=(UnixAddress(os.fsencode(path)),)))
        for leave, stays in ((partial(self.tell, Drain()), True), (self.hang_up, False)):
            self.setUp()
            with open(path, "wb"):
                self.tell(order)
            leave()
            self.assertEqual(os.path.exists(path), stays)

    def test_nodes_expire(self) -> None:
        """
        A node that is not heard of any more is forgotten here as well.
        """
        self.subscribe()
        for _ in range(60):
            self.reactor.advance(1)
        self.assertIn(b"404 Not Found", self.client().take())

    def test_nodes_expire_no_more(self) -> None:
        """
        While it leaves nobody is forgotten: no timer is left.
        """
        self.subscribe()
        self.tell(Drain())
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_counts(self) -> None:
        """
        It reports what it has counted, every second; of nodes only what is new.
        """
        self.serve()
        client = self.client()
        self.network.dialer.dials[-1].refuse()
        now = self.reactor.seconds()
        self.reactor.advance(REPORT_INTERVAL)
        refused = (RefusalCount("node-absent", 1),)
        self.assertEqual(
            [Counts(1, refused, 1, open=1), Progress(fixed=(FixedCount(0, 1, now),))],
            self.said(),
        )
        client.lose()
        self.reactor.advance(REPORT_INTERVAL)
        self.assertEqual([Counts(1, refused, 1, open=0)], self.said())

    def test_not_heard(self) -> None:
        """
        While the program does not read nothing is kept for it.
        """
        self.serve()
        self.client()
        self.worker.link.pauseProducing()
        self.reactor.pump([REPORT_INTERVAL] * 3)
        self.assertEqual([], self.said())
        self.worker.link.resumeProducing()
        self.reactor.advance(REPORT_INTERVAL)
        self.assertEqual([Counts, Progress], [type(message) for message in self.said()])

    def test_drains(self) -> None:
        """
        It accepts nothing more, waits for the last answer, reports and leaves.
        """
        self.serve()
        client = self.client()
        self.tell(Drain(), Drain())
        self.assertFalse(self.network.open)
        self.assertFalse(self.wire.disconnecting)
        client.lose()
        self.assertTrue(self.wire.disconnecting)
        last = [Counts(1, requests=1), Progress(fixed=(FixedCount(0, 1, 0),))]
        self.assertEqual(last, self.said())
        self.assertEqual(0, self.reactor.stops)
        self.hang_up()
        self.assertEqual(1, self.reactor.stops)

    def test_cut(self) -> None:
        """
        Requests can be ended at once.
        """
        self.tell(Cut())
        self.serve()
        client = self.client()
        self.tell(Drain(), Cut())
        self.reactor.advance(0)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 503 "))
        self.assertTrue(self.wire.disconnecting)

    def test_left_alone(self) -> None:
        """
        When the program has gone it ends its requests and leaves.
        """
        self.serve()
        client = self.client()
        self.hang_up()
        self.assertFalse(self.network.open)
        self.assertEqual(0, self.reactor.stops)
        client.lose()
        self.assertEqual(1, self.reactor.stops)

    def test_left_alone_while_draining(self) -> None:
        """
        Also if it was about to leave.
        """
        self.serve()
        self.client()
        self.tell(Drain())
        self.hang_up()
        self.assertEqual(0, self.reactor.stops)
        self.reactor.advance(GRACE)
        self.reactor.advance(0)
        self.assertEqual(1, self.reactor.stops)

    def test_left_alone_before_it_began(self) -> None:
        """
        Or if it was never told anything.
        """
        self.hang_up()
        self.assertEqual(1, self.reactor.stops)

    def test_does_not_stop_cleanly(self) -> None:
        """
        It leaves all the same.
        """
        self.serve()
        failing: Deferred[None] = Deferred()
        self.patch(self.network, "stopListening", lambda: failing)
        self.tell(Drain())
        failing.errback(ZeroDivisionError())
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual(1, len(self.flushLoggedErrors()))


class LogTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """
        A line of the log has no time; the program adds it.
        """
        observers: list[Any] = []
        self.patch(globalLogBeginner, "beginLoggingTo", lambda found, **_: observers.extend(found))
        output = io.StringIO()
        begin_log(output)
        log = Logger(observer=observers[0])
        log.info("{a} of {b}", a=1, b=2)
        self.assertEqual("1 of 2\n", output.getvalue())
