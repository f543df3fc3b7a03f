"""
Vassals that are commanded: by hand, and by requests for those that sleep.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from twisted.internet.defer import ensureDeferred, gatherResults

from emperor.wire.subscription import Announcement, build_announcement
from tests.integration.client import Reply, fetch
from tests.integration.programs import (
    CHECKOUT,
    Program,
    ProgramsTestCase,
    free_port,
)
from tests.integration.servers import Emperor, our_program

WAIT = "emperor-wait-for-command = true"
SOCKET = "emperor-command-socket = %dcommand"


def is_up(reply: Reply) -> bool:
    """
    Whether a site has answered.
    """
    return reply.status == 200


class ByHandTests(ProgramsTestCase):
    """
    C{emperor command}.
    """

    async def command(self, *words: str) -> Program:
        """
        Run the command to its end.
        """
        arguments: list[str | Path] = [
            sys.executable,
            "-m",
            "emperor.ctl",
            "command",
            "-s",
            self.place / "command",
        ]
        program = self.start(
            "command", [*arguments, *words], environment={"PYTHONPATH": str(CHECKOUT)}
        )
        await program.end()
        return program

    async def test_life(self) -> None:
        """
        A vassal waits, is started, stopped, stays stopped when its file changes, and
        is started again; what is wrong is told.
        """
        emperor = Emperor(
            self,
            SOCKET,
            WAIT,
            'hook-as-on-demand-vassal = exec:echo "about $UWSGI_HOOK_CONTEXT"',
            "hook-as-on-config-vassal = exec:echo changed",
        )
        emperor.add("a")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("Vassal a.ini waits for a command")
        await emperor.program.says("about a.ini")
        emperor.add("a", "# edited")
        await emperor.program.says("changed")
        done = await self.command("spawn", "a.ini")
        self.assertEqual(
            (done.status, done.log), (0, f"spawn a.ini of dir://{emperor.directory}\n")
        )
        await emperor.program.says("Vassal a.ini accepts requests")
        self.assertTrue(is_up(await emperor.fetch("a")))
        self.assertEqual((await self.command("stop", "a.ini")).status, 0)
        await emperor.program.says("Vassal a.ini is stopped until a command starts it")
        path = emperor.add("a", "# edited once more")
        path.write_text(f"[emperor]\ndomain = a.example\n{path.read_text()}")
        self.assertEqual((await self.command("rescan")).status, 0)
        reply = await emperor.fetch("a")
        self.assertEqual(reply.status, 503)
        self.assertIn("vassal a.ini was stopped by a command", reply.text)
        reply = await fetch(emperor.port, "a.example", "/")
        self.assertIn("vassal a.ini was stopped by a command", reply.text)
        self.assertEqual((await self.command("respawn", "a.ini")).status, 0)
        await emperor.until("a", is_up, "answer")
        before = len(emperor.program.log)
        self.assertEqual((await self.command("respawn", "a.ini")).status, 0)
        await emperor.program.says("Vassal a.ini reloads", after=before)
        wrong = await self.command("stop", "b.ini")
        self.assertEqual(wrong.status, 1)
        self.assertIn("there is no vassal b.ini", wrong.log)
        await self.command("log", "deployed", "2.1")
        await emperor.program.says("deployed 2.1")

    async def test_nobody(self) -> None:
        """
        Where no Emperor is, that is told at once.
        """
        program = await self.command("rescan")
        self.assertEqual(program.status, 1)
        self.assertIn("command: No such file or directory", program.log)


class RequestTests(ProgramsTestCase):
    """
    Requests for vassals that sleep and open their sockets themselves; the router is
    in the program.
    """

    #: Further lines of the configuration.
    options: tuple[str, ...] = ()

    async def test_waits_for_a_command(self) -> None:
        """
        Requests by a vassal's address and by its domain wake it, and are answered;
        those that come meanwhile, too.
        """
        emperor = Emperor(self, WAIT, *self.options)
        emperor.add("a")
        path = emperor.add("b")
        path.write_text(f"[emperor]\ndomain = b.example\n{path.read_text()}")
        emperor.start()
        await emperor.program.says("Vassal b.ini waits for a command")
        await emperor.program.listens(emperor.port)
        for ask in (self.by_address, self.by_domain):
            replies = await gatherResults([ensureDeferred(ask(emperor)) for _ in range(6)])
            self.assertEqual([reply.status for reply in replies], [200] * 6, replies)

    async def by_address(self, emperor: Emperor) -> Reply:
        return await emperor.fetch("a")

    async def by_domain(self, emperor: Emperor) -> Reply:
        return await fetch(emperor.port, "b.example", "/")

    async def test_idle(self) -> None:
        """
        While a vassal goes to sleep again and again, no request fails.
        """
        emperor = Emperor(self, *self.options)
        path = emperor.add("b", "idle = 1", "die-on-idle = true")
        path.write_text(f"[emperor]\ndomain = b.example\n{path.read_text()}")
        emperor.start()
        await emperor.program.says("Vassal b.ini accepts requests")
        for moment in ("has nothing to do and may go", "sleeps, as it wished"):
            before = len(emperor.program.log)
            await emperor.program.says(f"Vassal b.ini {moment}", after=before)
            asking = [self.by_domain(emperor), emperor.fetch("b"), self.by_domain(emperor)]
            replies = await gatherResults([ensureDeferred(each) for each in asking])
            self.assertEqual([reply.status for reply in replies], [200] * 3, moment)

    async def test_broken(self) -> None:
        """
        A vassal that is woken and does not come up is a 503 with the reason.
        """
        emperor = Emperor(self, WAIT, "http-defer-connect-timeout = 2", *self.options)
        emperor.add("a", "wsgi-file = /no/such/file")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("Vassal a.ini waits for a command")
        reply = await emperor.fetch("a")
        self.assertEqual(reply.status, 503)
        self.assertRegex(reply.text, "vassal a.ini (died and is held back|is starting|is restart)")


class ProcessesRequestTests(RequestTests):
    """
    The same, with routers in processes of their own.
    """

    options = ("http-processes = 2",)


class OtherProgramTests(ProgramsTestCase):
    """
    The router is another program, which sends datagrams.
    """

    async def test_wakes(self) -> None:
        """
        A vassal of which only its name has been announced is started by the request,
        announces itself, and answers.
        """
        emperor = Emperor(self, SOCKET, WAIT)
        server, port = free_port(), free_port()
        emperor.add("a", f"subscribe-to = 127.0.0.1:{server}:a.example")
        emperor.start()
        await emperor.program.says("Vassal a.ini waits for a command")
        router = self.place / "other.ini"
        router.write_text(
            f"[uwsgi]\nhttp = 127.0.0.1:{port}\n"
            f"http-subscription-server = 127.0.0.1:{server}\n"
            "http-emperor-socket = %dcommand\nhttp-subscription-tolerance-inactive = 60\n"
        )
        program = self.start(
            "router",
            [*our_program(), "--config", router],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        await program.listens(port)
        asleep = Announcement(leaving=False, key="a.example", address="", vassal="a.ini")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(build_announcement(asleep), ("127.0.0.1", server))
        await program.says("a.example")
        self.assertEqual((await fetch(port, "a.example", "/")).status, 200)
