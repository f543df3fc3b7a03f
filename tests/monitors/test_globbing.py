"""
Tests for L{emperor.monitors.globbing}.
"""

import os
import shutil
from unittest.mock import patch

from emperor.monitors.globbing import GlobMonitor
from emperor.monitors.settling import QUIET, Change
from tests.monitors.worlds import MonitorTestCase


class GlobMonitorTests(MonitorTestCase):
    def begin(self, pattern: str) -> GlobMonitor:
        """
        Start a monitor; a relative pattern is relative to the root.
        """
        monitor = GlobMonitor(
            pattern, self.clock, self.settings, directory=self.root, watch=self.make_watch
        )
        monitor.start(self.realm)
        return monitor

    def at(self, *names: str) -> set[str]:
        return {os.path.join(self.root, name) if name else self.root for name in names}

    def test_names(self) -> None:
        """
        A vassal is called as the pattern matched it, and starts where the
        pattern begins.
        """
        for name in ("v/a.ini", "v/b.txt", "w/c.ini", "v/deep/d.ini"):
            self.write(name)
        monitor = self.begin("*/*")
        self.assertEqual("glob://*/*", monitor.source)
        self.assertEqual(["v/a.ini", "w/c.ini"], self.realm.names)
        self.assertEqual({self.root}, {spec.directory for spec in self.realm.reports[0]})

    def test_absolute(self) -> None:
        """
        An absolute pattern gives absolute names.
        """
        path = self.write("v/a.ini")
        self.begin(f"{self.directory}/[a-c].ini")
        self.assertEqual([path], self.realm.names)

    def test_one_file(self) -> None:
        """
        A path without wildcards is a pattern that one file matches.
        """
        self.begin("v/a.ini")
        self.assertEqual([], self.realm.names)
        path = self.write("v/a.ini")
        self.ring(path)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(["v/a.ini"], self.realm.names)

    def test_not_recursive(self) -> None:
        """
        Two stars are like one.
        """
        self.write("v/a.ini")
        self.write("v/x/y/b.ini")
        self.begin("v/**/*.ini")
        self.assertEqual([], self.realm.names)

    def test_watched(self) -> None:
        """
        Every directory is watched in which a match may appear, or one on the
        way to it.
        """
        self.write("v/one/etc/a.ini")
        self.write("v/two/x.txt")
        self.begin("v/*/etc/*.ini")
        self.assertEqual(self.at("v", "v/one", "v/two", "v/one/etc"), self.watch.wanted)

    def test_new_directory(self) -> None:
        """
        A directory that appears where the pattern has a wildcard is looked
        into.
        """
        self.begin("v/*/*.ini")
        self.write("v/new/a.ini")
        self.ring(os.path.join(self.directory, "new"), Change.OTHER)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(["v/new/a.ini"], self.realm.names)

    def test_removed_file(self) -> None:
        """
        What no longer matches is no longer wanted.
        """
        path = self.write("v/a.ini")
        monitor = self.begin("v/*.ini")
        os.unlink(path)
        monitor.rescan()
        self.assertEqual([], self.realm.names)

    def test_missing(self) -> None:
        """
        Without the directory before the first wildcard the source is not
        available; it is watched for.
        """
        self.write("v/a.ini")
        monitor = self.begin("v/*.ini")
        shutil.rmtree(self.directory)
        monitor.rescan()
        self.assertEqual((1, 1), (len(self.realm.reports), len(self.realm.troubles)))
        self.assertEqual(self.at(""), self.watch.wanted)

    def test_unreadable_directory(self) -> None:
        """
        A directory that matched and may no longer be read keeps its vassals.
        """
        self.write("v/one/a.ini")
        self.write("v/two/b.ini")
        monitor = self.begin("v/*/*.ini")
        closed = os.path.join(self.directory, "one")
        real = os.scandir

        def scandir(path: str) -> object:
            if path == closed or str(path).endswith("v/one"):
                raise PermissionError(13, "Permission denied", path)
            return real(path)

        with patch("os.scandir", scandir), patch("glob.os.scandir", scandir):
            monitor.rescan()
        self.assertEqual(["v/one/a.ini", "v/two/b.ini"], self.realm.names)
