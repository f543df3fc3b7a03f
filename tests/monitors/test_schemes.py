"""
Tests for L{emperor.monitors.schemes}.
"""

import os

from emperor.monitors.directory import DirectoryMonitor
from emperor.monitors.globbing import GlobMonitor
from emperor.monitors.schemes import UnknownScheme, make_monitor
from tests.monitors.worlds import MonitorTestCase


class MakeMonitorTests(MonitorTestCase):
    def check(self, text: str, kind: type, source: str) -> None:
        """
        A text makes this kind of monitor with this source.
        """
        monitor = make_monitor(text, self.clock, self.settings)
        self.assertIsInstance(monitor, kind)
        self.assertEqual(source, monitor.source)

    def test_schemes(self) -> None:
        """
        A scheme says what kind it is.
        """
        self.check("dir:///etc/v", DirectoryMonitor, "dir:///etc/v")
        self.check("glob:///etc/v/*.ini", GlobMonitor, "glob:///etc/v/*.ini")
        self.check("DIR:///etc/v", DirectoryMonitor, "dir:///etc/v")

    def test_existing_directory(self) -> None:
        """
        An existing directory is one, whatever it is called.
        """
        for name in ("v", "x[1]", "y.ini"):
            path = os.path.join(self.root, name)
            os.makedirs(path, exist_ok=True)
            self.check(path, DirectoryMonitor, f"dir://{path}")

    def test_missing_directory(self) -> None:
        """
        A path that could be a directory is watched until it is one.
        """
        self.check("/no/such/v", DirectoryMonitor, "dir:///no/such/v")
        self.check("vassals.d", DirectoryMonitor, f"dir://{os.getcwd()}/vassals.d")

    def test_pattern(self) -> None:
        """
        Wildcards, and what looks like a configuration file, are patterns.
        """
        for text in ("/etc/v/*.ini", "v/[ab]", "/etc/v/?", "/etc/one.ini", "one.yaml"):
            self.check(text, GlobMonitor, f"glob://{text}")

    def test_unknown_scheme(self) -> None:
        """
        The error for another scheme names those that there are, and no secret.
        """
        error = self.assertRaises(
            UnknownScheme, make_monitor, "pg://password=x", self.clock, self.settings
        )
        self.assertEqual(
            "emperor = pg://…: not supported by this version; accepted: dir://, glob:// or a path",
            str(error),
        )

    def test_empty(self) -> None:
        """
        A scheme without a path is refused.
        """
        for text in ("dir://", ""):
            self.assertRaises(UnknownScheme, make_monitor, text, self.clock, self.settings)
