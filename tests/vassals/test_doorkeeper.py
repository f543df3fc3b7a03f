"""
Tests for L{emperor.vassals.doorkeeper}.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from socket import socket

from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.config.doorways import Doorway
from emperor.proxy.binding import open_listener
from emperor.vassals.doorkeeper import Doorkeeper
from emperor.vassals.doors import Closed, HeldDoor
from emperor.vassals.spec import VassalId
from emperor.vassals.tyrant import NoOwner


class DoorkeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.refused: set[str] = set()
        self.keeper = Doorkeeper(MemoryReactor(), self.listen, self.permit)
        self.path = os.fsencode(self.place / "a.sock")

    def listen(self, doorway: Doorway) -> socket:
        return open_listener(doorway.address, mode=0o600, backlog=5)

    def permit(self, file: str) -> None:
        if file in self.refused:
            raise NoOwner(f"{file} belongs to the user root")

    def door(self, name: str, address: SocketAddress) -> HeldDoor:
        doorway = Doorway(address, on_demand=True, file=f"/v/{name}")
        door = self.keeper.open(VassalId("dir:///v", name), doorway)
        self.addCleanup(door.close)
        return door

    def test_second(self) -> None:
        """
        The second vassal at the same socket, however it is spelled, is refused at each
        start, with the name of who has it, and nobody knocks there.
        """
        (self.place / "link").symlink_to(self.place)
        first = self.door("a\n.ini", UnixAddress(self.path))
        for path in (self.path, os.fsencode(self.place / "link" / "." / "a.sock")):
            second = self.door("b.ini", UnixAddress(path))
            self.assertFalse(second.on_demand)
            for _ in range(2):
                said = str(self.assertRaises(Closed, second.listening))
                name = r"a\n.ini"
                expected = f"cannot listen on {os.fsdecode(path)}: vassal {name} has it already"
                self.assertEqual(expected, said)
        listener = socket(fileno=os.dup(first.listening()))
        self.addCleanup(listener.close)
        listener.setblocking(False)
        self.assertRaises(BlockingIOError, listener.accept)

    def test_refused(self) -> None:
        """
        Of a vassal that must not be started the door stays closed, so it does not sleep;
        each start asks again.
        """
        self.refused.add("/v/a.ini")
        door = self.door("a.ini", UnixAddress(self.path))
        self.assertEqual((False, False), (door.on_demand, os.path.exists(self.path)))
        said = str(self.assertRaises(Closed, door.listening))
        self.assertEqual("/v/a.ini belongs to the user root", said)
        self.refused.clear()
        door.listening()
        self.assertTrue(door.on_demand)

    def test_leaves(self) -> None:
        """
        When the first one leaves the second one can have the place; that the second one
        leaves changes nothing.
        """
        for address in (UnixAddress(self.path), UnixAddress(b"\0" + self.path)):
            first, second = self.door("a.ini", address), self.door("b.ini", address)
            second.close()
            self.assertRaises(Closed, second.listening)
            first.close()
            self.assertGreater(second.listening(), 0)
            self.assertRaises(Closed, first.listening)

    def test_elsewhere(self) -> None:
        """
        Other places are free, and what is no vassal's is told by the system.
        """
        self.door("a.ini", UnixAddress(self.path))
        self.assertGreater(self.door("b.ini", UnixAddress(self.path + b"2")).listening(), 0)
        taken = open_listener(TcpAddress("127.0.0.1", 0), mode=0, backlog=5)
        self.addCleanup(taken.close)
        door = self.door("c.ini", TcpAddress("127.0.0.1", taken.getsockname()[1]))
        for _ in range(2):
            self.assertIn("in use", str(self.assertRaises(Closed, door.listening)))
