"""
Tests for L{emperor.vassals.doorkeeper}.
"""

from __future__ import annotations

import socket

from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.doorways import Doorway
from emperor.vassals.doorkeeper import Doorkeeper
from emperor.vassals.doors import Closed, HeldDoor
from emperor.vassals.tyrant import NoOwner

ADDRESS = TcpAddress("127.0.0.1", 9000)


class DoorkeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.refused: set[str] = set()
        self.asked: list[Doorway] = []
        self.keeper = Doorkeeper(MemoryReactor(), self.listen, self.permit)

    def listen(self, doorway: Doorway) -> socket.socket:
        self.asked.append(doorway)
        made = socket.socket()
        self.addCleanup(made.close)
        return made

    def permit(self, file: str) -> None:
        if file in self.refused:
            raise NoOwner(f"{file} belongs to the user root")

    def door(self, file: str) -> HeldDoor:
        return self.keeper.open(Doorway(ADDRESS, on_demand=True, file=file))

    def why(self, door: HeldDoor) -> str:
        return str(self.assertRaises(Closed, door.listening))

    def test_refused(self) -> None:
        """
        Of a vassal that must not be started the door stays closed, so it does not sleep;
        each start asks again.
        """
        self.refused.add("/a.ini")
        door = self.door("/a.ini")
        self.assertEqual((False, False, []), (door.is_open, door.on_demand, self.asked))
        self.assertEqual("/a.ini belongs to the user root", self.why(door))
        self.refused.clear()
        door.listening()
        self.assertEqual((True, True), (door.is_open, door.on_demand))

    def test_taken(self) -> None:
        """
        One socket is one vassal's: the first one's, until it is gone.
        """
        first, second = self.door("/home/a/x.ini"), self.door("/home/b/x.ini")
        self.assertEqual(
            "127.0.0.1:9000 is the socket of the vassal of /home/a/x.ini, which came first",
            self.why(second),
        )
        first.close()
        second.listening()
        self.assertIn("/home/b/x.ini", self.why(self.door("/home/a/x.ini")))

    def test_same_vassal(self) -> None:
        """
        Whether a vassal may have its own address twice is for the system to say.
        """
        doors = [self.door("/a.ini"), self.door("/a.ini")]
        self.assertEqual(2, len(self.asked))
        self.assertTrue(all(door.is_open for door in doors))

    def test_no_permit(self) -> None:
        """
        A refused one takes nothing from the one that has the address.
        """
        first = self.door("/a.ini")
        self.refused.add("/b.ini")
        self.assertIn("root", self.why(self.door("/b.ini")))
        self.assertTrue(first.is_open)
