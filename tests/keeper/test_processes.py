"""
Tests for L{emperor.keeper.processes}.
"""

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper.processes import (
    Process,
    children,
    descendants,
    holders,
    holds,
    look,
    values,
)


class LookTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.proc = Path(self.mktemp())

    def add(self, pid: int, stat: str) -> None:
        (self.proc / str(pid)).mkdir(parents=True)
        (self.proc / str(pid) / "stat").write_text(stat)

    def test_look(self) -> None:
        """
        Parent, session and end of each process are found, whatever its name is.
        """
        self.add(7, "7 (sh) S 1 7 7 0 -1 4194304 1\n")
        self.add(8, "8 (a) Z 9 9 (b) Z 7 7 7 0 -1 1\n")
        (self.proc / "9").mkdir()
        (self.proc / "self").mkdir()
        table = look(str(self.proc))
        self.assertEqual({7: Process(7, 1, 7, False), 8: Process(8, 7, 7, True)}, table)

    def test_ourselves(self) -> None:
        """
        The real ones are found too.
        """
        self.assertEqual(os.getppid(), look()[os.getpid()].parent)

    def test_descendants(self) -> None:
        """
        All that came from a process is found once, and what is not there is not.
        """
        table = {pid: Process(pid, parent, 1, False) for pid, parent in ((2, 1), (3, 2), (4, 3))}
        table[5] = Process(5, 1, 1, False)
        self.assertEqual({2, 3, 4}, set(descendants(table, [2, 2, 77])))
        self.assertEqual([3, 4], sorted(descendants(table, [3, 4])))


class MarksTests(SynchronousTestCase):
    def test_variable(self) -> None:
        """
        A variable is found by its whole name, and each time that it is there.
        """
        proc = Path(self.mktemp())
        (proc / "7").mkdir(parents=True)
        (proc / "7" / "environ").write_bytes(b"A=1\0MARK=2=3\0MARKS=4\0MARK=5\0MARK")
        self.assertEqual([b"2=3", b"5", b""], values(7, b"MARK", str(proc)))
        self.assertEqual([], values(8, b"MARK", str(proc)))

    def test_children(self) -> None:
        """
        The kernel's list of children is read, where there is one.
        """
        proc = Path(self.mktemp())
        place = proc / "7" / "task" / "7"
        place.mkdir(parents=True)
        self.assertIsNone(children(7, str(proc)))
        (place / "children").write_text("12 9 ")
        self.assertEqual({9, 12}, children(7, str(proc)))

    def test_holders(self) -> None:
        """
        A process that has the socket open is found, and others are not.
        """
        proc = self.mktemp()
        for pid, target in (("12", "socket:[7]"), ("13", "socket:[8]"), ("self", "socket:[7]")):
            os.makedirs(os.path.join(proc, pid, "fd"))
            os.symlink(target, os.path.join(proc, pid, "fd", "3"))
        os.makedirs(os.path.join(proc, "14"))
        self.assertEqual([12], list(holders(7, proc)))

    def test_ourselves(self) -> None:
        """
        So it is with real ones.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.assertTrue(holds(os.getpid(), os.fstat(theirs.fileno()).st_ino))
        self.assertFalse(holds(os.getpid(), 0))
