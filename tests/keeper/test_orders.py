"""
Tests for L{emperor.keeper.orders}.
"""

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper.orders import receive, send
from emperor.wire.keeping import LIMIT, BadKeeping, Done, decode, encode


class OrdersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.here, self.there = socket.socketpair()
        self.addCleanup(self.here.close)
        self.addCleanup(self.there.close)

    def test_descriptors(self) -> None:
        """
        Descriptors come with the message they were sent with.
        """
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        send(self.here, encode(Done()), [write])
        os.close(write)
        send(self.here, encode(Done()))
        body, descriptors = receive(self.there)
        self.assertEqual(Done(), decode(body))
        os.write(descriptors[0], b"x")
        os.close(descriptors[0])
        self.assertEqual(b"x", os.read(read, 1))
        self.assertEqual((body, []), receive(self.there))

    def test_hung_up(self) -> None:
        """
        The other side may hang up anywhere.
        """
        data = encode(Done())
        self.here.sendall(data[:-1])
        self.here.close()
        self.assertRaises(EOFError, receive, self.there)
        self.assertRaises(EOFError, receive, self.there)

    def test_too_long(self) -> None:
        """
        A message has a limit.
        """
        self.here.sendall((LIMIT + 1).to_bytes(4))
        self.assertRaises(BadKeeping, receive, self.there)
