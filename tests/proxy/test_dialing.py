"""
Connections to nodes, on loopback and in a temporary directory.
"""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import (
    ConnectError,
    ConnectionDone,
    ConnectionRefusedError,
    TimeoutError,
)
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from emperor.addresses import ANYBODY, SocketAddress, TcpAddress, UnixAddress, parse_address
from emperor.interfaces import IDialer
from emperor.proxy.backends import error_number, explain, is_absent, is_missing, is_timeout
from emperor.proxy.dialing import RETRY, PollingDialer
from emperor.proxy.peers import Stranger
from tests.proxy.polling import PollingCase, Recorder, open_descriptors


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """
    The process may open nothing more.
    """
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as spare:
        lowest = os.open("/dev/null", os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
        os.close(lowest)
        spare.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        yield


class DialingCase(PollingCase):
    def setUp(self) -> None:
        super().setUp()
        self.dialer = PollingDialer(self.poller)
        self.protocol = Recorder()
        self.failures: list[Failure] = []
        self.addCleanup(self._leave)

    def _leave(self) -> None:
        if self.protocol.transport is not None:
            self.protocol.transport.abortConnection()

    def dial(
        self, address: SocketAddress, timeout: float = 7, owner: int = ANYBODY
    ) -> Callable[[], None]:
        return self.dialer.dial(address, self.protocol, self.failures.append, timeout, owner=owner)

    def listen(self, family: int, name: object, backlog: int = 5) -> socket.socket:
        listener = socket.socket(family)
        self.addCleanup(listener.close)
        try:
            listener.bind(name)  # type: ignore[arg-type]
        except OSError as error:
            self.skipTest(f"cannot listen on {name!r}: {error}")
        listener.listen(backlog)
        return listener

    def path(self) -> bytes:
        # The paths of trial's own directories can be too long for a socket.
        path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def fails(self) -> Failure:
        """
        The one failure, which is not there when dialing returns.
        """
        self.assertEqual(self.failures, [])
        self.serve_until(lambda: self.failures)
        self.serve()
        self.assertEqual(len(self.failures), 1)
        self.assertEqual(self.protocol.events, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return self.failures[0]


class ConnectedTests(DialingCase):
    def test_interface(self) -> None:
        """
        It is a dialer.
        """
        verifyObject(IDialer, self.dialer)

    def converse(self, listener: socket.socket, give_up: Callable[[], None]) -> None:
        """
        Both sides get what the other sends; to give up comes too late.
        """
        self.serve_until(lambda: self.protocol.events == ["made"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        give_up()
        give_up()
        self.serve()
        far = self.far(listener.accept()[0])
        self.protocol.transport.write(b"request")
        self.serve_until(lambda: far.read() == b"request")
        far.send(b"answer")
        far.end()
        self.serve_until(lambda: self.protocol.is_lost)
        self.assertEqual(self.protocol.received, b"answer")
        self.assertEqual(self.protocol.reasons, [ConnectionDone])
        self.assertEqual(self.failures, [])

    def test_unix(self) -> None:
        """
        A UNIX socket is connected before dialing returns.
        """
        path = self.path()
        listener = self.listen(socket.AF_UNIX, path)
        give_up = self.dial(UnixAddress(path))
        self.assertEqual(self.protocol.events, ["made"])
        self.assertEqual(self.protocol.transport.getPeer(), UNIXAddress(path))
        self.converse(listener, give_up)

    def test_abstract(self) -> None:
        """
        So is an abstract name, with uWSGI's two NULs.
        """
        name = b"\0txemperor-dial-%d\0" % os.getpid()
        listener = self.listen(socket.AF_UNIX, name)
        give_up = self.dial(UnixAddress(name))
        self.assertEqual(self.protocol.transport.getPeer(), UNIXAddress(name))
        self.converse(listener, give_up)

    def test_tcp(self) -> None:
        """
        A TCP node is connected, on this machine nearly always at once.
        """
        listener = self.listen(socket.AF_INET, ("127.0.0.1", 0))
        port = listener.getsockname()[1]
        give_up = self.dial(TcpAddress("127.0.0.1", port))
        self.serve_until(lambda: self.protocol.events)
        self.assertEqual(self.protocol.transport.getPeer(), IPv4Address("TCP", "127.0.0.1", port))
        self.converse(listener, give_up)

    def test_no_host(self) -> None:
        """
        C{:port} is a port of this machine.
        """
        listener = self.listen(socket.AF_INET, ("127.0.0.1", 0))
        give_up = self.dial(TcpAddress("", listener.getsockname()[1]))
        self.serve_until(lambda: self.protocol.events)
        self.assertEqual(
            self.protocol.transport.getPeer(), IPv4Address("TCP", *listener.getsockname())
        )
        self.converse(listener, give_up)

    def test_tcp_at_once(self) -> None:
        """
        TCP on this machine needs neither an event nor a timer, unless the
        kernel is busy.
        """
        listener = self.listen(socket.AF_INET, ("127.0.0.1", 0))
        for _ in range(20):
            self.protocol = Recorder()
            give_up = self.dial(TcpAddress(*listener.getsockname()))
            if self.protocol.events:
                break
            give_up()
        self.assertEqual(self.protocol.events, ["made"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_tcp6(self) -> None:
        """
        An IPv6 node is connected.
        """
        listener = self.listen(socket.AF_INET6, ("::1", 0))
        port = listener.getsockname()[1]
        give_up = self.dial(TcpAddress("::1", port))
        self.serve_until(lambda: self.protocol.events)
        self.assertEqual(self.protocol.transport.getPeer(), IPv6Address("TCP", "::1", port))
        self.converse(listener, give_up)


class TcpFailureTests(DialingCase):
    def full(self) -> SocketAddress:
        """
        A TCP address whose queue is full: the kernel does not answer.
        """
        listener = self.listen(socket.AF_INET, ("127.0.0.1", 0), backlog=0)
        for _ in range(3):
            client = socket.socket()
            self.addCleanup(client.close)
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        return TcpAddress(*listener.getsockname())

    def test_refused(self) -> None:
        """
        Nobody listens: refused, as Twisted says it.
        """
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.dial(TcpAddress(*listener.getsockname()))
            failure = self.fails()
        failure.trap(ConnectionRefusedError)
        self.assertTrue(is_absent(failure))

    def test_timeout(self) -> None:
        """
        Who does not answer in time has failed, and not before.
        """
        self.dial(self.full(), 3)
        self.serve()
        self.clock.advance(2.9)
        self.assertEqual(self.failures, [])
        self.clock.advance(0.2)
        self.failures[0].trap(TimeoutError)
        self.assertTrue(is_timeout(self.failures[0]))

    def test_no_time(self) -> None:
        """
        No time at all is a time-out, too.
        """
        self.dial(self.full(), 0)
        self.fails().trap(TimeoutError)

    def test_cancelled(self) -> None:
        """
        Who gives up hears nothing more, and nothing is left.
        """
        address = self.full()
        before = open_descriptors()
        give_up = self.dial(address, 3)
        give_up()
        give_up()
        self.serve()
        self.assertEqual(open_descriptors(), before)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.failures, self.protocol.events), ([], []))

    def test_cancelled_refused(self) -> None:
        """
        The same when the failure is known already.
        """
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.dial(TcpAddress(*listener.getsockname()))()
        self.serve()
        self.assertEqual(self.failures, [])

    def test_slow(self) -> None:
        """
        A node that accepts after a while is connected, and the time-out is over.
        """
        listener = self.listen(socket.AF_INET, ("127.0.0.1", 0), backlog=0)
        first = socket.create_connection(listener.getsockname())
        self.addCleanup(first.close)
        address = TcpAddress(*listener.getsockname())
        give_up = self.dial(address, 3)
        if self.protocol.events:  # the kernel's queue has one place more than was asked for
            self.skipTest("the queue is longer here")
        listener.accept()[0].close()
        self.serve_until(lambda: self.protocol.events)  # the kernel asks again after 1 s
        give_up()
        self.clock.advance(10)
        self.assertEqual((self.failures, self.protocol.events), ([], ["made"]))

    def test_no_scope(self) -> None:
        """
        An interface that this machine does not have is a failure and no more.
        """
        self.dial(parse_address("[fe80::1%nothing]:80"))
        failure = self.fails()
        failure.trap(ConnectError)
        self.assertIn("no network interface of the name after %", explain(failure))


class UnixFailureTests(DialingCase):
    def test_missing(self) -> None:
        """
        A socket that does not exist is told from one where nobody listens.
        """
        path = self.path()
        self.dial(UnixAddress(path))
        self.assertTrue(is_missing(self.fails()))
        self.failures.clear()
        self.listen(socket.AF_UNIX, path).close()
        self.dial(UnixAddress(path))
        self.assertTrue(is_absent(self.fails()))
        self.assertFalse(is_missing(self.failures[0]))

    def test_full(self) -> None:
        """
        A UNIX node with a full queue is tried again until it has room.
        """
        path = self.path()
        listener = self.fill(path)
        self.dial(UnixAddress(path), 3)
        self.clock.pump([RETRY] * 10)
        self.assertEqual((self.failures, self.protocol.events), ([], []))
        listener.accept()[0].close()
        self.clock.advance(RETRY)
        self.assertEqual(self.protocol.events, ["made"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_owner(self) -> None:
        """
        Where a user must listen it is he who does.
        """
        path = self.path()
        self.listen(socket.AF_UNIX, path)
        self.dial(UnixAddress(path), owner=os.geteuid())
        self.assertEqual(self.protocol.events, ["made"])

    def test_stranger(self) -> None:
        """
        A socket of somebody else gets nothing, and is no time-out.
        """
        path = self.path()
        listener = self.listen(socket.AF_UNIX, path)
        before = open_descriptors()
        self.dial(UnixAddress(path), owner=os.geteuid() + 1)
        self.fails().trap(Stranger)
        self.assertEqual(open_descriptors(), before)
        with listener.accept()[0] as there:
            self.assertEqual(there.recv(100), b"")

    def test_stranger_after_a_while(self) -> None:
        """
        So one that had no room at first.
        """
        path = self.path()
        listener = self.listen(socket.AF_UNIX, path, backlog=0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(path)
            self.dial(UnixAddress(path), owner=os.geteuid() + 1)
            listener.accept()[0].close()
            self.clock.advance(RETRY)
        self.serve()
        self.failures[0].trap(Stranger)
        self.assertEqual((self.protocol.events, self.clock.getDelayedCalls()), ([], []))

    def test_full_forever(self) -> None:
        """
        It has no room in time: that is a time-out.
        """
        path = self.path()
        self.fill(path)
        self.dial(UnixAddress(path), 3)
        self.clock.pump([RETRY] * 299)
        self.assertEqual(self.failures, [])
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(is_timeout(self.failures[0]))

    def test_full_cancelled(self) -> None:
        """
        Who gives up on a full node tries no more.
        """
        path = self.path()
        listener = self.fill(path)
        give_up = self.dial(UnixAddress(path), 3)
        self.clock.advance(RETRY)
        give_up()
        listener.accept()[0].close()
        self.serve()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.failures, self.protocol.events), ([], []))

    def test_full_and_gone(self) -> None:
        """
        A node that stops while its queue is full has failed.
        """
        path = self.path()
        self.fill(path).close()
        listener = self.fill(self.path())
        self.dial(UnixAddress(listener.getsockname().encode()), 3)
        listener.close()
        self.clock.advance(RETRY)
        self.assertTrue(is_absent(self.failures[0]))

    def fill(self, path: bytes) -> socket.socket:
        listener = self.listen(socket.AF_UNIX, path, backlog=0)
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(path)
        return listener


class DescriptorTests(DialingCase):
    def test_none_left(self) -> None:
        """
        Without a free descriptor dialing fails as any other way to fail.
        """
        with no_descriptor_left():
            self.dial(TcpAddress("127.0.0.1", 1))
        failure = self.fails()
        failure.trap(ConnectError)
        self.assertEqual(os.strerror(error_number(failure)), "Too many open files")

    def test_none_left_cancelled(self) -> None:
        """
        Who gives up on that hears nothing.
        """
        with no_descriptor_left():
            give_up = self.dial(TcpAddress("127.0.0.1", 1))
        give_up()
        self.serve()
        give_up()
        self.assertEqual(self.failures, [])
