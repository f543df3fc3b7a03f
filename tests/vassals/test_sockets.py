"""
Tests for L{emperor.vassals.sockets}.
"""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.vassals.absence import Whereabouts
from emperor.vassals.sockets import LEFT_LIMIT, Sockets
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase

A, B, C = (VassalId("dir:///v", f"{name}.ini") for name in "abc")


class SocketsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.removed: list[bytes] = []
        self.whereabouts = Whereabouts()
        self.sockets = Sockets(self.whereabouts, self.removed.append)

    def read(self, id: VassalId, *texts: str) -> None:
        self.whereabouts.note(id, Phase.STARTING)
        self.sockets.read(id, frozenset(map(parse_address, texts)))

    def accept(self, id: VassalId, *texts: str) -> None:
        """
        A vassal reads its file and accepts.
        """
        self.read(id, *texts)
        self.sockets.arrived(id)
        self.whereabouts.note(id, Phase.ACCEPTING)

    def listener(self, text: str) -> VassalId | None:
        return self.whereabouts.listener(parse_address(text))


class LeftTests(SocketsCase):
    """
    The files of sockets that vassals had.
    """

    def test_another_socket(self) -> None:
        """
        When a vassal accepts with another socket the file of the old one goes; what
        is no file is left alone.
        """
        self.accept(A, "/a", "@a", ":80")
        self.read(A, "/b")
        self.assertEqual(([], A), (self.removed, self.listener("/a")))
        self.sockets.arrived(A)
        self.assertEqual(([b"/a"], None), (self.removed, self.listener("/a")))

    def test_a_broken_file(self) -> None:
        """
        What a broken file does not say any more goes with its vassal.
        """
        self.accept(A, "/a")
        for _ in range(3):
            self.read(A)
        self.assertEqual([], self.removed)
        self.sockets.left(A)
        self.assertEqual([b"/a"], self.removed)

    def test_handed_over(self) -> None:
        """
        A socket that another vassal has by now stays until that one goes.
        """
        self.accept(A, "/a")
        self.accept(B, "/a")
        self.accept(A, "/b")
        self.sockets.left(A)
        self.assertEqual([b"/b"], self.removed)
        self.sockets.left(B)
        self.assertEqual([b"/b", b"/a"], self.removed)

    def test_somebody_listened(self) -> None:
        """
        What could not be removed when a vassal left it is looked at again when the
        vassal goes, unless it is another one's.
        """
        self.accept(A, "/a")
        self.accept(A, "/b")
        self.accept(A, "/c")
        self.accept(B, "/b")
        self.removed.clear()
        self.sockets.left(A)
        self.assertEqual([b"/c", b"/a"], self.removed)

    def test_edited_for_ever(self) -> None:
        """
        However often a file is changed, only the latest sockets are kept in mind.
        """
        for number in range(LEFT_LIMIT + 10):
            self.accept(A, f"/{number}")
        self.removed.clear()
        self.sockets.left(A)
        self.assertEqual(LEFT_LIMIT + 1, len(self.removed))

    def test_fault(self) -> None:
        """
        One that cannot be removed is in the log, and the others are removed.
        """
        paths: list[bytes] = []

        def remove(path: bytes) -> None:
            paths.append(path)
            raise ValueError("no")

        sockets = Sockets(self.whereabouts, remove)
        sockets.read(A, frozenset(map(parse_address, ("/a", "/b"))))
        sockets.left(A)
        self.assertEqual({b"/a", b"/b"}, set(paths))
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))


class SharedTests(SocketsCase):
    """
    Vassals with the same socket.
    """

    def warnings(self) -> list[str]:
        return [formatEvent(event) for event in self.logged if event["log_level"].name == "warn"]

    def test_once(self) -> None:
        """
        The log says it when the second one is there, and not at each reload of
        either; a third one is another matter.
        """
        with capturedLogs() as self.logged:
            self.accept(A, "/a")
            self.accept(B, "/a", ":80")
            for id in (A, B, A):
                self.accept(id, "/a")
            [warning] = self.warnings()
            self.accept(C, "/a")
        self.assertIn("Vassal b.ini has the same socket as vassal a.ini, /a: ", warning)
        self.assertEqual(2, len(self.warnings()))

    def test_again(self) -> None:
        """
        Two that came apart and meet again are told of again.
        """
        with capturedLogs() as self.logged:
            self.accept(A, "/a")
            for _ in range(2):
                self.accept(B, "/a")
                self.accept(B, "/b")
        self.assertEqual(2, len(self.warnings()))

    def test_handed_over(self) -> None:
        """
        Who takes a socket from one that goes, or has another one now, shares nothing.
        """
        with capturedLogs() as self.logged:
            self.accept(A, "/a")
            self.read(A, "/b")
            self.accept(B, "/a")
            self.whereabouts.note(A, Phase.STOPPING)
            self.accept(C, "/b")
        self.assertEqual([], self.warnings())
