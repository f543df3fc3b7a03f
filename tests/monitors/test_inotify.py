"""
Tests for L{emperor.monitors.inotify}, with the real kernel and no reactor.
"""

import os
from typing import Any
from unittest.mock import patch

from twisted.internet import inotify
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs

from emperor.monitors.inotify import DirectoryWatch, NoWatch, make_watch
from emperor.monitors.settling import Change
from tests.monitors.worlds import MonitorTestCase


class InotifyTests(MonitorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.reactor: Any = MemoryReactorClock()
        self.heard: list[tuple[str, Change]] = []
        self.notifier = DirectoryWatch(self.reactor, self.hear)
        self.notifier.directories(frozenset({self.directory}))
        self.addCleanup(self.close)

    def hear(self, path: str, change: Change) -> None:
        self.heard.append((os.path.relpath(path, self.root), change))

    def close(self) -> None:
        self.notifier.close()
        self.reactor.advance(0)
        self.assertEqual([], self.reactor.getReaders())

    def changes(self, path: str = "v/a.ini") -> list[Change]:
        """
        What was heard of a path since the last call, without repetitions.
        """
        for reader in self.reactor.getReaders():
            reader.doRead()
        self.reactor.advance(0)
        found = [change for name, change in self.heard if name == path]
        self.heard.clear()
        return [change for index, change in enumerate(found) if change not in found[:index]]

    def test_write(self) -> None:
        """
        A file in writing is that until it is closed.
        """
        with open(os.path.join(self.directory, "a.ini"), "w") as file:
            file.write("x")
            file.flush()
            self.assertEqual([Change.WRITTEN], self.changes())
        self.assertEqual([Change.COMPLETE], self.changes())

    def test_rename(self) -> None:
        """
        A file that was moved here is complete; one that was moved away is gone.
        """
        path = self.write("a.ini")
        os.rename(path, os.path.join(self.directory, "a.ini"))
        self.assertEqual([Change.COMPLETE], self.changes())
        os.rename(os.path.join(self.directory, "a.ini"), path)
        self.assertEqual([Change.VANISHED], self.changes())

    def test_link(self) -> None:
        """
        Links are made in one step: nobody will close them.
        """
        path = self.write("a.ini")
        os.symlink(path, os.path.join(self.directory, "a.ini"))
        self.assertEqual([Change.OTHER], self.changes())
        os.link(path, os.path.join(self.directory, "b.ini"))
        self.assertEqual([Change.OTHER], self.changes("v/b.ini"))

    def test_touch(self) -> None:
        """
        Another time is heard of.
        """
        path = self.write("v/a.ini")
        self.changes()
        os.utime(path, (0, 0))
        self.assertEqual([Change.OTHER], self.changes())

    def test_other_directories(self) -> None:
        """
        From the next call on, other directories are watched and the former
        ones are not.
        """
        self.write("w/a.ini")
        self.notifier.directories(frozenset({os.path.join(self.root, "w")}))
        self.write("v/a.ini")
        self.assertEqual([], self.changes("v/a.ini"))
        self.write("w/a.ini")
        self.assertIn(Change.COMPLETE, self.changes("w/a.ini"))

    def test_deleted_and_made_again(self) -> None:
        """
        That a directory is deleted is heard, and the one that takes its place
        is watched when we are told to.
        """
        os.rmdir(self.directory)
        self.assertEqual([Change.OTHER], self.changes("v"))
        self.notifier.directories(frozenset({self.directory}))
        os.mkdir(self.directory)
        self.notifier.directories(frozenset({self.directory}))
        self.write("v/a.ini")
        self.assertIn(Change.COMPLETE, self.changes())

    def test_replaced(self) -> None:
        """
        Another directory of the same name is watched in place of the old one.
        """
        os.rename(self.directory, self.directory + "2")
        os.mkdir(self.directory)
        self.changes()
        self.notifier.directories(frozenset({self.directory}))
        self.write("v/a.ini")
        self.assertIn(Change.COMPLETE, self.changes())


class LimitTests(MonitorTestCase):
    def test_exhausted(self) -> None:
        """
        When the system has no more watches that is told once, and nothing
        fails.
        """
        watch = DirectoryWatch(MemoryReactorClock(), lambda path, change: None)
        trouble = inotify.INotifyError("no space")
        with patch.object(inotify, "INotify", side_effect=trouble), capturedLogs() as events:
            watch.directories(frozenset({self.directory}))
            watch.directories(frozenset({self.directory}))
        self.assertEqual(1, len(events))
        watch.close()

    def test_without(self) -> None:
        """
        Where there is no inotify, or no descriptors are read, the schedule has
        to do.
        """
        watch = make_watch(Clock(), lambda path, change: None)
        self.assertIsInstance(watch, NoWatch)
        watch.directories(frozenset({self.directory}))
        watch.close()
        with patch("emperor.monitors.inotify.inotify", None):
            self.assertIsInstance(make_watch(MemoryReactorClock(), watch.close), NoWatch)  # type: ignore[arg-type]
