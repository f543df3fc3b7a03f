"""
UNIX sockets on Twisted's own transports, in a temporary directory.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import ANYBODY
from emperor.proxy.backends import error_number, is_absent, is_missing, is_timeout
from emperor.proxy.dialing import RETRY
from emperor.proxy.peers import Stranger
from emperor.proxy.unixsockets import IUnixReactor, SharedPort, UnixDialer
from tests.proxy.polling import Recorder, open_descriptors
from tests.proxy.test_accepting import Clients
from tests.proxy.test_dialing import no_descriptor_left


class _Adopting(MemoryReactorClock):
    """
    Keeps what it adopts as a reactor does: a descriptor of its own.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.adopted: list[socket.socket] = []

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        self.adopted.append(socket.fromfd(fileDescriptor, addressFamily, socket.SOCK_STREAM))
        factory.buildProtocol(None).makeConnection(object())


class UnixCase(SynchronousTestCase):
    def setUp(self) -> None:
        before = open_descriptors()
        self.addCleanup(lambda: self.assertEqual(open_descriptors() - before, set()))
        self.reactor = _Adopting()
        self.addCleanup(self.close_adopted)

    def close_adopted(self) -> None:
        for each in self.reactor.adopted:
            each.close()

    def path(self) -> bytes:
        # The paths of trial's own directories can be too long for a socket.
        path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def listen(self, path: bytes, backlog: int = 5) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen(backlog)
        listener.setblocking(False)
        return listener

    def connect(self, path: bytes) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.setblocking(False)
        client.connect(path)
        return client


class SharedPortTests(UnixCase):
    """
    Two processes listen on one socket; one of them stops.
    """

    def setUp(self) -> None:
        super().setUp()
        self.name = self.path()
        self.other = self.listen(self.name, backlog=3)
        os.chmod(self.name, 0o640)
        self.factory = Clients()
        reactor = cast(IUnixReactor, self.reactor)
        self.port = SharedPort(self.other.dup(), self.factory, reactor)
        self.port.startListening()

    def stop(self) -> None:
        stopping = self.port.stopListening()
        self.reactor.advance(0)
        self.successResultOf(stopping)

    def test_interface(self) -> None:
        """
        It is a port, which is read while it listens.
        """
        verifyObject(IListeningPort, self.port)
        self.assertEqual(self.reactor.readers, {self.port})
        self.assertEqual(self.port.getHost().name, self.name)
        self.stop()
        self.assertEqual(self.reactor.readers, set())

    def test_accepts(self) -> None:
        """
        A client gets a protocol.
        """
        self.connect(self.name)
        self.port.doRead()
        (client,) = self.factory.made
        self.assertEqual(client.events, ["made"])
        cast(Any, client.transport).connectionLost(Failure(ConnectError()))
        self.stop()

    def test_nothing_changes(self) -> None:
        """
        The file keeps its permissions and the queue its length.
        """
        self.assertEqual(stat.S_IMODE(os.stat(self.name).st_mode), 0o640)
        for _ in range(4):  # the kernel has room for one more than was asked for
            self.connect(self.name)
        self.assertRaises(BlockingIOError, self.connect, self.name)
        self.stop()

    def test_the_other_goes_on(self) -> None:
        """
        When it stops the file stays, and the other process accepts.
        """
        self.stop()
        self.connect(self.name)
        self.other.accept()[0].close()

    def test_no_file(self) -> None:
        """
        Whether the file is there any more does not matter.
        """
        os.unlink(self.name)
        again = SharedPort(self.other.dup(), self.factory, cast(IUnixReactor, self.reactor))
        again.startListening()
        stopping = again.stopListening()
        self.reactor.advance(0)
        self.successResultOf(stopping)
        self.stop()


class DialerTests(UnixCase):
    def setUp(self) -> None:
        super().setUp()
        self.dialer = UnixDialer(cast(IUnixReactor, self.reactor))
        self.protocol = Recorder()
        self.failures: list[Failure] = []

    def dial(self, path: bytes, timeout: float = 3, owner: int = ANYBODY) -> Callable[[], None]:
        return self.dialer.dial(path, self.protocol, self.failures.append, timeout, owner=owner)

    def fails(self) -> Failure:
        """
        The one failure, which is not there when dialing returns.
        """
        self.assertEqual(self.failures, [])
        self.reactor.advance(0)
        (failure,) = self.failures
        return failure

    def fill(self, path: bytes) -> socket.socket:
        listener = self.listen(path, backlog=0)
        self.connect(path)
        return listener

    def assert_over(self) -> None:
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_connected(self) -> None:
        """
        The protocol is connected at once; to give up then is too late.
        """
        path = self.path()
        listener = self.listen(path)
        give_up = self.dial(path)
        self.assertEqual(self.protocol.events, ["made"])
        give_up()
        with listener.accept()[0] as there:
            self.reactor.adopted[0].sendall(b"a request")
            self.assertEqual(there.recv(100), b"a request")
        self.assert_over()

    def test_missing(self) -> None:
        """
        A socket that does not exist is told from one where nobody listens.
        """
        path = self.path()
        self.dial(path)
        self.assertTrue(is_missing(self.fails()))
        self.failures.clear()
        self.listen(path).close()
        self.dial(path)
        self.assertTrue(is_absent(self.fails()))
        self.assertFalse(is_missing(self.failures[0]))
        self.assert_over()

    def test_stranger(self) -> None:
        """
        A socket where another user listens than should gets nothing.
        """
        path = self.path()
        self.listen(path)
        self.dial(path, owner=os.geteuid() + 1)
        self.fails().trap(Stranger)
        self.assertEqual((self.protocol.events, self.reactor.adopted), ([], []))
        self.assert_over()
        self.dial(path, owner=os.geteuid())
        self.assertEqual(self.protocol.events, ["made"])

    def test_full(self) -> None:
        """
        A node with a full queue is tried again until it has room.
        """
        path = self.path()
        listener = self.fill(path)
        self.dial(path)
        self.reactor.pump([RETRY] * 10)
        self.assertEqual((self.failures, self.protocol.events), ([], []))
        listener.accept()[0].close()
        self.reactor.advance(RETRY)
        self.assertEqual(self.protocol.events, ["made"])
        self.assert_over()

    def test_full_forever(self) -> None:
        """
        It has no room in time: that is a time-out.
        """
        path = self.path()
        self.fill(path)
        self.dial(path)
        self.reactor.pump([RETRY] * 299)
        self.assertEqual(self.failures, [])
        self.reactor.pump([RETRY] * 2)
        self.assertTrue(is_timeout(self.failures[0]))
        self.assert_over()

    def test_full_and_gone(self) -> None:
        """
        A node that stops while its queue is full has failed.
        """
        path = self.path()
        listener = self.fill(path)
        self.dial(path)
        listener.close()
        self.reactor.advance(RETRY)
        self.reactor.advance(0)
        self.assertTrue(is_absent(self.failures[0]))
        self.assert_over()

    def test_given_up(self) -> None:
        """
        Who gives up hears nothing and tries no more.
        """
        path = self.path()
        self.fill(path)
        for each in (path, self.path()):
            give_up = self.dial(each)
            give_up()
            give_up()
            self.assert_over()
        self.assertEqual((self.failures, self.protocol.events), ([], []))

    def test_no_descriptor(self) -> None:
        """
        Without a free descriptor dialing fails as any other way to fail.
        """
        with no_descriptor_left():
            self.dial(b"/nowhere")
        failure = self.fails()
        failure.trap(ConnectError)
        self.assertEqual(os.strerror(error_number(failure)), "Too many open files")
