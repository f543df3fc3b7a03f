"""
Tests for L{emperor.keeper.groups}.
"""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper.groups import Group, Groups, NoLimit, find_place
from emperor.wire.rights import GroupLimit

MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
31 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw
"""


class GroupsTests(SynchronousTestCase):
    """
    With a directory in place of the kernel's.
    """

    def setUp(self) -> None:
        self.place = self.mktemp()
        os.mkdir(self.place)

    def test_make(self) -> None:
        """
        Each vassal gets a group of its own, whose name shows its name as far
        as that goes.
        """
        groups = Groups(self.place)
        first, second = groups.make("a/b c.ini"), groups.make("a/b c.ini")
        assert first is not None and second is not None
        self.assertEqual("1-a_b_c.ini", os.path.basename(first.path))
        self.assertNotEqual(first.path, second.path)
        groups.remove()
        self.assertEqual([], os.listdir(self.place))

    def test_none(self) -> None:
        """
        Where there can be no groups there are none.
        """
        self.assertIsNone(Groups("").make("a.ini"))
        self.assertIsNone(Groups("/no/such/place").make("a.ini"))

    def test_stale(self) -> None:
        """
        Groups of a keeper that is gone are removed, and of no other one.
        """
        for pid in (2**30, 1):
            os.makedirs(os.path.join(self.place, f"vassals-{pid}", "1-a.ini"))
        groups = Groups(self.place)
        self.assertEqual({"vassals-1", os.path.basename(groups.path)}, set(os.listdir(self.place)))

    def test_members(self) -> None:
        """
        Members of groups in a group are its members.
        """
        group = Group(self.place)
        inner = Path(self.place) / "inner"
        inner.mkdir()
        (Path(self.place) / "cgroup.procs").write_text("7\n8\n0\n")
        (inner / "cgroup.procs").write_text("9\n")
        self.assertEqual([7, 8, 9], group.members())
        self.assertEqual([], Group("/no/such/group").members())

    def test_kill(self) -> None:
        """
        A group is killed by a word to the kernel.
        """
        (Path(self.place) / "cgroup.kill").touch()
        self.assertTrue(Group(self.place).kill())
        self.assertEqual("1", (Path(self.place) / "cgroup.kill").read_text())
        self.assertFalse(Group("/no/such/group").kill())

    def test_enter(self) -> None:
        """
        So it is entered.
        """
        Group(self.place).enter()
        self.assertEqual("0", (Path(self.place) / "cgroup.procs").read_text())

    def test_limit(self) -> None:
        """
        A limit is written into a group when its controller is there for it.
        """
        groups = Groups(self.place)
        group = groups.make("a.ini")
        assert group is not None
        for directory in (self.place, groups.path):
            (Path(directory) / "cgroup.subtree_control").write_text("memory cpu\n")
        groups.limit(group, GroupLimit("memory.max", "5"))
        self.assertEqual("5", (Path(group.path) / "memory.max").read_text())
        groups.limit(group, GroupLimit("pids.max", "5"))
        for directory in (self.place, groups.path):
            text = (Path(directory) / "cgroup.subtree_control").read_text()
            self.assertEqual("+pids", text)

    def test_no_limit(self) -> None:
        """
        Where there can be none it says why.
        """
        limit = GroupLimit("memory.max", "5")
        error = self.assertRaises(NoLimit, Groups("").limit, None, limit)
        self.assertIn("cgroup v2", str(error))
        groups = Groups(self.place)
        error = self.assertRaises(NoLimit, groups.limit, groups.make("a.ini"), limit)
        self.assertEqual("memory.max: No such file or directory", str(error))

    def test_make_room(self) -> None:
        """
        If the kernel wants nobody in a group that is divided, the program
        moves, and nobody else does.
        """
        groups = Groups(self.place)
        (Path(self.place) / "cgroup.procs").write_text(f"1\n{os.getpid()}\n")
        groups._make_room()
        room = Path(self.place) / f"program-{os.getppid()}"
        self.assertEqual(str(os.getpid()), (room / "cgroup.procs").read_text())


class PlaceTests(SynchronousTestCase):
    def place(self, cgroup: str, mounts: str = MOUNTS, systemd: str = "/nowhere") -> str:
        proc = Path(self.mktemp())
        proc.mkdir()
        (proc / "mountinfo").write_text(mounts)
        (proc / "cgroup").write_text(cgroup)
        return find_place(str(proc), systemd)

    def test_own_group(self) -> None:
        """
        Vassals' groups are in that of the program.
        """
        self.assertEqual("/sys/fs/cgroup/system.slice/e", self.place("0::/system.slice/e\n"))
        self.assertEqual("/sys/fs/cgroup", self.place("2:cpu:/x\n0::/\n"))

    def test_nowhere(self) -> None:
        """
        Without cgroup v2 there is no place.
        """
        self.assertEqual("", self.place("2:cpu:/x\n"))
        self.assertEqual("", self.place("0::/x\n", MOUNTS.splitlines()[0]))
        self.assertEqual("", find_place("/no/such/place"))

    def test_systemd(self) -> None:
        """
        Under systemd a group that was not delegated is left alone.
        """
        self.assertEqual("", self.place("0::/x\n", systemd="/"))
