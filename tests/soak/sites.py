"""
The files of the sites, whole and broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
APPLICATION = HERE / "site.py"

#: The socket is the Emperor's, or the vassal opens it itself.
HELD = """\
[emperor]
hold-socket = {socket}
domain = {name}.test

"""
OWN = """\
[emperor]
domain = {name}.test

"""
#: A worker that is asked to leave before it listens to signals makes its master wait
#: for so long as the mercy says.
COMMON = """\
[uwsgi]
need-app = true
strict = true
master = true
processes = 2
worker-reload-mercy = 5
disable-logging = true
set-placeholder = site={name}
set-placeholder = edition={edition}
"""


class Fault(Enum):
    """
    What is wrong with a broken file, and the lines that make it so.
    """

    #: The application's text is no Python.
    SYNTAX = f"wsgi-file = {HERE / 'site.lua'}\n"
    #: There is no such module.
    MODULE = "module = there_is_no_such_module\n"
    #: There is no such file.
    MISSING = "wsgi-file = /there/is/no/such/file.py\n"
    #: There is a module, and no application in it.
    CALLABLE = f"wsgi-file = {APPLICATION}\ncallable = nothing\n"
    #: uWSGI has no such option.
    OPTION = f"wsgi-file = {APPLICATION}\nproceses = 2\n"
    #: The file is empty.
    EMPTY = ""
    #: The writer stopped in the middle.
    HALF = f"wsgi-file = {APPLICATION}"


@dataclass
class Site:
    """
    One site and what is expected of it.

    @ivar edition: the number of its last good configuration.
    @ivar is_removed: whether it may fail.
    """

    name: str
    place: Path
    held: bool
    edition: int = 0
    is_removed: bool = False

    @property
    def path(self) -> Path:
        """
        Its file.
        """
        return self.place / "vassals" / f"{self.name}.ini"

    @property
    def draft(self) -> Path:
        """
        Where the file is made before it is moved to its place.
        """
        return self.place / f"{self.name}.draft"

    @property
    def host(self) -> str:
        """
        By what clients know it.
        """
        return f"{self.name}.test"

    def next_edition(self) -> str:
        """
        A good configuration, another one each time.
        """
        self.edition += 1
        return self._head() + f"wsgi-file = {APPLICATION}\n" + self._tail()

    def broken(self, fault: Fault, random: Random) -> str:
        """
        A configuration with which no uWSGI can serve.
        """
        if fault is Fault.EMPTY:
            return ""
        if fault is Fault.HALF:
            return self._half(random)
        return f"{self._head()}{fault.value}"

    def _half(self, random: Random) -> str:
        """
        The beginning of a file; not one that is whole by chance, or that a
        uWSGI would take for a site without an application.
        """
        text = self._head() + Fault.HALF.value
        emperors, applications = text.index("[uwsgi]"), text.index("wsgi-file")
        return text[
            : random.choice(
                [random.randrange(emperors), random.randrange(applications, len(text) - 1)]
            )
        ]

    def _head(self) -> str:
        text = (HELD if self.held else OWN) + COMMON
        return text.format(
            socket=self.place / f"{self.name}.sock", name=self.name, edition=self.edition
        )

    def _tail(self) -> str:
        return "" if self.held else f"socket = {self.place / self.name}.sock\n"
