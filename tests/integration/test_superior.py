"""
The whole program as a vassal: of uWSGI's Emperor, of our own, and of one who hands
the pipe on.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from twisted.internet.defer import ensureDeferred

from tests.integration.client import fetch
from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase, eventually, free_port
from tests.integration.servers import our_program, reference_uwsgi, until_answered, vassal

ENVIRONMENT = {"PYTHONPATH": str(CHECKOUT)}


class SubEmperor(ProgramsTestCase):
    """
    A test with a program of ours that has one site, and is described by a file in
    the directory of an outer Emperor.

    @ivar program: how it is started.
    """

    program: Sequence[str | Path] = (sys.executable, "-m", "emperor.ctl", "run")

    def setUp(self) -> None:
        super().setUp()
        self.edits = 0
        self.port = free_port()
        self.outside, inside = self.place / "outside", self.place / "inside"
        self.outside.mkdir()
        inside.mkdir()
        self.file = self.outside / "sub.ini"
        (inside / "www.ini").write_text(vassal())
        self.describe()

    def describe(self, *lines: str) -> None:
        """
        Write the file of the program.
        """
        own = [
            "[uwsgi]",
            "emperor = %d../inside",
            f"http = 127.0.0.1:{self.port}",
            "http = %d../sub.sock",
            f"http-to = {self.place}/www.sock",
            "heartbeat = 1",
            f"transport = {self.transport}",
        ]
        draft = self.place / "draft"
        draft.write_text("\n".join([*own, *lines, ""]))
        # uWSGI sees no change within a second.
        self.edits += 1
        written = draft.stat().st_mtime + 2 * self.edits
        os.utime(draft, (written, written))
        draft.rename(self.file)

    def wrapper(self) -> Path:
        """
        What the outer Emperor executes in place of uWSGI.
        """
        path = self.place / "wrapper"
        words = " ".join(f"'{word}'" for word in self.program)
        path.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        path.chmod(0o755)
        return path

    def uwsgi(self) -> Program:
        """
        Start uWSGI's Emperor above.
        """
        command = [*outer_uwsgi(self.outside), "--emperor-wrapper", self.wrapper()]
        return self.start("uwsgi", command, environment=ENVIRONMENT)

    def ours(self) -> Program:
        """
        Start an Emperor of ours above.
        """
        command = [*our_program(), "--emperor", self.outside, "--emperor-wrapper", self.wrapper()]
        return self.start("emperor", command, environment=ENVIRONMENT)

    async def master(self) -> int:
        """
        The number of the site's first process, when it answers.
        """
        number: int = (await until_answered(self.port, "www.test")).json["master"]
        return number

    def is_open(self) -> bool:
        """
        Whether somebody listens on the UNIX socket of the program.
        """
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.place / "sub.sock")) == 0

    async def alone(self, outer: Program) -> None:
        """
        Wait until nothing is left but the outer Emperor and what it needs itself.
        """

        def left() -> list[str]:
            return [line for line in map(command_line, self.processes()) if self._is_inner(line)]

        await eventually(lambda: not left(), "the program and its site have gone")
        self.assertIsNone(outer.status)
        self.assertEqual(list(self.place.glob("*.sock")), [])

    def _is_inner(self, line: str) -> bool:
        return any(word in line for word in ("sub.ini", "www.ini"))


def outer_uwsgi(directory: Path) -> list[str | Path]:
    """
    The command of an Emperor of uWSGI.
    """
    return [reference_uwsgi(), "--emperor", directory, "--emperor-freq", "1"]


def command_line(process: int) -> str:
    """
    The words of a process; empty: it has gone.
    """
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


class LifeTests(SubEmperor):
    """
    Start and end.
    """

    async def _live(self, outer: Program, loyal: str) -> None:
        await self.master()
        await outer.says(loyal)
        self.file.unlink()
        await self.alone(outer)
        self.assertIn("Vassal www.ini is gone", outer.log)

    async def test_of_uwsgi(self) -> None:
        """
        uWSGI's Emperor sees it loyal; when the file goes so does all of it.
        """
        await self._live(self.uwsgi(), "vassal sub.ini is now loyal")

    async def test_of_ours(self) -> None:
        """
        The same below our own Emperor.
        """
        await self._live(self.ours(), "Vassal sub.ini accepts requests")

    async def _kill(self, outer: Program) -> None:
        await self.master()
        outer.send(signal.SIGKILL)
        await eventually(lambda: not self.processes(), "nothing is left")

    async def test_killed_uwsgi(self) -> None:
        """
        When the outer Emperor is killed, nothing is left of anything.
        """
        await self._kill(self.uwsgi())

    async def test_killed_ours(self) -> None:
        """
        The same with our own Emperor.
        """
        await self._kill(self.ours())

    async def test_what_vassals_see(self) -> None:
        """
        A vassal of ours has our pipe, and neither it nor our own processes have
        that of the Emperor above.
        """
        outer = self.uwsgi()
        master = await self.master()
        inner = next(n for n in self.processes() if "sub.ini" in command_line(n))
        pipe = os.readlink(f"/proc/{inner}/fd/{self._variable(inner)}")
        others = set(self.processes()) - {inner, outer.pid}
        for process in others:
            found = [os.readlink(each) for each in Path(f"/proc/{process}/fd").iterdir()]
            self.assertNotIn(pipe, found, command_line(process))
            if process != master and "www.ini" not in command_line(process):
                self.assertEqual(self._variable(process), "", command_line(process))

    def _variable(self, process: int) -> str:
        entries = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        pairs = dict(entry.partition(b"=")[::2] for entry in entries)
        return pairs.get(b"UWSGI_EMPEROR_FD", b"").decode()


class ReloadTests(SubEmperor):
    """
    What a change of its own file does.
    """

    async def _reload(self, outer: Program, back: str = "") -> None:
        """
        @param back: what the outer Emperor prints of a vassal that has come back.
        """
        before = await self.master()
        limits = resource.prlimit(before, resource.RLIMIT_NOFILE)
        inner = [n for n in self.processes() if "sub.ini" in command_line(n)]
        # The same words: the site reloads, in its process.
        self.describe("# a remark")
        await outer.says("The configuration is the same")
        await outer.says("Vassal www.ini reloads")
        self.assertEqual(await self.master(), before)
        # Broken: nothing happens, and the outer Emperor waits for nothing.
        log = len(outer.log)
        self.describe("http-timeout = soon", "http = 127.0.0.1:1:1")
        await outer.says("The reload is refused")
        await outer.says(back, after=log)
        for problem in ("sub.ini:8: http-timeout", "sub.ini:9: http"):
            self.assertIn(problem, outer.log)
        self.assertEqual(await self.master(), before)
        # Good: who asks meanwhile waits.
        other = free_port()
        self.describe(f"http = 127.0.0.1:{other}")
        # Now the routers have gone.
        await outer.says("Vassal www.ini is asked to leave")
        reply = await fetch(self.port, "www.test")
        self.assertEqual(reply.status, 200, reply.text)
        after = reply.json["master"]
        self.assertNotEqual(after, before)
        self.assertEqual(resource.prlimit(after, resource.RLIMIT_NOFILE), limits)
        await until_answered(other, "www.test")
        self.assertTrue(self.is_open())
        now = [n for n in self.processes() if "sub.ini" in command_line(n)]
        self.assertEqual(now, inner)
        self.file.unlink()
        await self.alone(outer)

    async def test_below_uwsgi(self) -> None:
        """
        The same, a broken and another configuration, asked for by uWSGI.
        """
        await self._reload(self.uwsgi())

    async def test_below_ours(self) -> None:
        """
        The same by our own Emperor.
        """
        await self._reload(self.ours(), "Vassal sub.ini accepts requests")

    async def test_processes(self) -> None:
        """
        A router of several processes, and a program that has a file for its number:
        twistd writes it again.
        """
        number = self.place / "pid"
        words = [f"--pidfile={number}" if w == "--pidfile=" else w for w in our_program()]
        self.program = words
        self.describe("http-processes = 2")
        outer = self.ours()
        before = await self.master()
        pid = number.read_text()
        self.describe("http-processes = 2", "http-timeout = 9")
        # Now the routers have gone.
        await outer.says("Vassal www.ini is asked to leave")
        reply = await fetch(self.port, "www.test")
        self.assertEqual(reply.status, 200, reply.text)
        self.assertNotEqual(reply.json["master"], before)
        self.assertEqual(number.read_text(), pid)
        self.assertTrue(self.is_open())
        self.file.unlink()
        await self.alone(outer)
        self.assertFalse(number.exists())

    async def test_requests_in_flight(self) -> None:
        """
        A request that is being answered when the program starts again is answered.
        """
        outer = self.ours()
        await self.master()
        request = ensureDeferred(fetch(self.port, "www.test", "/slow?seconds=2"))
        await outer.says("a slow answer begins")
        self.describe("http-timeout = 9")
        await outer.says("The configuration is another one")
        self.assertEqual((await request).text, "begun\nended\n")
        await self.master()

    async def test_stop_while_it_starts_again(self) -> None:
        """
        Who is asked to leave while it is about to come back does not come back.
        """
        outer = self.ours()
        await self.master()
        ensureDeferred(fetch(self.port, "www.test", "/slow?seconds=2"))
        await outer.says("a slow answer begins")
        self.describe("http-timeout = 9")
        await outer.says("The configuration is another one")
        self.file.unlink()
        await outer.says("the program does not start again")
        await self.alone(outer)
        self.assertEqual(outer.log.count("starting up."), 2)


class ProxyTests(SubEmperor):
    """
    The pipe from somebody who hands it on.
    """

    async def test_of_uwsgi(self) -> None:
        """
        It waits for the one who has the pipe; then it hears what the Emperor tells
        that one, and is heard.
        """
        proxy = self.place / "proxy"
        inner = self.start(
            "emperor",
            [*our_program(), "--config", self.file],
            environment={**ENVIRONMENT, "UWSGI_EMPEROR_PROXY": str(proxy)},
        )
        await self.master()
        await inner.says(f"No pipe to the Emperor from {proxy}: No such file or directory")
        above = self.place / "above"
        above.mkdir()
        middle = above / "middle.ini"
        middle.write_text(f"[uwsgi]\nmaster = true\nemperor-proxy-socket = {proxy}\n")
        outer = self.start("uwsgi", outer_uwsgi(above), gently=False)
        await inner.says("has handed the pipe to the Emperor over")
        await outer.says("vassal middle.ini is now loyal")
        written = middle.stat().st_mtime + 2
        os.utime(middle, (written, written))
        await inner.says("The configuration is the same")
        came = "Vassal www.ini accepts requests"
        await eventually(lambda: inner.log.count(came) == 2, "the site has reloaded")
        middle.unlink()
        self.assertEqual(await inner.end(), 0)
