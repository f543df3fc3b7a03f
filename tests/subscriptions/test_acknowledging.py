"""
Tests for L{emperor.subscriptions.acknowledging}.
"""

from __future__ import annotations

import os
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.subscriptions.acknowledging import Acknowledger
from tests.subscriptions.fakes import NODE, OTHER, leaving, make_ledger
from tests.wire.announcements import announcement


class FakeSocket:
    """
    Writes down what it sends.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, str]] = []
        self.error: Exception | None = None
        self.closed = False

    def sendto(self, data: bytes, path: str) -> None:
        if self.error:
            raise self.error
        self.sent.append((data, path))

    def close(self) -> None:
        self.closed = True


class AcknowledgerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.ledger = make_ledger(Clock())
        self.socket = FakeSocket()
        self.acknowledger = Acknowledger(lambda: self.socket)  # type: ignore[arg-type,return-value]
        self.ledger.follow(self.acknowledger)

    def test_new(self) -> None:
        """
        Who is new is told so, in uWSGI's words; once, and nobody else.
        """
        for _ in range(2):
            self.ledger.announce(announcement(notify="/a"))
        self.ledger.announce(announcement(address=OTHER, notify="/b"))
        self.ledger.announce(announcement(key="bar.com"))
        self.ledger.announce(leaving(notify="/a"))
        self.assertEqual(
            self.socket.sent,
            [
                (f"[subscription ack] foo.com => new node: {NODE}".encode(), "/a"),
                (f"[subscription ack] foo.com => new node: {OTHER}".encode(), "/b"),
            ],
        )

    def test_one_line(self) -> None:
        """
        No key can make more of it than one line of text.
        """
        self.ledger.announce(announcement(key="a\nREADY=1\0", notify="/run/systemd/notify"))
        [(data, _)] = self.socket.sent
        self.assertEqual(data, f"[subscription ack] a\\nREADY=1\\x00 => new node: {NODE}".encode())

    def test_no_file(self) -> None:
        """
        Only sockets with a file are told.
        """
        self.ledger.announce(announcement(notify="\0abstract"))
        self.assertEqual(self.socket.sent, [])

    def test_nobody_listens(self) -> None:
        """
        Who does not listen, or not quickly enough, does not disturb.
        """
        self.socket.error = BlockingIOError()
        self.ledger.announce(announcement(notify="/a"))
        self.socket.error = None
        self.ledger.announce(announcement(address=OTHER, notify="/b"))
        self.assertEqual(len(self.socket.sent), 1)

    def test_stop(self) -> None:
        """
        The socket is closed; without one there is nothing to do.
        """
        self.acknowledger.stop()
        self.ledger.announce(announcement(notify="/a"))
        self.acknowledger.stop()
        self.assertTrue(self.socket.closed)

    def test_real_socket(self) -> None:
        """
        A real one gets it, and a full one, or none, is not waited for.
        """
        os.makedirs(folder := os.path.relpath(self.mktemp()))
        path = os.path.join(folder, "s")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(path)
        acknowledger = Acknowledger()
        self.addCleanup(acknowledger.stop)
        ledger = make_ledger(Clock())
        ledger.follow(acknowledger)
        for port in range(1, 1000):
            ledger.announce(announcement(address=f"127.0.0.1:{port}", notify=path))
        ledger.announce(announcement(notify=os.path.join(folder, "none")))
        ledger.announce(announcement(address=OTHER, notify="x" * 200))
        self.assertTrue(listener.recv(200).startswith(b"[subscription ack] foo.com"))
