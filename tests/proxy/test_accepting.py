"""
Clients' connections, on loopback and in a temporary directory.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import ECONNABORTED
from typing import Any, cast

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface.verify import verifyObject

from emperor.interfaces import IPort
from emperor.proxy.accepting import BATCH, PAUSE, PollingPort
from emperor.proxy.poller import READABLE
from tests.proxy.polling import Far, PollingCase, Recorder
from tests.proxy.test_dialing import no_descriptor_left


class Clients(ServerFactory):
    """
    Remembers the protocols that it has made.

    @ivar make: makes them.
    """

    noisy = False

    def __init__(self) -> None:
        self.made: list[Recorder] = []
        self.addresses: list[IAddress | None] = []
        self.calls: list[str] = []
        self.make: Callable[[], Recorder | None] = Recorder

    def doStart(self) -> None:
        self.calls.append("start")

    def doStop(self) -> None:
        self.calls.append("stop")

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        self.addresses.append(addr)
        protocol = self.make()
        if protocol is not None:
            self.made.append(protocol)
        return protocol


class AcceptingCase(PollingCase):
    def setUp(self) -> None:
        super().setUp()
        self.factory = Clients()
        self.open(socket.socket())
        self.addCleanup(self._leave)

    def open(self, listener: socket.socket, name: object = ("127.0.0.1", 0)) -> None:
        listener.bind(name)  # type: ignore[arg-type]
        listener.listen(500)
        listener.setblocking(False)
        self.listener = listener
        self.port = PollingPort(self.poller, listener, self.factory)
        self.port.startListening()
        self.addCleanup(self.port.stopListening)

    def _leave(self) -> None:
        for protocol in self.factory.made:
            if protocol.transport is not None:
                protocol.transport.abortConnection()

    def connect(self, data: bytes = b"") -> Far:
        client = socket.socket(self.listener.family)
        client.connect(self.listener.getsockname())
        far = self.far(client)
        far.send(data)
        return far

    def serve_accepted(self, number: int) -> None:
        self.serve_until(lambda: len(self.factory.made) == number)


class PortTests(AcceptingCase):
    def test_interface(self) -> None:
        """
        It is a port, with the listening socket's address.
        """
        verifyObject(IListeningPort, self.port)
        self.assertEqual(self.port.getHost(), IPv4Address("TCP", *self.listener.getsockname()))
        self.assertEqual(self.factory.calls, ["start"])

    def test_accept(self) -> None:
        """
        A client is accepted, its request read and answered.
        """
        far = self.connect(b"request")
        self.serve_accepted(1)
        protocol = self.factory.made[0]
        self.serve_until(lambda: protocol.received == b"request")
        protocol.transport.write(b"answer")
        self.serve_until(lambda: far.read() == b"answer")
        address = IPv4Address("TCP", *far.socket.getsockname())
        self.assertEqual(self.factory.addresses, [address])
        self.assertEqual(protocol.transport.getPeer(), address)

    def test_first_read(self) -> None:
        """
        A request that is there already needs no further event.
        """
        self.connect(b"request")
        self.assertTrue(self.is_ready(5))
        self.port._ready(READABLE)
        self.assertEqual([each.received for each in self.factory.made], [b"request"])

    def test_unix(self) -> None:
        """
        A client of a UNIX socket has no name.
        """
        path = os.path.relpath(self.mktemp())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.open(socket.socket(socket.AF_UNIX), path)
        self.assertEqual(self.port.getHost(), UNIXAddress(os.fsencode(path)))
        self.connect(b"request")
        self.serve_accepted(1)
        self.assertEqual(self.factory.addresses, [UNIXAddress(None)])
        self.assertEqual(self.factory.made[0].received, b"request")

    def test_many(self) -> None:
        """
        When many clients come at once, all are accepted, but those that are
        there get their turn between them.
        """
        self.factory.make = lambda: Recorder(
            data=lambda recorder: order.append(len(self.factory.made))
        )
        order: list[int] = []
        first = self.connect()
        self.serve_accepted(1)
        for _ in range(BATCH * 2):
            self.connect()
        first.send(b"x")
        self.serve_accepted(1 + BATCH * 2)
        self.assertLessEqual(order[0], 1 + BATCH)

    def test_refused(self) -> None:
        """
        A client for whom there is no protocol is closed.
        """
        self.factory.make = lambda: None
        far = self.connect()
        self.serve_until(lambda: far.read() is None or far.ended)

    def test_broken_factory(self) -> None:
        """
        A factory that breaks closes that client; the next one is accepted.
        """

        def broken() -> Recorder:
            self.factory.make = Recorder
            raise ZeroDivisionError

        self.factory.make = broken
        far = self.connect()
        self.connect()
        self.serve_accepted(1)
        self.serve_until(lambda: far.read() is None or far.ended or far.was_reset)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_gone(self) -> None:
        """
        A client that has gone while it waited does not keep the next one.
        """
        self.connect().reset()
        self.connect(b"x")
        self.serve_until(lambda: any(each.received for each in self.factory.made))

    def test_gone_in_queue(self) -> None:
        """
        Neither does one of whom the kernel reports that.
        """
        accept = _Accept(self.listener, [OSError(ECONNABORTED, "aborted")])
        self.port._listener = cast(socket.socket, accept)
        self.connect(b"x")
        self.serve_accepted(1)
        self.assertEqual(accept.errors, [])


class StopTests(AcceptingCase):
    def test_stop(self) -> None:
        """
        Nobody is accepted any more; who is there may go on.
        """
        far = self.connect()
        self.serve_accepted(1)
        address = self.listener.getsockname()
        self.port.stopListening()
        self.port.stopListening()
        self.serve()
        self.assertEqual(self.factory.calls, ["start", "stop"])
        with socket.socket() as client:
            self.assertRaises(ConnectionRefusedError, client.connect, address)
        far.send(b"x")
        self.serve_until(lambda: self.factory.made[0].received == b"x")

    def test_stop_within(self) -> None:
        """
        Who stops when a client comes gets no further one.
        """
        self.factory.make = lambda: Recorder(made=lambda recorder: self.port.stopListening())
        for _ in range(3):
            self.connect()
        self.serve_accepted(1)
        self.serve()
        self.assertEqual(len(self.factory.made), 1)


class RestTests(AcceptingCase):
    """
    A port that rests for a while.
    """

    def test_interface(self) -> None:
        """
        It is a port that can.
        """
        verifyObject(IPort, self.port)

    def test_rest(self) -> None:
        """
        Nobody is accepted meanwhile, who comes waits; who is there goes on.
        """
        far = self.connect()
        self.serve_accepted(1)
        for _ in range(2):
            self.port.stopReading()
        self.connect(b"later")
        far.send(b"x")
        self.serve_until(lambda: self.factory.made[0].received == b"x")
        self.assertEqual(len(self.factory.made), 1)
        for _ in range(2):
            self.port.startReading()
        self.serve_until(lambda: self.factory.made[-1].received == b"later")

    def test_rest_within(self) -> None:
        """
        Who rests when a client comes gets no further one.
        """
        self.factory.make = lambda: Recorder(made=lambda recorder: self.port.stopReading())
        for _ in range(3):
            self.connect()
        self.serve_accepted(1)
        self.serve()
        self.assertEqual(len(self.factory.made), 1)

    def test_stop_at_rest(self) -> None:
        """
        One that rests can be stopped, and does not begin again.
        """
        self.port.stopReading()
        self.port.stopListening()
        self.port.startReading()
        self.serve()
        self.assertEqual(self.factory.calls, ["start", "stop"])

    def test_exhausted_at_rest(self) -> None:
        """
        A port without a descriptor that is told to rest does not try again
        until it may.
        """
        self.connect(b"x")
        with no_descriptor_left():
            self.serve_until(self.clock.getDelayedCalls)
        self.port.stopReading()
        self.clock.advance(PAUSE)
        self.serve()
        self.assertEqual(self.factory.made, [])
        self.port.startReading()
        self.serve_accepted(1)


class ExhaustedTests(AcceptingCase):
    def setUp(self) -> None:
        super().setUp()
        self.logged: list[str] = []
        observer = cast(ILogObserver, self._log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def _log(self, event: LogEvent) -> None:
        if "can be accepted" in (event.get("log_format") or ""):
            self.logged.append(event["reason"])

    def starve(self, seconds: int) -> None:
        with no_descriptor_left():
            self.serve_until(lambda: self.logged)
            for _ in range(seconds):
                self.assertFalse(self.is_ready())
                self.clock.advance(PAUSE)
                self.serve()

    def test_pause(self) -> None:
        """
        Without a free descriptor the port rests a second, then tries again; the
        log has one line, whose advice helps, however long it takes.
        """
        self.connect(b"x")
        self.starve(5)
        self.assertEqual(self.factory.made, [])
        self.assertEqual(self.logged, ["Too many open files"])
        self.clock.advance(PAUSE)
        self.serve_accepted(1)
        self.assertEqual(self.factory.made[0].received, b"x")
        self.connect()
        self.serve_accepted(2)

    def test_again(self) -> None:
        """
        The next time is another line.
        """
        for _ in range(2):
            self.logged.clear()
            self.connect()
            self.starve(2)
            self.assertEqual(len(self.logged), 1)
            self.clock.advance(PAUSE)
            self.serve()

    def test_others(self) -> None:
        """
        Those who are connected are served meanwhile.
        """
        far = self.connect()
        self.serve_accepted(1)
        waiting = self.connect()
        far.send(b"x")
        self.starve(1)
        self.assertEqual(self.factory.made[0].received, b"x")
        self.assertFalse(waiting.ended)

    def test_stop(self) -> None:
        """
        A port that rests can be stopped, and does not start again.
        """
        self.connect()
        self.starve(0)
        self.port.stopListening()
        self.assertEqual([each for each in self.clock.getDelayedCalls() if each.getTime()], [])
        self.serve()
        self.clock.advance(PAUSE)
        self.serve()
        self.assertEqual(self.factory.made, [])


class _Accept:
    """
    A listening socket with errors in its queue.
    """

    def __init__(self, listener: socket.socket, errors: list[OSError]) -> None:
        self._listener: Any = listener
        self.errors = errors

    def accept(self) -> Any:
        if self.errors:
            raise self.errors.pop()
        return self._listener.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)
