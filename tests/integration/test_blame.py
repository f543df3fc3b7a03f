"""
What is done about vassals that do not work, with a real uWSGI.
"""

from __future__ import annotations

import os
import signal

from tests.integration.programs import ProgramsTestCase, free_port
from tests.integration.servers import PROBE, Emperor


class HeartTests(ProgramsTestCase):
    async def test_silent_heart(self) -> None:
        """
        A vassal that is watched and whose workers hang is asked to reload; when
        that does not help it is killed, and then it answers again.
        """
        emperor = Emperor(self, "emperor-required-heartbeat = 2", "emperor-curse-tolerance = 2")
        emperor.add("www", "heartbeat = 1")
        await emperor.start().listens(emperor.port)
        before = (await emperor.answers("www")).json
        os.kill(before["worker"], signal.SIGSTOP)
        await emperor.program.says("www.ini: its heart has not beaten for 2 s")
        await emperor.program.says("www.ini reloads")
        await emperor.program.says("www.ini: its reload is not over after 2 s")
        await emperor.program.says("www.ini died: killed by SIGKILL")
        after = (await emperor.answers("www")).json
        self.assertNotEqual(after["master"], before["master"])

    async def test_beating_heart(self) -> None:
        """
        One whose workers live is let be.
        """
        emperor = Emperor(self, "emperor-required-heartbeat = 1.5")
        emperor.add("www", "heartbeat = 1")
        await emperor.start().listens(emperor.port)
        before = (await emperor.answers("www")).json
        emperor.add("shop")
        await emperor.answers("shop")
        emperor.remove("shop")
        await emperor.program.says("shop.ini is gone")
        self.assertEqual((await emperor.fetch("www")).json["worker"], before["worker"])
        self.assertNotIn("heart has", emperor.program.log)


class ReloadTests(ProgramsTestCase):
    async def test_what_went_wrong(self) -> None:
        """
        A reload into a broken file is told together with what the vassal said.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        emperor.add("www", "chdir = /no/such/place")
        await emperor.program.says("www.ini: its reload failed: exit code")
        said = emperor.program.log.partition("(1 failed reloads); it said last: ")[2][:2000]
        self.assertIn("/no/such/place", said)

    async def test_edit_ends_the_wait(self) -> None:
        """
        So does SIGURG, though the vassal dies again.
        """
        emperor = Emperor(self, "emperor-throttle = 60000")
        emperor.add("www", "chdir = /no/such/place")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("www.ini died: exit code 1; next try in 60")
        log = len(emperor.program.log)
        emperor.program.send(signal.SIGURG)
        await emperor.program.says("www.ini died: exit code 1; next try in 60", after=log)
        emperor.add("www")
        await emperor.answers("www")

    async def test_renamed_with_a_port(self) -> None:
        """
        A file that is renamed keeps its TCP port: the new vassal starts when the
        old one has left it, and does not die of it.
        """
        port = free_port()
        emperor = Emperor(self, rf"route-host = ^tcp\.example$ uwsgi:127.0.0.1:{port},0,0")
        text = (
            "[uwsgi]\nif-not-plugin = python\nplugin = python3\nendif =\nmaster = true\n"
            f"socket = 127.0.0.1:{port}\nneed-app = true\nwsgi-file = {PROBE}\nsite = %n\n"
        )
        (emperor.directory / "old.ini").write_text(text)
        await emperor.start().listens(emperor.port)
        await emperor.program.says("old.ini accepts requests")
        (emperor.directory / "old.ini").rename(emperor.directory / "new.ini")
        await emperor.program.says("new.ini accepts requests")
        log = emperor.program.log
        self.assertNotIn("died", log)
        self.assertLess(log.index("old.ini is gone"), log.index("new.ini starts"))


class IdleTests(ProgramsTestCase):
    async def test_die_on_idle(self) -> None:
        """
        A vassal that opens its socket itself and leaves because it is idle is not
        started again and again; an edit starts it.
        """
        emperor = Emperor(self)
        emperor.add("www", "idle = 1", "die-on-idle = true")
        await emperor.start().listens(emperor.port)
        await emperor.answers("www")
        await emperor.program.says("www.ini sleeps")
        log = len(emperor.program.log)
        emperor.add("www")
        await emperor.program.says("www.ini accepts requests", after=log)
        self.assertEqual(emperor.program.log.count("www.ini starts"), 2)
