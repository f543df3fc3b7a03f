"""
Our reading of a file against that of the uWSGI on this machine.

uWSGI prints what it read with C{--show-config}; we print ours the same way
and the two texts must be equal.  Where we differ on purpose, a test in
tests/config/ says so.
"""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from shutil import which

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.loading import COMMAND_LINE, evaluate_file
from emperor.config.pairs import Pair
from emperor.config.surroundings import Surroundings
from tests.integration.programs import unavailable

HERE = Path(__file__).parent
UWSGI = which("/usr/bin/uwsgi") or which("uwsgi-core")
ENVIRON = {"A": "1", "B": "%(foo)", "HOME": "/root", "PATH": "/usr/bin:/bin"}

_LOADERS = {"yml": "yaml", "js": "json"}
_SILENT = ("show-config = true", "no-server = true")


def theirs(argument: str) -> str:
    """
    What uWSGI read, without the options that make it show that.
    """
    extension = argument.split(":", maxsplit=1)[0].rpartition(".")[2]
    loader = _LOADERS.get(extension, extension)
    assert UWSGI is not None
    done = subprocess.run(
        [UWSGI, "--show-config", "--no-server", f"--{loader}", argument],
        cwd=HERE,
        env=ENVIRON,
        capture_output=True,
        timeout=30,
        check=False,
    )
    output = done.stderr + done.stdout
    _, begun, rest = output.decode("utf-8", "surrogateescape").partition("\n[uwsgi]\n")
    shown, ended, _ = rest.partition(";end of configuration")
    assert begun and ended, output
    lines = shown.split("\n")
    assert tuple(lines[:2]) == _SILENT, shown
    return "\n".join(lines[3:])


def ours(argument: str) -> str:
    """
    What we read, as uWSGI shows it.
    """
    surroundings = Surroundings(
        cwd=str(HERE),
        environ=ENVIRON,
        hostname=platform.node(),
        uid=os.getuid(),
        gid=os.getgid(),
        user=Surroundings.of_this_process(0).user,
        group=Surroundings.of_this_process(0).group,
        cpus=os.cpu_count() or 1,
    )
    return shown(evaluate_file(argument, surroundings).pairs)


def shown(pairs: list[Pair]) -> str:
    """
    C{--show-config}'s form of a list of pairs.
    """
    return "".join(f"{pair.key} = {pair.value}\n" for pair in pairs)


class GoldenTests(SynchronousTestCase):
    """
    Each file means to us what it means to uWSGI.
    """

    def setUp(self) -> None:
        if UWSGI is None:
            raise unavailable("no uwsgi; as root: apt-get install uwsgi-core")

    def check(self, *arguments: str) -> None:
        """
        Compare one file after the other.
        """
        for argument in arguments:
            self.assertEqual(ours(argument), theirs(argument), argument)

    def test_lines(self) -> None:
        """
        Sections, comments, flags, blanks and odd bytes.
        """
        self.check("config/lines.ini", "config/crlf.ini", "config/bytes.ini")

    def test_sections(self) -> None:
        """
        A section can be asked for, and one that is missing is no error.
        """
        self.check("config/lines.ini:other", "config/lines.ini: uwsgi ", "config/nosection.ini")

    def test_magic(self) -> None:
        """
        A file by its name, by other names, by a link, through a linked
        directory.
        """
        self.check(
            "config/magic.v2.ini",
            "config/magic.v2.ini:uwsgi",
            "./config/../config/magic.v2.ini",
            "config/link.ini",
            "./config/link.ini",
            "config/linked/magic.v2.ini",
            "config/linked/link.ini",
            f"{HERE}/config/linked/link.ini",
            f"{HERE}//config/./link.ini",
        )

    def test_passes(self) -> None:
        """
        The environment, files, commands and placeholders in values.
        """
        self.check("config/environment.ini", "config/placeholders.ini", "config/sources.ini")

    def test_arithmetic(self) -> None:
        """
        Sums, from left to right.
        """
        self.check("config/arithmetic.ini", "config/operators.ini", "config/words.ini")

    def test_logic(self) -> None:
        """
        Loops, conditions, and what stands outside of them.
        """
        self.check("config/loops.ini", "config/conditions.ini", "config/stray.ini")

    def test_files(self) -> None:
        """
        Placeholders that are set, files included and inherited.
        """
        self.check("config/set.ini", "config/include.ini", "config/parts.ini:sub")

    def test_yaml(self) -> None:
        """
        Scalars stay text; repeats and blocks count.
        """
        self.check("config/yaml.yml", "config/text.yaml", "config/twice.yml")
        self.check("config/twice.yml:foo")

    def test_json(self) -> None:
        """
        Numbers stay text; true is 1; lists repeat; objects are passed over.
        """
        self.check("config/json.json")

    def test_xml(self) -> None:
        """
        An element is an option; a section is chosen by its id.
        """
        self.check("config/xml.xml", "config/ids.xml", "config/ids.xml:x", "config/ids.xml:y")
        self.check("config/ids.xml:nope")

    def test_difference(self) -> None:
        """
        The comparison sees a difference.
        """
        self.assertNotEqual(shown([Pair("a", "1", COMMAND_LINE)]), theirs("config/lines.ini"))
