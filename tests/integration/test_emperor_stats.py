"""
The Emperor's statistics, as somebody meets them who looks.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from tests.integration.client import exchange, read_reply, request
from tests.integration.programs import (
    CHECKOUT,
    DEADLINE,
    LOOK,
    Program,
    ProgramsTestCase,
    eventually,
    free_port,
    reactor,
    unavailable,
)
from tests.integration.servers import Emperor
from tests.integration.test_stats import read


def uwsgitop() -> Path:
    """
    The program of that name.

    @raise SkipTest: there is none.
    """
    path = Path(sys.executable).with_name("uwsgitop")
    if not path.exists():
        raise unavailable(f"no {path}; it is made by: pip install uwsgitop")
    return path


class EmperorStatsCase(ProgramsTestCase):
    """
    A test that reads the Emperor's statistics.
    """

    async def serve(self, *names: str, options: tuple[str, ...] = ()) -> Emperor:
        """
        The program with these vassals.
        """
        self.stats = free_port()
        emperor = Emperor(self, f"emperor-stats = 127.0.0.1:{self.stats}", *options)
        await emperor.serve(*names)
        return emperor

    async def shown(self) -> Any:
        return json.loads(await exchange(self.stats, b""))

    async def until(self, id: str, **wanted: object) -> Any:
        """
        Read until a vassal is shown with these values.
        """
        end = reactor.seconds() + DEADLINE
        while reactor.seconds() < end:
            for vassal in (await self.shown())["vassals"]:
                found = {name: vassal[name] for name in wanted}
                if vassal["id"] == id and found == wanted:
                    return vassal
            await deferLater(reactor, LOOK)
        self.fail(f"never {wanted}: {await self.shown()}")


class EmperorStatsTests(EmperorStatsCase):
    """
    C{emperor-stats}.
    """

    async def test_life(self) -> None:
        """
        A vassal serves, reloads and dies; times are those of the clock.
        """
        began = int(reactor.seconds()) - 1
        emperor = await self.serve("www", options=("emperor-throttle = 60000",))
        vassal = await self.until("www.ini", phase="accepting", loyal=1)
        self.assertEqual((1, 1, 1), (vassal["ready"], vassal["accepting"], vassal["starts"]))
        self.assertEqual(str(emperor.directory), vassal["monitor"])
        self.assertEqual(os.getuid(), vassal["uid"])
        for name in ("first_run", "last_run", "last_ready", "last_accepting", "last_loyal"):
            self.assertTrue(began <= vassal[name] <= reactor.seconds(), name)
        path = emperor.directory / "www.ini"
        self.assertEqual(int(path.stat().st_mtime), vassal["last_mod"])
        os.utime(path, (1, 1))
        reloaded = await self.until("www.ini", respawns=1, accepting=1)
        self.assertEqual((vassal["born"], 1), (reloaded["born"], reloaded["last_mod"]))
        (emperor.directory / "bad.ini").write_text("[uwsgi]\nsocket = /nowhere/a.sock\n")
        bad = await self.until("bad.ini", phase="held back")
        self.assertEqual(-1, bad["pid"])
        self.assertGreater(bad["retry_at"], reactor.seconds())
        (entry,) = (await self.shown())["blacklist"]
        self.assertEqual(("bad.ini", 0), (entry["id"], entry["attempt"]))
        self.assertTrue(45_000 <= entry["throttle_level"] <= 60_000)

    async def test_attributes(self) -> None:
        """
        C{emperor-collect-attr}, at a UNIX socket.
        """
        path = self.place / "stats.sock"
        emperor = await self.serve(
            options=(f"emperor-stats = {path}", "emperor-collect-attr = customer")
        )
        emperor.add("www", "[emperor]", "customer = %n", "customer = 7", "domain = a.example")
        await self.until("www.ini", attrs={"customer": ["www", "7"]}, domains=["a.example"])
        shown = json.loads(await deferToThread(read, 1, str(path)))
        self.assertEqual([str(emperor.directory)], shown["emperor"])
        self.assertEqual([f"{self.place}/www.sock"], shown["vassals"][0]["addresses"])

    async def test_http(self) -> None:
        """
        C{stats-http} counts for it too.
        """
        await self.serve(options=("stats-http", "stats-minified"))
        answer = read_reply(await exchange(self.stats, request("a")))
        self.assertEqual("application/json", answer.header("Content-Type"))
        self.assertNotIn("\n", answer.text)
        self.assertEqual([], json.loads(answer.text)["vassals"])

    async def test_names_of_the_process(self) -> None:
        """
        C{emperor-pidfile} and C{emperor-procname}.
        """
        pidfile = self.place / "emperor.pid"
        emperor = await self.serve(
            options=(f"emperor-pidfile = {pidfile}", "emperor-procname = the-realm")
        )
        comm = Path(f"/proc/{emperor.program.pid}/comm")
        await eventually(lambda: comm.read_text("ascii") == "the-realm\n", "it has its name")
        self.assertEqual(f"{emperor.program.pid}\n", pidfile.read_text())
        await self.shown()  # By then it hears signals.
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(0, await emperor.program.end())
        self.assertFalse(pidfile.exists())


class UwsgitopTests(EmperorStatsCase):
    """
    The program uwsgitop, in a terminal.
    """

    def top(self, address: str) -> Program:
        """
        Start it.
        """
        program = Program("uwsgitop")
        self.programs.append(program)
        variables = {"TERM": "xterm", "LINES": "30", "COLUMNS": "200", "LANG": "C"}
        reactor.spawnProcess(
            program,
            sys.executable,
            [sys.executable, str(uwsgitop()), address],
            env={**os.environ, **variables},
            path=str(CHECKOUT),
            usePTY=True,
        )
        self.addCleanup(program.stop)
        return program

    async def sees(self, address: str, *texts: str) -> None:
        """
        Look once, and leave.
        """
        program = self.top(address)
        for text in texts:
            await program.says(text)
        assert program.transport is not None
        program.transport.write(b"q")
        self.assertEqual(0, await program.end())
        self.assertNotIn("Traceback", program.log)

    async def test_top(self) -> None:
        """
        It reads the Emperor's statistics, those of a vassal and a router's.
        """
        router, vassal = free_port(), free_port()
        emperor = await self.serve(options=(f"http-stats = 127.0.0.1:{router}",))
        emperor.add("www", f"stats = 127.0.0.1:{vassal}")
        shown = await self.until("www.ini", phase="accepting")
        pid = str(shown["pid"])
        await self.sees(f"127.0.0.1:{self.stats}", "emperor: [", "VASSAL", "www.ini", pid)
        await self.sees(f"127.0.0.1:{vassal}", "WID", "idle", f"masterpid: {pid}")
        await self.sees(f"127.0.0.1:{router}", f"masterpid: {emperor.program.pid}")
