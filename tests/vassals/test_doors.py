"""
Tests for L{emperor.vassals.doors}.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import UnixAddress
from emperor.config.doorways import Doorway
from emperor.vassals.doors import NO_DOOR, Closed, HeldDoor


class HeldDoorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactor()
        self.place = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.path = self.place / "a.sock"
        self.doorway = Doorway(UnixAddress(os.fsencode(self.path)), on_demand=True)
        self.fault: Exception | None = None
        self.knocks = 0

    def door(self) -> HeldDoor:
        door = HeldDoor(self.reactor, self.doorway, self.listen)
        self.addCleanup(door.close)
        return door

    def listen(self, door: HeldDoor) -> socket.socket:
        if self.fault is not None:
            raise self.fault
        assert isinstance(door.address, UnixAddress)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(door.address.path)
        listener.listen()
        return listener

    def knocked(self) -> None:
        self.knocks += 1

    def test_open(self) -> None:
        """
        It is open from the beginning, and stays as it is.
        """
        door = self.door()
        verifyObject(IReadDescriptor, door)
        self.assertEqual((door.listening(), True), (door.fileno(), door.on_demand))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(bytes(self.path))
        self.assertEqual(self.doorway.address, door.address)

    def test_knock(self) -> None:
        """
        Who waits is called once, and is not bothered until it waits again.
        """
        door = self.door()
        door.watch(self.knocked)
        self.assertEqual([door], self.reactor.getReaders())
        door.doRead()
        self.assertEqual(([], 1), (self.reactor.getReaders(), self.knocks))
        door.watch(self.knocked)()
        self.assertEqual([], self.reactor.getReaders())

    def test_close(self) -> None:
        """
        Closed, it leaves nothing behind, whoever waited.
        """
        door = self.door()
        door.watch(self.knocked)
        door.close()
        door.close()
        self.assertEqual(([], False), (self.reactor.getReaders(), self.path.exists()))
        self.assertEqual((-1, False), (door.fileno(), door.on_demand))

    def test_file_of_another(self) -> None:
        """
        A socket that somebody else has opened in its place stays.
        """
        door = self.door()
        self.path.unlink()
        with self.listen(door):
            door.close()
            self.assertTrue(self.path.exists())

    def test_cannot_be_opened(self) -> None:
        """
        One that cannot be opened tells why at each start, until it can; as long
        nobody may sleep behind it.
        """
        self.fault = OSError("it is taken")
        door = self.door()
        self.assertFalse(door.on_demand)
        with self.assertRaisesRegex(Closed, "it is taken"):
            door.listening()
        self.fault = None
        self.assertGreater(door.listening(), 0)
        self.assertTrue(door.on_demand)

    def test_change(self) -> None:
        """
        The same socket may be on demand, and then not any more.
        """
        door = self.door()
        door.change(Doorway(self.doorway.address))
        self.assertFalse(door.on_demand)

    def test_trouble(self) -> None:
        """
        If the reactor drops it, that is told.
        """
        door = self.door()
        door.connectionLost(Failure(OSError("no")))
        self.assertEqual(f"door {self.path}", door.logPrefix())


class NoDoorTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """
        A vassal without a door opens its sockets itself, and nobody knocks.
        """
        NO_DOOR.watch(self.fail)()
        NO_DOOR.close()
        self.assertIsNone(NO_DOOR.listening())
        self.assertEqual((None, False), (NO_DOOR.address, NO_DOOR.on_demand))
