"""
Zergs: real uWSGIs that call for help, and those that come.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred

from tests.integration.client import Reply
from tests.integration.programs import ProgramsTestCase, eventually
from tests.integration.servers import PROBE, Emperor, debian_uwsgi, reference_uwsgi

_VASSAL = """\
[uwsgi]
socket = %d../%n.sock
vassal-sos = 1
zerg-server = %d../%n.zergs
ini = :common

[zerg]
zerg = %d../%n.zergs
idle = {idle}
die-on-idle = true
ini = :common

[common]
if-not-plugin = python
plugin = python3
endif =
master = true
processes = 1
need-app = true
vacuum = true
wsgi-file = {probe}
site = {site}
"""


class ZergTestCase(ProgramsTestCase):
    """
    One vassal with one worker, and room for one zerg.
    """

    def binary(self) -> Path:
        """
        Which uWSGI.
        """
        return debian_uwsgi()

    def write(self, site: str = "first", idle: int = 2) -> None:
        """
        Write the vassal's file.
        """
        draft = self.place / "www.draft"
        draft.write_text(_VASSAL.format(idle=idle, probe=PROBE, site=site))
        draft.rename(self.emperor.directory / "www.ini")

    async def begin(self, idle: int = 2) -> int:
        """
        Start with one vassal that has one worker.

        @return: its master.
        """
        self.emperor = Emperor(
            self, f"binary-path = {self.binary()}", "emperor-broodlord = 1", "http-timeout = 60"
        )
        self.write(idle=idle)
        await self.emperor.start().listens(self.emperor.port)
        reply = await self.emperor.answers("www")
        return int(reply.json["master"])

    def keep_busy(self) -> Deferred[Reply]:
        """
        Keep one worker busy for some seconds.
        """
        return ensureDeferred(self.emperor.fetch("www", "/slow?seconds=2"))

    async def says(self, *sentences: str) -> None:
        """
        Wait for these in the log, one after the other.
        """
        program = self.emperor.program
        for sentence in sentences:
            await program.says(sentence)

    async def zerg(self, parent: int) -> int:
        """
        Wait for an answer of a zerg.

        @return: its master.
        """
        reply = await self.emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["master"] != parent,
            "answer of a zerg",
        )
        return int(reply.json["master"])

    async def load(self) -> None:
        """
        A vassal is overloaded for a while.
        """
        parent = await self.begin()
        busy = [self.keep_busy(), self.keep_busy()]
        await self.says("Vassal www.ini calls for help and gets www.ini:zerg")
        await self.says("Vassal www.ini:zerg accepts requests")
        zerg = await self.zerg(parent)
        self.assertEqual([200, 200], [(await each).status for each in busy])
        await self.says("Vassal www.ini:zerg is gone")
        self.assertNotIn(zerg, self.processes())
        self.assertEqual(parent, (await self.emperor.answers("www")).json["master"])


class ZergTests(ZergTestCase):
    """
    With Debian's uWSGI.
    """

    async def test_load(self) -> None:
        """
        While its only worker is busy a vassal calls, and a zerg takes its requests;
        when it has nothing to do it leaves, and the vassal serves on.
        """
        await self.load()

    async def test_edit(self) -> None:
        """
        A zerg follows when its parent's file changes, and both serve what is new;
        when the file goes both do.
        """
        parent = await self.begin(idle=60)
        busy = [self.keep_busy(), self.keep_busy()]
        await self.says("Vassal www.ini:zerg accepts requests")
        zerg = await self.zerg(parent)
        after = len(self.emperor.program.log)
        self.write(site="second", idle=60)
        await self.emperor.program.says("Vassal www.ini:zerg accepts requests", after=after)
        self.assertEqual([200, 200], [(await each).status for each in busy])
        found: set[int] = set()
        busy = [self.keep_busy()]
        while not found - {parent}:
            reply = await self.emperor.fetch("www")
            self.assertEqual((200, "second"), (reply.status, reply.json["site"]))
            found.add(reply.json["master"])
        self.assertNotIn(zerg, found)
        self.assertEqual(200, (await busy[0]).status)
        self.emperor.remove("www")
        await self.says("Vassal www.ini is gone", "Vassal www.ini:zerg is gone")
        self.assertFalse(found & set(self.processes()))

    async def test_kill(self) -> None:
        """
        A zerg that is killed is forgotten, and the next call brings another one;
        when the program is killed none is left.
        """
        parent = await self.begin(idle=60)
        busy = [self.keep_busy(), self.keep_busy()]
        await self.says("Vassal www.ini:zerg accepts requests")
        os.kill(await self.zerg(parent), signal.SIGKILL)
        await self.says("Vassal www.ini:zerg died: killed by SIGKILL")
        await self.says("Vassal www.ini:zerg is gone")
        for each in busy:
            await each.addErrback(lambda failure: None)
        after = len(self.emperor.program.log)
        busy = [self.keep_busy(), self.keep_busy()]
        await self.emperor.program.says("Vassal www.ini:zerg accepts requests", after=after)
        for each in busy:
            each.addErrback(lambda failure: None)
        self.emperor.program.send(signal.SIGKILL)
        await eventually(lambda: not self.processes(), "nothing is left")


class ReferenceTests(ZergTestCase):
    """
    With the last uWSGI, compiled from its source.
    """

    def binary(self) -> Path:
        """
        Which uWSGI.
        """
        return reference_uwsgi()

    async def test_load(self) -> None:
        """
        It calls, and leaves, in the same way.
        """
        await self.load()
