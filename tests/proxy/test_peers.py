"""
Who is at the other end of a connection to a node.
"""

from __future__ import annotations

import os
import socket
from errno import ENOENT

from twisted.internet.error import ConnectError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import ANYBODY
from emperor.proxy.backends import error_number, explain, is_absent, is_exhausted
from emperor.proxy.peers import Stranger, find_stranger

ME = os.geteuid()


class StrangerTests(SynchronousTestCase):
    def pair(self, family: int) -> socket.socket:
        left, right = socket.socketpair(family) if family == socket.AF_UNIX else self.loopback()
        for each in (left, right):
            self.addCleanup(each.close)
        return left

    def loopback(self) -> tuple[socket.socket, socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            return client, listener.accept()[0]

    def test_unix(self) -> None:
        """
        The user at the other end of a UNIX socket is its owner or a stranger.
        """
        connection = self.pair(socket.AF_UNIX)
        self.assertIsNone(find_stranger(connection, ME))
        self.assertIsNone(find_stranger(connection, ANYBODY))
        stranger = find_stranger(connection, ME + 1)
        assert stranger is not None
        self.assertEqual((stranger.owner, stranger.found), (ME + 1, ME))

    def test_tcp(self) -> None:
        """
        Every user may connect to a TCP port.
        """
        self.assertIsNone(find_stranger(self.pair(socket.AF_INET), ME + 1))

    def test_failure(self) -> None:
        """
        It is neither for lack of a listener nor of room, and clients are not told
        who the users are.
        """
        failure = Failure(Stranger(1234, 5678))
        self.assertFalse(is_absent(failure) or is_exhausted(failure))
        self.assertEqual(error_number(failure), 0)
        self.assertEqual(explain(failure), "another user listens at its socket")
        self.assertEqual(error_number(Failure(ConnectError(ENOENT))), ENOENT)
