"""
Tests for L{emperor.monitors.fingerprint}.
"""

import os
from collections.abc import Callable

from emperor.monitors.fingerprint import Fingerprint, take
from tests.monitors.worlds import MonitorTestCase

TIME = 1_700_000_000_000_000_000


class TakeTests(MonitorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.write("v/a.ini", time_ns=TIME)

    def changed(self, change: Callable[[], object], nofollow: bool = False) -> bool:
        """
        Whether what happens changes the fingerprint, and does so once.
        """
        before = take(self.path, nofollow)
        self.assertEqual(before, take(self.path, nofollow))
        change()
        after = take(self.path, nofollow)
        self.assertEqual(after, take(self.path, nofollow))
        return before != after

    def test_edit(self) -> None:
        """
        Another text is a change, also with the old time.
        """
        self.assertTrue(self.changed(lambda: self.write("v/a.ini", "other text", TIME)))

    def test_times(self) -> None:
        """
        A newer, an older and a time in the same second are changes.
        """
        for time in (TIME + 10**9, TIME - 10**12, TIME - 10**12 + 1):
            self.assertTrue(self.changed(lambda time=time: os.utime(self.path, ns=(time, time))))  # type: ignore[misc]

    def test_other_file(self) -> None:
        """
        Another file with the same size and time in its place is a change.
        """
        other = self.write("other", time_ns=TIME)
        self.assertTrue(self.changed(lambda: os.rename(other, self.path)))

    def test_mode(self) -> None:
        """
        Another mode is no change of the configuration.
        """
        self.assertFalse(self.changed(lambda: os.chmod(self.path, 0o600)))

    def test_program(self) -> None:
        """
        Where it matters, whether it can be executed is one, also behind a link.
        """
        link = os.path.join(self.directory, "link")
        os.symlink(self.path, link)
        for path in (self.path, link):
            os.chmod(self.path, 0o644)
            before = take(path, magic_exec=True)
            os.chmod(self.path, 0o600 | 0o044)
            self.assertEqual(before, take(path, magic_exec=True))
            os.chmod(self.path, 0o755)
            self.assertNotEqual(before, take(path, magic_exec=True))

    def test_no_file(self) -> None:
        """
        What is no file cannot be a vassal, and what is missing raises.
        """
        self.assertIsNone(take(self.directory))
        os.symlink(self.directory, self.path + ".link")
        self.assertIsNone(take(self.path + ".link"))
        self.assertRaises(FileNotFoundError, take, self.path + "x")


class LinkTests(TakeTests):
    """
    All of it holds for what a link leads to.
    """

    def setUp(self) -> None:
        super().setUp()
        os.rename(self.path, os.path.join(self.root, "target"))
        os.symlink("../target", self.path)

    def test_edit(self) -> None:
        """
        Another text in the target is a change.
        """
        self.assertTrue(self.changed(lambda: self.write("target", "other text", TIME)))

    def test_target(self) -> None:
        """
        Another target is a change, even if it is the same file.
        """
        os.link(os.path.join(self.root, "target"), os.path.join(self.root, "again"))
        os.symlink("../again", self.path + ".new")
        self.assertTrue(self.changed(lambda: os.rename(self.path + ".new", self.path)))

    def test_dangling(self) -> None:
        """
        A link that leads nowhere is a missing file.
        """
        os.unlink(os.path.join(self.root, "target"))
        self.assertRaises(FileNotFoundError, take, self.path)

    def test_nofollow(self) -> None:
        """
        Without following links, the target means nothing, also when it is gone.
        """
        self.assertFalse(self.changed(lambda: self.write("target", "other"), nofollow=True))
        self.assertFalse(
            self.changed(lambda: os.unlink(os.path.join(self.root, "target")), nofollow=True)
        )
        self.assertIsInstance(take(self.path, nofollow=True), Fingerprint)
        self.assertTrue(
            self.changed(
                lambda: os.utime(self.path, ns=(TIME, TIME), follow_symlinks=False), nofollow=True
            )
        )
