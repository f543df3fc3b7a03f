"""
Nothing of a vassal is left when the program has gone, however it went.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.integration.programs import ProgramsTestCase, eventually
from tests.integration.servers import Emperor, debian_uwsgi

STUBBORN = """\
#!/bin/sh
trap '' TERM INT HUP QUIT
exec 3>&-
setsid sleep 1000 &
(setsid sleep 1000 </dev/null >/dev/null 2>&1 &)
(env -i PATH=$PATH setsid sh -c 'echo $$ >{pids}; exec sleep 1000' </dev/null >/dev/null 2>&1 &)
echo $$ >{pids}.first
while :; do sleep 1000; done
"""


class KilledProgramTests(ProgramsTestCase):
    """
    The program is killed without a chance to stop its vassals.
    """

    async def test_uwsgi(self) -> None:
        """
        Real uWSGI with an application that has started a program.
        """
        emperor = Emperor(self, f"binary-path = {debian_uwsgi()}")
        await emperor.serve("www", "shop")
        child = int((await emperor.fetch("www", "/child?seconds=600")).text)
        self.assertIn(child, self.processes())
        emperor.program.send(signal.SIGKILL)
        await self._all_gone()

    async def test_wheel(self) -> None:
        """
        The uWSGI of the package index.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        emperor.program.send(signal.SIGKILL)
        await self._all_gone()

    async def test_stubborn_program(self) -> None:
        """
        A program that is deaf to everything, and whose children leave its
        session, its parent, its pipe and its environment.
        """
        pids = await self._start_stubborn()
        self.emperor.program.send(signal.SIGKILL)
        await self._all_gone()
        for pid in pids:
            self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    async def test_stubborn_program_is_stopped(self) -> None:
        """
        The same when the program stops in peace.
        """
        pids = await self._start_stubborn("emperor-curse-tolerance = 1")
        self.emperor.program.send(signal.SIGTERM)
        self.assertEqual(0, await self.emperor.program.end())
        self.assertEqual([], self.processes())
        for pid in pids:
            self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    async def test_keeper(self) -> None:
        """
        If the keeper is killed, the vassals come back with another one.
        """
        emperor = Emperor(self, f"binary-path = {debian_uwsgi()}")
        await emperor.serve("www")
        before = (await emperor.fetch("www")).json["master"]
        keeper = int(Path(f"/proc/{before}/stat").read_text().rpartition(")")[2].split()[1])
        self.assertNotEqual(emperor.program.pid, keeper)
        os.kill(keeper, signal.SIGKILL)
        reply = await emperor.until(
            "www", lambda reply: reply.status == 200 and reply.json["master"] != before, "answer"
        )
        self.assertEqual(200, reply.status)
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(0, await emperor.program.end())
        self.assertEqual([], self.processes())

    async def _start_stubborn(self, *options: str) -> list[int]:
        script, pids = self.place / "stubborn", self.place / "pids"
        script.write_text(STUBBORN.format(pids=pids))
        script.chmod(0o755)
        self.emperor = Emperor(self, f"binary-path = {script}", *options)
        self.emperor.add("www")
        self.emperor.start()
        files = [pids, Path(f"{pids}.first")]
        await eventually(
            lambda: all(file.exists() and file.read_text() for file in files), "it runs"
        )
        return [int(file.read_text()) for file in files]

    async def _all_gone(self) -> None:
        await eventually(lambda: not self.processes(), "nothing is left")
