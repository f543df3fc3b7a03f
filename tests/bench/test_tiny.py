"""
Tests for L{bench.tiny}.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench.client import WrongAnswer
from bench.programs import Program
from bench.tiny import DIRECTORY, PROGRAM, TOLD, Line, Told, file_names, furnish, parse_line
from emperor.wire.vassal import Order, Said


class FakeProgram:
    running = True


class ToldTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.write_bytes(b"")
        self.program = FakeProgram()
        self.told = Told(self.path, cast(Program, self.program))
        self.slept: list[Any] = []
        self.patch(time, "sleep", lambda seconds: self.slept.pop(0)())

    def tell(self, text: str) -> None:
        with self.path.open("a") as file:
            file.write(text)

    def test_line(self) -> None:
        """
        A line is what happened, to whom, and when.
        """
        self.assertEqual(Line("accepts", "a.ini", 12.5), parse_line(b"accepts a.ini 12.500000000"))

    def test_wait(self) -> None:
        """
        The last one counts, of those that are waited for, whatever else is told,
        and however its line is cut.
        """
        self.tell("accepts b.ini 1.0\nreloads a.ini 2.0\nacc")
        self.slept = [lambda: self.tell("epts a.ini 3.5\naccepts a.ini 9.0\n")]
        self.assertEqual(3.5, self.told.wait("accepts", ["a.ini", "b.ini"]))

    def test_skip(self) -> None:
        """
        What was told before does not count.
        """
        self.tell("reloads a.ini 2.0\n")
        self.told.skip()
        self.slept = [lambda: self.tell("reloads a.ini 7.0\n")]
        self.assertEqual(7.0, self.told.wait("reloads", ["a.ini"]))

    def test_late(self) -> None:
        """
        Nobody waits for ever, nor for vassals of a program that has ended.
        """
        self.slept = [lambda: None]
        self.assertRaises(WrongAnswer, self.told.wait, "accepts", ["a.ini"], limit=-1)
        self.program.running = False
        self.assertRaises(WrongAnswer, self.told.wait, "accepts", ["a.ini"])


class FurnishTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = Path(mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)

    def test_files(self) -> None:
        """
        Every round begins with the same files.
        """
        (self.place / PROGRAM).touch()
        for count in (3, 3):
            furnish(self.place, self.place, count)
            (self.place / TOLD).write_text("old")
        furnish(self.place, self.place, 3)
        self.assertEqual(file_names(3), sorted(os.listdir(self.place / DIRECTORY)))
        self.assertEqual("", (self.place / TOLD).read_text())

    def test_vassal(self) -> None:
        """
        The vassal says what a vassal says, writes down what happens, and leaves.
        """
        if not sys.platform.startswith("linux") or shutil.which("cc") is None:
            raise SkipTest("it is compiled with cc, for Linux")
        furnish(self.place, self.place, 1)
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        ours.settimeout(10)
        vassal = subprocess.Popen(
            [self.place / PROGRAM, "--ini", "site.ini"],
            cwd=self.place / DIRECTORY,
            env={"UWSGI_EMPEROR_FD": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
        )
        self.addCleanup(vassal.wait)
        self.addCleanup(vassal.kill)
        theirs.close()
        told = Told(self.place / TOLD, cast(Program, FakeProgram()))
        for word in (Said.READY, Said.ACCEPTING):
            self.assertEqual(b"", (self.place / TOLD).read_bytes())
            self.assertEqual(bytes([word]), ours.recv(1))
        self.assertGreater(told.wait("accepts", ["site.ini"], limit=10), 0)
        self.assertEqual(bytes([Said.LOYAL]), ours.recv(1))
        ours.send(bytes([Order.RELOAD]))
        self.assertEqual(bytes([Said.ACCEPTING]), ours.recv(1))
        self.assertLessEqual(told.wait("reloads", ["site.ini"], limit=10), time.monotonic())
        ours.send(bytes([Order.STOP]))
        self.assertEqual(0, vassal.wait(10))
