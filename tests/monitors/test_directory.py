"""
Tests for L{emperor.monitors.directory}.
"""

import os

from emperor.config.settings import EmperorSettings
from emperor.monitors.directory import DirectoryMonitor
from tests.monitors.worlds import MonitorTestCase


class DirectoryMonitorTests(MonitorTestCase):
    def names(self, **options: tuple[str, ...]) -> list[str]:
        """
        The vassals in the directory.
        """
        settings = EmperorSettings(**options)  # type: ignore[arg-type]
        monitor = DirectoryMonitor(self.directory, self.clock, settings, watch=self.make_watch)
        monitor.start(self.realm)
        return self.realm.names

    def test_extensions(self) -> None:
        """
        Every kind of configuration file is a vassal, hidden ones too, and
        nothing else.
        """
        wanted = ["a.ini", "b.xml", "c.yml", "d.yaml", "e.js", "f.json", ".hidden.ini"]
        for name in [*wanted, "g.txt", "h.ini~", "ini", "i.INI"]:
            self.write(f"v/{name}")
        self.assertEqual(sorted(wanted), self.names())

    def test_modified(self) -> None:
        """
        It is known when a file was changed, a moment of the past too.
        """
        self.write("v/a.ini")
        os.utime(os.path.join(self.directory, "a.ini"), (5, 5.5))
        self.names()
        (spec,) = self.realm.reports[-1]
        self.assertEqual(5.5, spec.modified)

    def test_extra_extension(self) -> None:
        """
        C{emperor-extra-extension} adds to them.
        """
        self.write("v/a.ini")
        self.write("v/b.conf")
        self.assertEqual(["a.ini", "b.conf"], self.names(extra_extensions=(".conf",)))

    def test_no_files(self) -> None:
        """
        Directories are not vassals, and what is in them is not either.
        """
        self.write("v/sub.ini/a.ini")
        os.mkfifo(os.path.join(self.directory, "pipe.ini"))
        self.assertEqual([], self.names())

    def test_relative(self) -> None:
        """
        A relative path is one below the directory that we run in.
        """
        monitor = DirectoryMonitor("x/../v", self.clock, self.settings, watch=self.make_watch)
        self.assertEqual(f"dir://{os.getcwd()}/v", monitor.source)
