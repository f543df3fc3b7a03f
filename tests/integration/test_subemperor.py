"""
Vassals that are Emperors themselves: uWSGIs with an C{emperor} of their own.
"""

from __future__ import annotations

import signal
from pathlib import Path

from tests.integration.programs import ProgramsTestCase, eventually
from tests.integration.servers import Emperor, debian_uwsgi, reference_uwsgi, vassal


class SubEmperorTests(ProgramsTestCase):
    """
    With Debian's uWSGI.
    """

    def binary(self) -> Path:
        """
        Which uWSGI.
        """
        return debian_uwsgi()

    async def begin(self, *options: str) -> int:
        """
        Start an Emperor whose only vassal is one that has a vassal.

        @return: the inner vassal's master.
        """
        self.inner = self.place / "inner"
        self.inner.mkdir()
        (self.inner / "www.ini").write_text(vassal())
        self.emperor = Emperor(self, f"binary-path = {self.binary()}", *options)
        self.write()
        await self.emperor.start().listens(self.emperor.port)
        await self.emperor.program.says("Vassal sub.ini accepts requests")
        return await self.master()

    def write(self, *lines: str) -> None:
        """
        Write the file of the Emperor inside.
        """
        text = ["[uwsgi]", f"emperor = {self.inner}", "emperor-freq = 1", *lines]
        (self.emperor.directory / "sub.ini").write_text("\n".join([*text, ""]))

    async def master(self, other: int = 0) -> int:
        """
        Wait until the inner vassal answers, with another master than this one.
        """
        reply = await self.emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["master"] != other,
            "answer of the inner vassal",
        )
        return int(reply.json["master"])

    async def test_life(self) -> None:
        """
        It says that it is loyal as soon as it runs; when its file changes it
        reloads in its own process, and its vassals with it; when the file goes all
        of them do.
        """
        inner = await self.begin()
        after = len(self.emperor.program.log)
        self.write("# changed")
        await self.emperor.program.says("Vassal sub.ini accepts requests", after=after)
        again = await self.master(inner)
        self.assertNotIn("died", self.emperor.program.log)
        self.assertNotIn("new start", self.emperor.program.log)
        self.assertNotIn(inner, self.processes())
        (self.emperor.directory / "sub.ini").unlink()
        await self.emperor.program.says("Vassal sub.ini is gone")
        self.assertNotIn(again, self.processes())

    async def test_stop(self) -> None:
        """
        It ends in peace together with the program, long before it would be killed.
        """
        await self.begin("emperor-graceful-shutdown = true")
        self.emperor.program.send(signal.SIGTERM)
        self.assertEqual(0, await self.emperor.program.end())
        self.assertIn("The Emperor is buried", self.emperor.program.log)
        self.assertEqual([], self.processes())

    async def test_kill(self) -> None:
        """
        Nothing is left of it, or of its vassals, when the program is killed.
        """
        self.assertIn(await self.begin(), self.processes())
        self.emperor.program.send(signal.SIGKILL)
        await eventually(lambda: not self.processes(), "nothing is left")


class ReferenceTests(SubEmperorTests):
    """
    With the last uWSGI, compiled from its source.
    """

    def binary(self) -> Path:
        """
        Which uWSGI.
        """
        return reference_uwsgi()
