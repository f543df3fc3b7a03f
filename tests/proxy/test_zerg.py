"""
Listening sockets from a zerg server, which is the test.
"""

from __future__ import annotations

import os
import socket
import struct
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import UnixAddress
from emperor.proxy.zerg import NoSockets, take_sockets
from tests.proxy.polling import open_descriptors


class ZergTests(SynchronousTestCase):
    def setUp(self) -> None:
        before = open_descriptors()
        self.addCleanup(lambda: self.assertEqual(open_descriptors() - before, set()))
        # The paths of trial's own directories can be too long for a socket.
        self.path = os.path.relpath(self.mktemp())
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.server.close)
        self.server.bind(self.path)
        self.server.listen(1)

    def listener(self) -> socket.socket:
        found = socket.socket()
        self.addCleanup(found.close)
        found.bind(("127.0.0.1", 0))
        found.listen(1)
        return found

    def take(
        self, message: bytes, *given: socket.socket, patience: float = 5
    ) -> list[socket.socket]:
        """
        Ask the server, which answers so.
        """

        def answer() -> None:
            connection, _ = self.server.accept()
            with connection:
                if message:
                    socket.send_fds(connection, [message], [each.fileno() for each in given])
                else:
                    connection.recv(1)  # until the other side has enough

        thread = Thread(target=answer)
        thread.start()
        try:
            found = take_sockets(UnixAddress(self.path.encode()), patience)
        finally:
            thread.join()
        for each in found:
            self.addCleanup(each.close)
        return found

    def refused(self, message: bytes, *given: socket.socket, patience: float = 5) -> str:
        return str(self.assertRaises(NoSockets, self.take, message, *given, patience=patience))

    def test_sockets(self) -> None:
        """
        They are the server's own, in its order, for us alone.
        """
        given = [self.listener(), self.listener()]
        found = self.take(b"uwsgi-zerg" + struct.pack("i", 2), *given)
        names = [each.getsockname() for each in given]
        self.assertEqual([each.getsockname() for each in found], names)
        for each in found:
            self.assertFalse(each.getblocking())
            self.assertFalse(each.get_inheritable())

    def test_other_answers(self) -> None:
        """
        What no zerg server would send is refused, and its descriptors closed.
        """
        one = self.listener()
        for message in (b"uwsgi-zerg", b"uwsgi-zerg\x01\0\0", b"HTTP/1.0 200 OK\r\n", b"x" * 99):
            self.assertIn("not that of a zerg server", self.refused(message, one))
        for count in (0, 2, -1, 1 << 30):
            why = self.refused(b"uwsgi-zerg" + struct.pack("i", count), one)
            self.assertIn(f"it announced {count} sockets and 1 arrived", why)

    def test_no_listeners(self) -> None:
        """
        Sockets on which nobody listens, and files, are none.
        """
        here, there = socket.socketpair()
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        why = self.refused(b"uwsgi-zerg" + struct.pack("i", 1), here)
        self.assertIn("no listening stream sockets", why)
        self.assertIn("no listening", self.refused(b"uwsgi-zerg" + struct.pack("i", 0)))
        with open(os.devnull) as file:
            why = self.refused(b"uwsgi-zerg" + struct.pack("i", 1), file)  # type: ignore[arg-type]
        self.assertIn("1 sockets and 0 arrived", why)

    def test_nobody(self) -> None:
        """
        A server that is not there is an error.
        """
        self.server.close()
        for path in (self.path, self.path + "-none"):
            error = self.assertRaises(NoSockets, take_sockets, UnixAddress(path.encode()))
            self.assertRegex(str(error), "refused|No such file")

    def test_silent(self) -> None:
        """
        One that says nothing is not waited for.
        """
        self.assertIn("did not answer within 0.05 s", self.refused(b"", patience=0.05))
