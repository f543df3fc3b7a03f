"""
Tests for L{emperor.pidfile}.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.pidfile import CannotWrite, PidFile


class PidFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def test_life(self) -> None:
        """
        It is there from the start to the stop, and not before.
        """
        service = PidFile(str(self.path))
        self.assertFalse(self.path.exists())
        service.privilegedStartService()
        self.assertEqual(f"{os.getpid()}\n", self.path.read_text())
        service.stopService()
        self.assertFalse(self.path.exists())

    def test_absolute(self) -> None:
        """
        A program that goes elsewhere finds it again.
        """
        service = PidFile(os.path.relpath(self.path))
        before = os.getcwd()
        os.chdir("/")
        try:
            service.privilegedStartService()
        finally:
            os.chdir(before)
        self.assertTrue(self.path.exists())

    def test_stale(self) -> None:
        """
        What an earlier program left is overwritten, and not before the start.
        """
        self.path.write_text("123456789\n")
        service = PidFile(str(self.path))
        self.assertEqual("123456789\n", self.path.read_text())
        service.privilegedStartService()
        self.assertEqual(f"{os.getpid()}\n", self.path.read_text())

    def test_somebody_elses(self) -> None:
        """
        A file that has another number meanwhile stays, and one that is gone is
        no trouble.
        """
        service = PidFile(str(self.path))
        service.privilegedStartService()
        self.path.write_text("1\n")
        service.stopService()
        self.assertEqual("1\n", self.path.read_text())
        self.path.unlink()
        service.stopService()

    def test_bad_places(self) -> None:
        """
        Where it cannot be is told at once, with the reason.
        """
        for path, why in (("/nowhere/a.pid", "No such file or directory"), ("/", "directory")):
            error = self.assertRaises(CannotWrite, PidFile, path)
            self.assertIn(f"emperor-pidfile: {path} cannot be written: ", str(error))
            self.assertIn(why, str(error))

    def test_stays(self) -> None:
        """
        One that cannot be removed any more is told.
        """
        service = PidFile(str(self.path))
        service.privilegedStartService()

        def refuse(path: str) -> None:
            raise PermissionError(13, "Permission denied")

        self.patch(os, "unlink", refuse)
        with capturedLogs() as logs:
            service.stopService()
        (said,) = map(formatEvent, logs)
        self.assertEqual(f"{self.path.absolute()} stays: Permission denied", said)
