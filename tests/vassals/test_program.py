"""
Tests for L{emperor.vassals.program}.
"""

import os

from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.commandline import Program
from emperor.vassals.program import NoProgram, find_program

WHEEL = "#!{python}\nimport sys\nfrom pyuwsgi import run\nsys.exit(run())\n"


class FindProgramTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        self.beside = os.path.join(self.directory, "venv", "python")
        for name in ("venv", "path"):
            os.makedirs(os.path.join(self.directory, name))

    def install(self, place: str, text: str = "\x7fELF", mode: int = 0o755) -> str:
        """
        Install a program called uwsgi.
        """
        path = os.path.join(self.directory, place, "uwsgi")
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def find(self, binary: str = "") -> Program:
        return find_program(binary, self.beside, os.path.join(self.directory, "path"))

    def test_option(self) -> None:
        """
        C{binary-path} wins over everything.
        """
        self.install("venv")
        self.assertEqual(Program("/bin/sh"), self.find("/bin/sh"))

    def test_option_by_name(self) -> None:
        """
        C{binary-path} may be a name that is found on PATH.
        """
        self.assertEqual(Program(self.install("path")), self.find("uwsgi"))

    def test_beside_python(self) -> None:
        """
        The uwsgi that pip installed beside our Python wins over PATH.
        """
        self.install("path")
        self.assertEqual(Program(self.install("venv")), self.find())

    def test_on_path(self) -> None:
        """
        The last resort is PATH; a file that cannot be executed is passed over.
        """
        self.install("venv", mode=0o644)
        self.assertEqual(Program(self.install("path")), self.find())

    def test_missing(self) -> None:
        """
        If there is none, the error says what to do.
        """
        error = self.assertRaises(NoProgram, self.find)
        self.assertIn("pip install txemperor[uwsgi]", str(error))
        self.assertIn("binary-path = ", str(error))

    def test_missing_option(self) -> None:
        """
        A C{binary-path} that does not exist is named.
        """
        error = self.assertRaises(NoProgram, self.find, "/no/such/uwsgi")
        self.assertIn("binary-path = /no/such/uwsgi", str(error))

    def test_wheel(self) -> None:
        """
        The script of the wheel is told its own interpreter, for its reloads.
        """
        path = self.install("venv", WHEEL.format(python="/venv/bin/python3"))
        self.assertEqual(Program(path, ("--set", "binary-path=/venv/bin/python3")), self.find())

    def test_wheel_in_a_long_path(self) -> None:
        """
        The form that pip writes when the interpreter's path is long.
        """
        long = "/" + "x" * 200 + "/python3"
        text = f"#!/bin/sh\n'''exec' \"{long}\" \"$0\" \"$@\"\n' '''\nfrom pyuwsgi import run\n"
        path = self.install("venv", text)
        self.assertEqual(Program(path, ("--set", f"binary-path={long}")), self.find())

    def test_other_script(self) -> None:
        """
        Another script is started as it is.
        """
        path = self.install("venv", "#!/usr/bin/python3\nimport this\n")
        self.assertEqual(Program(path), self.find())
