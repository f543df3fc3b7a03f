"""
L{emperor.config.sources}
"""

from __future__ import annotations

import fcntl
import io
import os
from typing import Any
from unittest.mock import patch

from emperor.config import sources
from emperor.config.sources import SIZE_LIMIT, Sources, StaticSources, read_head, read_regular
from tests.config.fixtures import HERE, ConfigurationCase

#: A signal that does nothing, unlike the usual one of a lease.
_QUIET = 23


class ReadTests(ConfigurationCase):
    """
    Reading a file without waiting, whatever it is.
    """

    def test_head(self) -> None:
        """
        As much as is wanted, and of which file it is.
        """
        path = os.path.join(self.cwd, self.write("f", "text"))
        content, status = read_head(path, 3)
        self.assertEqual((b"tex", os.stat(path).st_ino), (content, status.st_ino))

    def test_not_opened(self) -> None:
        """
        What is no regular file is not opened: that would be noticed.
        """
        path = os.path.join(self.cwd, "fifo")
        os.mkfifo(path)
        opened: list[int] = []
        real = os.open

        def spy(path: str, flags: int, *rest: Any) -> int:
            opened.append(flags)
            return real(path, flags, *rest)

        self.patch(os, "open", spy)
        for each in (path, "/dev/zero"):
            self.assert_refused("not a regular file", read_regular, each, HERE)
        self.assertEqual([os.O_PATH, os.O_PATH], [flags & os.O_PATH for flags in opened])

    def test_lease(self) -> None:
        """
        A file that its user holds back is not waited for.
        """
        path = os.path.join(self.cwd, self.write("f", "text"))
        with open(path, "rb+") as file:
            fcntl.fcntl(file, fcntl.F_SETSIG, _QUIET)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            self.assert_refused("temporarily unavailable", read_regular, path, HERE)
        self.assertEqual(b"text", read_regular(path, HERE)[0])

    def test_nothing_now(self) -> None:
        """
        A file of the kernel's that has nothing to say yet is an error like others.
        """

        class Waiting(io.BytesIO):
            def read(self, size: int | None = -1) -> Any:
                return None

        path = os.path.join(self.cwd, self.write("f", "text"))
        with patch.object(sources, "open", lambda descriptor, _: Waiting(), create=True):
            self.assert_refused("there is nothing in it now", read_regular, path, HERE)


class SourcesTests(ConfigurationCase):
    """
    What stands in C{@(…)}.
    """

    def value(self, source: str) -> str | None:
        """
        The text of a source in a file of our own.
        """
        return Sources(self.surroundings({"A": "env"})).read(source, HERE)

    def test_file(self) -> None:
        """
        One line end at the end is taken off, and no more.
        """
        for content, text in (("a\n\n", "a\n"), ("a\r\n", "a\r"), ("a\r", "a"), ("", "")):
            self.assertEqual(self.value(self.write("f", content)), text)

    def test_command(self) -> None:
        """
        A shell's output, with our environment in our directory; how it
        ended does not matter.
        """
        self.assertEqual(self.value("exec://echo $A; exit 3"), "env")
        self.assertEqual(self.value("exec://pwd"), self.cwd)

    def test_command_too_long(self) -> None:
        """
        A command that prints or takes too much is ended.
        """
        self.patch(sources, "COMMAND_TIMEOUT", 0.05)
        self.assert_refused("took more than 0.05 seconds", self.value, "exec://sleep 60")
        self.patch(sources, "COMMAND_TIMEOUT", 60)
        self.assert_refused(f"more than {SIZE_LIMIT} bytes", self.value, "exec://yes")

    def test_distrust(self) -> None:
        """
        Commands in files that others may write are not run.
        """
        self.write("open.ini", "[uwsgi]\na = @(exec://echo x)\nb = @(f)", 0o666)
        self.write("f", "")
        lines = "a = @(exec://echo x)"
        self.assertEqual(self.read(lines), [("a", "x")])
        self.assert_refused(
            "open.ini:2: exec:// is refused: the file can be", self.read, "ini = open.ini"
        )
        judged = Sources(self.surroundings(uid=12345))
        judged.judge("test.ini", os.stat_result((0o644, 0, 0, 1, 54321, 0, 0, 0, 0, 0)))
        self.assert_refused("belongs to user 54321", judged.read, "exec://echo", HERE)

    def test_descriptor(self) -> None:
        """
        An open file by its number.
        """
        with open(os.path.join(self.cwd, self.write("f", "text"))) as file:
            self.assertEqual(self.value(f"fd://{file.fileno()}"), "text")
        self.assert_refused("a descriptor is a number", self.value, "fd://x/../../f")

    def test_refused(self) -> None:
        """
        Other schemes are refused by name.
        """
        for scheme in ("sym", "section", "data", "call"):
            self.assert_refused("inside the uwsgi program", self.value, f"{scheme}://x")
        self.assert_refused("http:// is not supported", self.value, "http://x")
        self.assert_refused("cannot be read: No such file", self.value, "no")

    def test_static(self) -> None:
        """
        Seen from outside, everything is left as written.
        """
        static = StaticSources(self.surroundings())
        self.assertIsNone(static.read("exec://touch was-run", HERE))
        self.assertEqual(os.listdir(self.cwd), [])
