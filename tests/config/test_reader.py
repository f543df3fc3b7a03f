"""
L{emperor.config.reader}
"""

from __future__ import annotations

import os

from emperor.config.loading import COMMAND_LINE, evaluate_file
from emperor.config.reader import parser_of, split_section
from emperor.config.sources import SIZE_LIMIT
from tests.config.fixtures import ConfigurationCase


class ReaderTests(ConfigurationCase):
    """
    One file into pairs.
    """

    def values(self, argument: str) -> list[str]:
        """
        The values of a file's options.
        """
        return [pair.value for pair in evaluate_file(argument, self.surroundings()).pairs]

    def notes(self, argument: str) -> list[str]:
        """
        What reading a file has to say.
        """
        return evaluate_file(argument, self.surroundings()).notes

    def test_sections(self) -> None:
        """
        C{[uwsgi]}, else C{[emperor]}; of both the first, and it is said.
        """
        self.write("e.ini", "[emperor]\na = e")
        self.write("b.ini", "[emperor]\na = e\n[uwsgi]\na = u\n[x]\na = %x")
        self.write("n.ini", "[x]\na = 1")
        self.assertEqual(self.values("e.ini"), ["e"])
        self.assertEqual(self.values("b.ini"), ["u"])
        self.assertEqual(self.values("b.ini:x"), ["x"])
        self.assertEqual(self.notes("b.ini"), ["b.ini: [uwsgi] is read, [emperor] is not"])
        self.assertEqual(self.notes("n.ini"), ["n.ini: there is no section [uwsgi] or [emperor]"])

    def test_byte_order_mark(self) -> None:
        """
        Differs from uWSGI, which finds no section behind one: a byte order
        mark is passed over.
        """
        self.write("bom.ini", b"\xef\xbb\xbf[uwsgi]\na = 1")
        self.assertEqual(self.values("bom.ini"), ["1"])

    def test_bytes(self) -> None:
        """
        Bytes that are no UTF-8 go through; NUL is refused with its line.
        """
        self.write("bytes.ini", b"[uwsgi]\na = \xff\xfe")
        self.assertEqual([os.fsencode(value) for value in self.values("bytes.ini")], [b"\xff\xfe"])
        self.write("nul.ini", b"[uwsgi]\na = \0")
        self.assert_refused("nul.ini:2: a NUL byte", self.values, "nul.ini")

    def test_unreadable(self) -> None:
        """
        What is no file of bounded length is refused in one line.
        """
        self.write("long.ini", "x" * (SIZE_LIMIT + 1))
        os.mkdir(f"{self.cwd}/dir.ini")
        os.mkfifo(f"{self.cwd}/fifo.ini")
        for name, reason in (
            ("long.ini", "is longer than"),
            ("dir.ini", "directory"),
            ("fifo.ini", "not a regular file"),
            ("no.ini", "No such file"),
            ("exec://x.ini", "only files can be loaded"),
        ):
            self.assert_refused(reason, self.values, name)

    def test_arguments(self) -> None:
        """
        A section follows the last colon that is not part of a directory.
        """
        self.assertEqual(split_section("a:b.ini:c"), ("a:b.ini", "c"))
        self.assertEqual(split_section("a:b/c.ini"), ("a:b/c.ini", ""))
        self.assertEqual(split_section("c.ini:"), ("c.ini", ""))

    def test_kinds(self) -> None:
        """
        The extension chooses the format.
        """
        for name in ("a.ini", "a.yml:x", "a.yaml", "a.js", "a.json", "a.xml"):
            parser_of(name, COMMAND_LINE)
        for name in ("a", "a.txt", "ini", "a.xmlconfig", "a.ini:b.ini:"):
            if name != "a.ini:b.ini:":
                self.assert_refused("unknown kind of file", parser_of, name, COMMAND_LINE)
