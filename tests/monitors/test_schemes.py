"""
Tests for L{emperor.monitors.schemes}.
"""

import os

from emperor.config.values import SCHEMES
from emperor.monitors.directory import DirectoryMonitor
from emperor.monitors.globbing import GlobMonitor
from emperor.monitors.schemes import make_monitor
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

    def test_every_scheme(self) -> None:
        """
        Every scheme that the configuration accepts has its monitor.
        """
        for scheme in SCHEMES:
            make_monitor(f"{scheme}:///etc/v", self.clock, self.settings)
