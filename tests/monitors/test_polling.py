"""
Tests for L{emperor.monitors.polling}, through the monitor of a directory.
"""

import os
import shutil
from unittest.mock import patch

from twisted.logger import capturedLogs, formatEvent
from zope.interface.verify import verifyObject

from emperor.config.settings import EmperorSettings
from emperor.interfaces import IMonitor
from emperor.monitors.directory import DirectoryMonitor
from emperor.monitors.fingerprint import Fingerprint
from emperor.monitors.pace import BURST, INTERVAL, REST
from emperor.monitors.settling import ABSENCE, PATIENCE, QUIET, Change
from tests.monitors.worlds import MonitorTestCase


class PollingTests(MonitorTestCase):
    stamp = 0

    def begin(self, settings: EmperorSettings | None = None) -> DirectoryMonitor:
        """
        Start a monitor of the directory.
        """
        monitor = DirectoryMonitor(
            self.directory, self.clock, settings or self.settings, watch=self.make_watch
        )
        verifyObject(IMonitor, monitor)
        monitor.start(self.realm)
        return monitor

    def test_first_look(self) -> None:
        """
        What is there is reported before C{start} returns.
        """
        self.write("v/a.ini")
        self.begin()
        self.assertEqual(["a.ini"], self.realm.names)
        (spec,) = self.realm.reports[0]
        self.assertEqual(
            (f"dir://{self.directory}", self.directory), (spec.id.monitor, spec.directory)
        )

    def test_schedule(self) -> None:
        """
        Without any hint, everything is looked at every few seconds.
        """
        self.begin()
        self.write("v/a.ini")
        self.clock.advance(2.9)
        self.assertEqual(1, len(self.realm.reports))
        self.clock.advance(0.2)
        self.assertEqual(["a.ini"], self.realm.names)

    def test_hint(self) -> None:
        """
        A hint makes the look come at once; several are one look.
        """
        path = self.write("v/a.ini", "one")
        self.begin()
        self.write("v/a.ini", "two and more")
        for _ in range(3):
            self.ring(path)
        self.clock.advance(QUIET * 1.1)
        self.clock.advance(1)
        self.assertEqual(2, len(self.realm.reports))
        self.assertEqual(2, len(set(self.fingerprints("a.ini"))))

    def test_writer(self) -> None:
        """
        A file is not looked at between two steps of its writer.
        """
        path = self.write("v/a.ini", "one")
        self.begin()
        self.ring(path, Change.WRITTEN)
        self.clock.advance(0.5)
        self.ring(path, Change.WRITTEN)
        self.clock.advance(1)
        self.assertEqual(1, len(self.realm.reports))
        self.ring(path, Change.COMPLETE)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(2, len(self.realm.reports))

    def test_slow_writer(self) -> None:
        """
        However long a file is in writing, the looks that come meanwhile take
        what else has changed, and the file when it is complete.
        """
        path = self.write("v/a.ini", "0")
        self.begin()
        for second in range(6):
            self.write("v/a.ini", "0" * (second + 2))
            self.ring(path, Change.WRITTEN)
            self.write(f"v/b{second}.ini")
            self.clock.pump([0.25] * 4)
        self.assertEqual(1, len(set(self.fingerprints("a.ini"))))
        self.assertIn("b0.ini", self.realm.names)
        self.ring(path, Change.COMPLETE)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(2, len(set(self.fingerprints("a.ini"))))

    def test_writer_delays_only_itself(self) -> None:
        """
        What changes beside a file that somebody keeps open is reported at once.
        """
        self.settings = EmperorSettings(frequency=3600)
        path = self.write("v/a.ini", "0")
        self.begin()
        self.write("v/a.ini", "0123")
        self.ring(path, Change.WRITTEN)
        self.ring(self.write("v/b.ini"))
        self.ring(path, Change.WRITTEN)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(["a.ini", "b.ini"], self.realm.names)
        self.assertEqual(1, len(set(self.fingerprints("a.ini"))))
        self.clock.advance(PATIENCE)
        self.assertEqual(2, len(set(self.fingerprints("a.ini"))))

    def touch(self, path: str, times: int, pause: float = 0.03) -> None:
        """
        Change a file again and again.
        """
        for _ in range(times):
            self.stamp += 1
            os.utime(path, ns=(self.stamp, self.stamp))
            self.ring(path, Change.OTHER)
            self.clock.pump([pause / 2] * 2)

    def test_busy_file(self) -> None:
        """
        A file that changes all the time is followed at once for a few times and then
        every second, without further looks; its last state counts.
        """
        self.settings = EmperorSettings(frequency=3600)
        path = self.write("v/a.ini")
        self.begin()
        self.touch(path, round(5 / 0.03))
        self.assertApproximates(BURST + 5 / INTERVAL, len(set(self.fingerprints("a.ini"))), 1)
        self.assertApproximates(BURST + 5 / INTERVAL, len(self.realm.reports), 1)
        self.clock.advance(INTERVAL)
        (spec,) = self.realm.reports[-1]
        self.assertEqual(self.stamp / 1e9, spec.modified)

    def test_busy_neighbour(self) -> None:
        """
        What others change meanwhile is reported as soon as without it.
        """
        busy, path = self.write("v/a.ini"), self.write("v/b.ini", "0")
        self.begin()
        self.touch(busy, 40)
        self.write("v/b.ini", "01")
        self.ring(path)
        self.touch(busy, 3, pause=0.002)
        self.assertEqual(2, len(set(self.fingerprints("b.ini"))))

    def test_busy_behind_links(self) -> None:
        """
        A vassal that is changed in other ways than by its file, such as through a
        directory that is a link, is not followed more often, whatever else causes
        a look; without further hints its last state counts.
        """
        self.settings = EmperorSettings(frequency=3600)
        for number in range(50):
            self.write(f"r{number}/a.txt", "0" * number)
        way = os.path.join(self.root, "current")
        os.symlink("r0", way)
        os.symlink(f"{way}/a.txt", os.path.join(self.directory, "a.ini"))
        self.begin()
        for number in range(1, 50):
            os.unlink(way)
            os.symlink(f"r{number}", way)
            self.ring(self.write(f"v/b{number}.ini"))
            self.clock.pump([0.01] * 3)
        self.assertApproximates(BURST + 2, len(set(self.fingerprints("a.ini"))), 1)
        self.clock.pump([INTERVAL] * 3)
        spec = self.realm.reports[-1][0]
        assert isinstance(spec.fingerprint, Fingerprint)
        self.assertEqual(49, spec.fingerprint.content.size)

    def test_slow_looks(self) -> None:
        """
        Where a look takes long, hints cause a look only after a multiple of that;
        the first hint acts at once.
        """
        self.settings = EmperorSettings(frequency=3600)
        self.begin()
        real = os.listdir

        def slow(path: str) -> list[str]:
            self.clock.rightNow += 0.02
            return real(path)

        with patch("os.listdir", slow):
            self.ring(self.write("v/a.ini"))
            self.clock.advance(QUIET * 1.1)
            self.assertEqual(["a.ini"], self.realm.names)
            self.ring(self.write("v/b.ini"))
            self.clock.advance(REST * 0.02 * 0.9)
            self.assertEqual(["a.ini"], self.realm.names)
            self.clock.advance(REST * 0.02 * 0.2)
        self.assertEqual(["a.ini", "b.ini"], self.realm.names)

    def test_asked_for(self) -> None:
        """
        A look that somebody has asked for takes what is left for later.
        """
        path = self.write("v/a.ini")
        monitor = self.begin()
        self.touch(path, 10)
        monitor.rescan()
        (spec,) = self.realm.reports[-1]
        self.assertEqual(self.stamp / 1e9, spec.modified)

    def test_writer_that_never_closes(self) -> None:
        """
        When it was quiet for long enough the file counts as it is, without a
        scheduled look.
        """
        self.settings = EmperorSettings(frequency=3600)
        path = self.write("v/new.ini")
        os.unlink(path)
        self.begin()
        self.write("v/new.ini")
        self.ring(path, Change.WRITTEN)
        self.clock.pump([PATIENCE * 0.9, PATIENCE * 0.2])
        self.assertEqual(["new.ini"], self.realm.names)

    def test_replacement(self) -> None:
        """
        A file that vanishes for a moment has not been removed.
        """
        path = self.write("v/a.ini")
        self.begin()
        os.rename(path, path + "~")
        self.ring(path, Change.VANISHED)
        self.clock.advance(ABSENCE * 0.9)
        self.write("v/a.ini", "other")
        self.ring(path)
        self.clock.advance(ABSENCE)
        self.assertEqual([1, 1], [len(report) for report in self.realm.reports])

    def test_other_files(self) -> None:
        """
        What happens to files that are no vassals is no reason to look.
        """
        self.begin()
        self.ring(os.path.join(self.directory, "log.txt"))
        self.clock.advance(1)
        self.assertEqual(1, len(self.realm.reports))

    def test_missing(self) -> None:
        """
        A directory that is not there is reported as that, watched for, and
        served as soon as it is there.
        """
        shutil.rmtree(self.directory)
        self.begin()
        self.assertEqual([f"{self.directory}: No such file or directory"], self.realm.troubles)
        self.assertEqual({self.root}, self.watch.wanted)
        self.write("v/a.ini")
        self.ring(self.directory, Change.OTHER)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(["a.ini"], self.realm.names)

    def test_disappearing(self) -> None:
        """
        A directory that disappears takes no vassal with it.
        """
        self.write("v/a.ini")
        self.begin()
        os.rename(self.directory, self.directory + "2")
        self.ring(self.directory, Change.OTHER)
        self.clock.advance(1)
        self.assertEqual((1, 1), (len(self.realm.reports), len(self.realm.troubles)))
        os.rename(self.directory + "2", self.directory)
        self.clock.advance(3)
        self.assertEqual(["a.ini"], self.realm.names)

    def test_unreadable(self) -> None:
        """
        A directory that may not be read is unavailable, with the reason.
        """
        self.write("v/a.ini")
        self.begin()
        trouble = PermissionError(13, "Permission denied", self.directory)
        with patch("os.listdir", side_effect=trouble):
            self.clock.advance(3)
        self.assertEqual([f"{self.directory}: Permission denied"], self.realm.troubles)

    def test_one_unreadable_file(self) -> None:
        """
        A file that cannot be looked at keeps its vassal and hurts no other; it
        is told once.
        """
        self.write("v/a.ini")
        monitor = self.begin()
        self.write("v/b.ini")
        real = os.lstat

        def lstat(path: str) -> os.stat_result:
            if path.endswith("a.ini"):
                raise PermissionError(13, "Permission denied", path)
            return real(path)

        with patch("os.lstat", lstat), capturedLogs() as events:
            monitor.rescan()
            monitor.rescan()
        self.assertEqual(["a.ini", "b.ini"], self.realm.names)
        self.assertEqual(1, len(events))
        self.assertIn("a.ini: Permission denied", formatEvent(events[0]))

    def test_links(self) -> None:
        """
        For a vassal that is a link, the places that it leads through are
        watched too.
        """
        target = self.write("elsewhere/a.txt")
        os.symlink(target, os.path.join(self.directory, "a.ini"))
        self.begin()
        self.assertEqual({self.directory, os.path.dirname(target)}, self.watch.wanted)
        self.ring(target)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual(2, len(self.realm.reports))

    def test_file_becomes_link(self) -> None:
        """
        So they are for a file that becomes a link, without waiting for the next
        scheduled look; and not any more when it is a file again.
        """
        self.settings = EmperorSettings(frequency=3600)
        path = self.write("v/a.ini")
        target = self.write("elsewhere/a.txt")
        self.begin()
        self.assertEqual({self.directory}, self.watch.wanted)
        os.unlink(path)
        os.symlink(target, path)
        self.ring(path)
        self.clock.advance(QUIET * 1.1)
        self.clock.advance(0)
        self.assertEqual({self.directory, os.path.dirname(target)}, self.watch.wanted)
        os.unlink(path)
        self.write("v/a.ini")
        self.ring(path)
        self.clock.advance(QUIET * 1.1)
        self.assertEqual({self.directory}, self.watch.wanted)

    def test_nofollow(self) -> None:
        """
        With C{emperor-nofollow} they are not, and a link that leads nowhere is
        a vassal.
        """
        os.symlink("/no/such/file", os.path.join(self.directory, "a.ini"))
        self.begin()
        self.assertEqual([], self.realm.names)
        self.begin(EmperorSettings(nofollow=True))
        self.assertEqual(["a.ini"], self.realm.names)
        self.assertEqual({self.directory}, self.watch.wanted)

    def test_stop(self) -> None:
        """
        After C{stop} nothing is reported, and nothing is left.
        """
        monitor = self.begin()
        self.ring(self.directory)
        monitor.stop()
        monitor.rescan()
        self.ring(self.directory)
        self.assertEqual(1, len(self.realm.reports))
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertTrue(self.watch.closed)

    def test_long_name(self) -> None:
        """
        A name for which uWSGI has no room is told, once.
        """
        self.write("v/" + "x" * 251 + ".ini")
        with capturedLogs() as events:
            monitor = self.begin()
            monitor.rescan()
        self.assertEqual([], self.realm.names)
        self.assertEqual(1, len(events))
