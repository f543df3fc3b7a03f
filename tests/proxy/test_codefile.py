"""
A function in a file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.errors import ConfigurationError
from emperor.config.settings import CodeSource
from emperor.proxy.alarm import TookTooLong
from emperor.proxy.codefile import CodeFile

GOOD = "def get(key):\n    return key + '{}'\n"


class CodeFileTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        self.path = directory / "mapper.py"
        self.clock = Clock()
        self.file = CodeFile(CodeSource(str(self.path), "get"), self.clock)

    def write(self, text: str) -> None:
        """
        Write the file anew, as an editor does.
        """
        draft = self.path.with_suffix(".draft")
        draft.write_text(text)
        draft.rename(self.path)


class LoadTests(CodeFileTestCase):
    def refusal(self) -> str:
        return str(self.assertRaises(ConfigurationError, self.file.load))

    def test_loaded(self) -> None:
        """
        The function is what the file defines.
        """
        self.write(GOOD.format(1))
        self.assertEqual(self.file.load()("a"), "a1")

    def test_own_rules(self) -> None:
        """
        The file has its own future statements, its own name, and may define
        data classes.
        """
        self.write(
            "from dataclasses import dataclass\n"
            "@dataclass\nclass Site:\n    name: str\n"
            "def get(key: str):\n    return Site(key), get.__annotations__, __file__, __name__\n"
        )
        site, annotations, path, name = self.file.load()("a")
        self.assertEqual(site.name, "a")
        self.assertEqual(annotations, {"key": str})
        self.assertEqual((path, name), (str(self.path), "codemapper_mapper"))

    def test_refused(self) -> None:
        """
        File, line and reason of what cannot be loaded; nothing of it stays.
        """
        sys.modules.pop("codemapper_mapper", None)
        for text, line, part in (
            ("x = 1\ndef get(key)\n", 2, "SyntaxError: expected ':'"),
            ("x = 1\ny = 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
            ("def f():\n    raise OSError\n\nf()\n", 2, "cannot be loaded: OSError"),
            ("import no_such_module\n", 1, "ModuleNotFoundError"),
            ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
            ("raise KeyboardInterrupt\n", 1, "KeyboardInterrupt"),
            ("def other(key): pass\n", 0, "defines no get"),
            ("get = 3\n", 0, "get in it is no function"),
            ("\0", 0, "cannot be loaded"),
        ):
            self.write(text)
            where = f"{self.path}:{line}: " if line else f"{self.path}: "
            refusal = self.refusal()
            self.assertTrue(refusal.startswith(where), refusal)
            self.assertIn(part, refusal)
            self.assertNotIn("codemapper_mapper", sys.modules)

    def test_missing(self) -> None:
        """
        A file that is not there is named.
        """
        self.assertEqual(self.refusal(), f"{self.path}: cannot be read: No such file or directory")


class ChangeTests(CodeFileTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(GOOD.format(1))
        self.file.load()

    def told(self) -> str:
        return str(self.file.current()("a"))

    def test_change(self) -> None:
        """
        A change is seen, a second later at most, whatever it changes.
        """
        self.write(GOOD.format(2))
        self.assertEqual(self.told(), "a1")
        self.clock.advance(1)
        self.assertEqual(self.told(), "a2")
        status = self.path.stat()
        self.write(GOOD.format(3))
        os.utime(self.path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.clock.advance(1)
        self.assertEqual(self.told(), "a3")

    def test_seldom(self) -> None:
        """
        It is not looked at more often than that.
        """
        self.clock.advance(1)
        self.told()
        self.write(GOOD.format(2))
        self.clock.advance(0.9)
        self.assertEqual(self.told(), "a1")

    def test_unchanged(self) -> None:
        """
        What has not changed is not loaded again: its state stays.
        """
        before = self.file.current()
        self.clock.advance(10)
        self.assertIs(self.file.current(), before)

    def test_broken(self) -> None:
        """
        What cannot be loaded leaves the function as it was, is logged once
        with the place, and is loaded when it is whole.
        """
        self.write("def get(key):\n    return 1 /\n")
        for _ in range(3):
            self.clock.advance(1)
            self.assertEqual(self.told(), "a1")
        (logged,) = self.flushLoggedErrors(SyntaxError)
        self.assertIn("mapper.py, line 2", logged.getTraceback())
        self.write(GOOD.format(2))
        self.clock.advance(1)
        self.assertEqual(self.told(), "a2")

    def test_endless(self) -> None:
        """
        A load that does not end is ended, and leaves the function, too.
        """
        self.file = CodeFile(CodeSource(str(self.path), "get", timeout=0.01), self.clock)
        self.file.load()
        self.write("while True: pass\n")
        with capturedLogs() as logs:
            self.clock.advance(1)
            self.assertEqual(self.told(), "a1")
        self.assertEqual(len(self.flushLoggedErrors(TookTooLong)), 1)
        self.assertIn(
            "mapper.py:1: cannot be loaded: it takes longer than 0.01 s; the function that was"
            " loaded before stays",
            formatEvent(logs[0]),
        )

    def test_gone(self) -> None:
        """
        A file that has gone leaves the function, too.
        """
        self.path.unlink()
        self.clock.advance(1)
        self.assertEqual(self.told(), "a1")
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.write(GOOD.format(2))
        self.clock.advance(1)
        self.assertEqual(self.told(), "a2")

    def test_not_loaded(self) -> None:
        """
        The first use loads it.
        """
        other = CodeFile(CodeSource(str(self.path), "get"), self.clock)
        self.assertEqual(other.current()("a"), "a1")
