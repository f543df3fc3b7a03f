"""
Tests for L{emperor.identity}.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import tempfile
from pathlib import Path
from signal import SIGURG

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from emperor.identity import NOBODY, Identity, groups_of, identity_of, reading_as
from emperor.keeper.kernel import prctl
from emperor.wire.rights import User

#: Of C{prctl(2)}.
_SET_DEATH_SIGNAL = 1
_GET_DEATH_SIGNAL = 2
_GET_DUMPABLE = 3

#: Whom the system need not know.
WWW = Identity(12345, 12345)


class GroupsTests(SynchronousTestCase):
    def test_alone(self) -> None:
        """
        Only who is asked for with his groups has some, if the system knows him.
        """
        name = pwd.getpwuid(os.getuid()).pw_name
        uid, gid = os.getuid(), os.getgid()
        self.assertEqual([], groups_of(User(uid, gid)))
        self.assertEqual([], groups_of(User(4123456789, 5, with_groups=True)))
        known = groups_of(User(uid, gid, with_groups=True))
        self.assertEqual(os.getgrouplist(name, pwd.getpwuid(uid).pw_gid), known)
        self.assertEqual(Identity(7, 8), identity_of(User(7, 8)))


class ReadingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.place.chmod(0o755)
        self.file = self.place / "secret"
        self.file.write_text("hunter2")
        self.file.chmod(0o600)

    def may_read(self, identity: Identity | None) -> bool:
        """
        Whether somebody can read the file.
        """
        try:
            with reading_as(identity):
                return bool(self.file.read_text())
        except PermissionError:
            return False

    def needs_root(self) -> None:
        if os.geteuid():
            raise SkipTest("only root can read as somebody else")

    def test_ourselves(self) -> None:
        """
        As ourselves nothing is different.
        """
        self.assertTrue(self.may_read(None))

    def test_without_root(self) -> None:
        """
        Who is not root reads with his own rights, which are no secret to him.
        """
        self.patch(os, "geteuid", lambda: 1000)
        self.assertTrue(self.may_read(NOBODY))

    def test_modes(self) -> None:
        """
        The modes of the file and of its directory count as they do for that user, and
        his groups do, and not those of root.
        """
        self.needs_root()
        for identity, mode, owner, expected in (
            (WWW, 0o600, (0, 0), False),
            (WWW, 0o640, (0, 0), False),
            (WWW, 0o600, (12345, 0), True),
            (WWW, 0o077, (12345, 0), False),
            (WWW, 0o640, (0, 12345), True),
            (WWW, 0o640, (0, 777), False),
            (Identity(12345, 12345, (5, 777)), 0o640, (0, 777), True),
            (NOBODY, 0o640, (12345, 12345), False),
            (NOBODY, 0o604, (0, 0), True),
        ):
            os.chown(self.file, *owner)
            self.file.chmod(mode)
            self.assertEqual(expected, self.may_read(identity), (identity, oct(mode), owner))
        self.place.chmod(0o700)
        self.file.chmod(0o644)
        self.assertFalse(self.may_read(WWW))

    def test_afterwards(self) -> None:
        """
        Whatever happened, we are who we were.
        """
        self.needs_root()
        groups = os.getgroups()
        with self.assertRaises(KeyError), reading_as(Identity(12345, 12345, (777,))):
            self.assertEqual([777], os.getgroups())
            raise KeyError
        self.assertEqual(groups, os.getgroups())
        new = self.place / "new"
        new.touch()
        self.assertEqual((os.geteuid(), os.getegid()), (new.stat().st_uid, new.stat().st_gid))
        self.assertTrue(self.may_read(None))

    def test_remembered(self) -> None:
        """
        The process still dies with its parent, and can be looked at as before.
        """
        self.needs_root()
        number = ctypes.c_int()
        dumpable = prctl(_GET_DUMPABLE)
        prctl(_SET_DEATH_SIGNAL, SIGURG)
        self.addCleanup(prctl, _SET_DEATH_SIGNAL, 0)
        self.file.chmod(0o644)
        self.assertTrue(self.may_read(WWW))
        prctl(_GET_DEATH_SIGNAL, ctypes.addressof(number))
        self.assertEqual((SIGURG, dumpable), (number.value, prctl(_GET_DUMPABLE)))

    def test_refused(self) -> None:
        """
        If the kernel does not let us, nothing is read.
        """
        self.needs_root()

        def refuse(groups: object) -> None:
            raise PermissionError(1, "no")

        self.patch(os, "setgroups", refuse)
        self.file.chmod(0o644)
        self.assertFalse(self.may_read(WWW))
