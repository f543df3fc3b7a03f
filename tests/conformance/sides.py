"""
Two Emperors beside each other, uWSGI's and ours, each with its own directory and
the same scripted vassals: what one does, the other one must do.

Which uWSGI is compared is the one that C{make} compiled; with
C{TXEMPEROR_REFERENCE=/usr/bin/uwsgi} another one.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, gatherResults

from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase, eventually
from tests.integration.servers import our_program, reference_uwsgi

T = TypeVar("T")

#: What an Emperor's vassals execute.
VASSAL = Path(__file__).parent / "scriptedvassal.py"

#: Seconds since the change of a file, unless a test says something else: an edit
#: is newer then, without waiting for the next second.
AGE = 1000

#: An entry of the record.
Entry = dict[str, Any]


def sockets(pid: int) -> list[str]:
    """
    The sockets that a process has open.
    """
    with suppress(OSError):  # One of them, or all, were closed meanwhile.
        links = [os.readlink(each.path) for each in os.scandir(f"/proc/{pid}/fd")]
        return [link for link in links if link.startswith("socket:")]
    return []


class Side:
    """
    One Emperor.

    @ivar ours: whether it is our Emperor.
    @ivar place: its own directory.
    @ivar vassals: the directory of its vassals.
    @ivar options: lines of its configuration.
    """

    def __init__(
        self, case: ProgramsTestCase, name: str, command: list[str | Path], *, ours: bool
    ) -> None:
        self.case = case
        self.ours = ours
        self.name = name
        self.place = case.place / name
        self.vassals = self.place / "v"
        self.vassals.mkdir(parents=True)
        self.record = self.place / "record"
        self.record.touch()
        self.record.chmod(0o666)
        self._command = command
        self._program: Program | None = None
        self._begun = 0
        self.wrapper = self.make_program("vassal")

    @property
    def program(self) -> Program:
        """
        The running Emperor.
        """
        assert self._program is not None, "start it first"
        return self._program

    def make_program(self, name: str) -> Path:
        """
        Make a program of that name that is a scripted vassal.
        """
        path = self.place / name
        # One that other users may execute; told to read nothing that it does not need,
        # it starts in no time.
        interpreter = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
        first = f"#!{interpreter} -IS\n"
        path.write_text(f"{first}{VASSAL.read_text()}\n\nmain({str(self.record)!r})\n")
        path.chmod(0o755)
        return path

    def start(
        self,
        *options: str,
        monitors: tuple[str, ...] = ("v",),
        environment: Mapping[str, str] | None = None,
        wrapped: bool = True,
        before: str = "",
    ) -> None:
        """
        Start the Emperor.

        @param options: further lines of its configuration; C{PLACE} stands for its
            directory.
        @param monitors: what it watches; relative to its directory.
        @param wrapped: whether the scripted vassal is its C{emperor-wrapper}.
        @param before: commands of the shell that starts it.
        """
        lines = ["[uwsgi]", "emperor-freq = 1", *options]
        lines += [f"emperor = {each}" for each in monitors]
        lines += [f"emperor-wrapper = {self.wrapper}"] if wrapped else []
        configuration = self.place / "emperor.ini"
        configuration.write_text("\n".join(lines).replace("PLACE", str(self.place)) + "\n")
        command = shlex.join(map(str, [*self._command, configuration]))
        script = f"cd {self.place}; {before or ':'}; exec {command}"
        self._program = self.case.start(
            self.name,
            ["sh", "-c", script],
            environment={"PYTHONPATH": str(CHECKOUT), **(environment or {})},
            gently=False,  # uWSGI's takes two seconds.
        )

    def write(self, name: str, *instructions: str, text: str = "", age: float = AGE) -> Path:
        """
        Put a vassal's file in the place of what is there, in one step.

        @param text: what is in it besides the instructions.
        @param age: seconds since its change.
        """
        path = self.place / name if "/" in name else self.vassals / name
        path.parent.mkdir(exist_ok=True)
        draft = self.place / "draft"
        draft.write_text("".join([f"#: {line}\n" for line in instructions]) + text)
        self.set_age(draft, age)
        draft.rename(path)
        return path

    def set_age(self, path: Path, seconds: float) -> None:
        """
        Let a file be C{seconds} old; of a link, the link.
        """
        time = self._now() - seconds
        os.utime(path, (time, time), follow_symlinks=False)

    def _now(self) -> float:
        probe = self.place / "now"
        probe.touch()
        return probe.stat().st_mtime

    def entries(self, vassal: str = "", what: str = "") -> list[Entry]:
        """
        What is recorded of a vassal, or of all; of one kind, or of every one.
        """
        text = self.record.read_text()
        whole = text[: text.rfind("\n") + 1]
        found = [json.loads(line) for line in whole.splitlines()]
        return [
            entry
            for entry in found
            if vassal in ("", entry["vassal"]) and what in ("", entry["what"])
        ]

    def heard(self, vassal: str) -> list[int | str]:
        """
        Every byte of the Emperor's, C{"end"} and names of signals, in order; C{"start"}
        stands for a new process.
        """
        return [entry.get(entry["what"], str(entry["what"])) for entry in self.entries(vassal)]

    async def until(self, look: Callable[[], T], what: str) -> T:
        """
        Wait until C{look} finds something.
        """
        return await eventually(look, f"{self.name}: {what}")

    async def started(self, vassal: str, times: int = 1) -> Entry:
        """
        Wait until a vassal has been started C{times} times.

        @return: what it was given, the last of these times.
        """
        found = await self.until(
            lambda: self.entries(vassal, "start")[times - 1 : times],
            f"{vassal} starts {times} times",
        )
        return found[0]

    async def hears(self, vassal: str, *heard: int | str) -> None:
        """
        Wait until a vassal has heard exactly this, from its first start on.

        @raise FailTest: also if it has heard something else.
        """
        expected = list(heard)
        await self.until(lambda: len(self.heard(vassal)) >= len(expected), f"{vassal}: {expected}")
        self.case.assertEqual(self.heard(vassal), expected, (self.name, vassal))

    async def says(self, theirs: str, ours: str) -> None:
        """
        Wait until the Emperor has printed the sentence that is its own.
        """
        await self.program.says(ours if self.ours else theirs)

    def tell(self, vassal: str) -> None:
        """
        Let a vassal do what it is instructed to do when it is C{told}.
        """
        os.kill(self.entries(vassal, "start")[-1]["pid"], signal.SIGUSR2)

    async def scans(self, times: int = 2) -> None:
        """
        Wait until the Emperor has looked at everything: what is not done then, it
        does not do.  Twice, for a file may have changed in the middle of a look.
        """
        for _ in range(times):
            self._begun += 1
            name = f"fence{self._begun}.ini"
            self.write(name)
            self.program.send(signal.SIGWINCH)
            await self.started(name)

    def forget(self) -> None:
        """
        Forget what is recorded.
        """
        os.truncate(self.record, 0)

    async def stop(self) -> int:
        """
        Stop the Emperor.

        @return: its exit status.
        """
        self.program.send(signal.SIGTERM)
        return await self.program.end()

    async def kill(self) -> None:
        """
        Kill the Emperor.
        """
        self.program.send(signal.SIGKILL)
        await self.program.end()

    def plain(self, value: T) -> T:
        """
        A value of the record without this Emperor's directory.
        """
        text = json.dumps(value).replace(str(self.place), "PLACE")
        result: T = json.loads(text)
        return result


class SidesTestCase(ProgramsTestCase):
    """
    A test of both Emperors.
    """

    def setUp(self) -> None:
        """
        Make both, which do not run yet.
        """
        super().setUp()
        self.place.chmod(0o755)
        self.theirs = self.make_theirs("theirs")
        self.ours = self.make_ours("ours")

    def make_theirs(self, name: str, program: str | Path = "") -> Side:
        """
        Make an Emperor of uWSGI's.

        @param program: by default the one that is compared.
        """
        program = program or os.environ.get("TXEMPEROR_REFERENCE") or reference_uwsgi()
        return Side(self, name, [program, "--ini"], ours=False)

    def make_ours(self, name: str) -> Side:
        """
        Make an Emperor of ours.
        """
        return Side(self, name, [*our_program(), "--config"], ours=True)

    async def both(self, step: Callable[[Side], Awaitable[T]]) -> tuple[T, T]:
        """
        Do something with both at the same time.

        @return: what came out, of theirs and of ours.
        """
        theirs, ours = await self.each([self.theirs, self.ours], step)
        return theirs, ours

    async def each(self, sides: list[Side], step: Callable[[Side], Awaitable[T]]) -> list[T]:
        """
        Do something with several at the same time.
        """
        running = [Deferred.fromCoroutine(_as_coroutine(step, side)) for side in sides]
        found: list[T] = await gatherResults(running, consumeErrors=True).addErrback(_unwrap)
        return found

    async def same(self, step: Callable[[Side], Awaitable[T]]) -> T:
        """
        Do something with both, of which the same must come out.

        @return: what came out, with C{PLACE} for the directory of each.
        """
        theirs, ours = await self.both(step)
        found, other = self.theirs.plain(theirs), self.ours.plain(ours)
        self.assertEqual(found, other)
        return found


def _as_coroutine(
    step: Callable[[Side], Awaitable[T]], side: Side
) -> Coroutine[Deferred[Any], Any, T]:
    async def run() -> T:
        return await step(side)

    return run()


def _unwrap(failure: Any) -> Any:
    return failure.value.subFailure
