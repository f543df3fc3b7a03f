"""
A directory full of vassals that do nothing.

They are no uWSGI but C{bench/vassal.c}, which is compiled for the case: it says
what a uWSGI says and takes next to nothing, so that what is measured is their
Emperor.  What happens to them they write down themselves, with the time; so
nothing has to be asked of the Emperor, which would disturb it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.client import WrongAnswer
from bench.programs import CHECKOUT, Program, found

SOURCE = CHECKOUT / "bench" / "vassal.c"

#: The program of the vassals, beside the contenders' directories.
PROGRAM = "vassal"

#: Where a contender's vassals have their files, in its own directory.
DIRECTORY = "vassals"

#: What the vassals write down, in the same directory.
TOLD = "told"

#: Seconds for anything that concerns all vassals.
LIMIT = 120.0

#: Seconds between two looks at what the vassals have written down.
LOOK = 0.005


def file_names(count: int) -> list[str]:
    """
    The files of so many vassals.
    """
    return [f"site{number:05}.ini" for number in range(count)]


def furnish(stage: Path, place: Path, count: int) -> None:
    """
    Write the vassals' files, as if there never had been others.

    @param stage: where the vassals' program is; it is compiled if it is not.
    @param place: the contender's directory.
    """
    program = stage / PROGRAM
    if not program.exists():
        subprocess.run([found("cc"), "-O1", "-static", "-o", program, SOURCE], check=True)
    directory = place / DIRECTORY
    directory.mkdir(exist_ok=True)
    (place / TOLD).write_bytes(b"")
    for name in file_names(count):
        (directory / name).write_text(f"[uwsgi]\nsocket = /run/%n.sock\nchdir = /srv/{name}\n")


@dataclass(frozen=True, slots=True)
class Line:
    """
    What a vassal has written down.

    @ivar when: seconds, as C{time.monotonic} counts them.
    """

    what: str
    name: str
    when: float


def parse_line(line: bytes) -> Line:
    """
    Read a line as C{bench/vassal.c} writes it.
    """
    what, name, when = line.decode().split()
    return Line(what, name, float(when))


class Told:
    """
    Follows what vassals write down.
    """

    def __init__(self, path: Path, emperor: Program) -> None:
        self._path = path
        self._emperor = emperor
        self._offset = 0

    def skip(self) -> None:
        """
        What was told so far is of no interest.
        """
        self._offset = self._path.stat().st_size

    def wait(self, what: str, names: Iterable[str], limit: float = LIMIT) -> float:
        """
        Wait until each of these vassals has told this.

        @return: when the last one did.
        @raise WrongAnswer: some did not in time.
        """
        missing, last = set(names), 0.0
        end = time.monotonic() + limit
        while True:
            for line in self._lines():
                if line.what == what and line.name in missing:
                    missing.discard(line.name)
                    last = max(last, line.when)
            if not missing:
                return last
            if not self._emperor.running:
                raise WrongAnswer("the program has ended")
            if time.monotonic() > end:
                raise WrongAnswer(f"no word {what!r} of {len(missing)} vassals in {limit:g} s")
            time.sleep(LOOK)

    def _lines(self) -> Iterator[Line]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            *lines, _ = file.read().split(b"\n")
        for line in lines:
            self._offset += len(line) + 1
            yield parse_line(line)
