"""
C{emperor subscribe} on real sockets.
"""

from __future__ import annotations

import signal
import sys

from emperor.wire.subscription import Announcement
from tests.integration.datagrams import Letterbox, subscribe, udp_letterbox, unix_letterbox
from tests.integration.programs import ProgramsTestCase, free_port, unavailable
from tests.wire.announcements import announcement

NODE = ("--key", "foo.com", "--address", "127.0.0.1:3031")

#: Listens where it is told, until it is told to end.
PROGRAM = """\
import signal, socket, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""


class SubscribeTests(ProgramsTestCase):
    """
    The command, from its start to its end.
    """

    async def announced(self, letterbox: Letterbox, count: int = 1) -> list[Announcement]:
        return [datagram.announcement for _, datagram in await letterbox.take(count)]

    async def test_until_asked_to_stop(self) -> None:
        """
        Over UDP to a name and to a UNIX socket; TERM and INT make it leave,
        with status 0.
        """
        udp, port = udp_letterbox(self)
        unix = unix_letterbox(self, self.place / "router.sock")
        servers = ("--server", f"localhost:{port}", "--server", self.place / "router.sock")
        for number in (signal.SIGTERM, signal.SIGINT):
            program = subscribe(self, *servers, *NODE)
            for letterbox in (udp, unix):
                self.assertEqual(await self.announced(letterbox, 2), [announcement()] * 2)
            program.send(number)
            for letterbox in (udp, unix):
                self.assertEqual(await self.announced(letterbox), [announcement(leaving=True)])
            self.assertEqual(await program.end(), 0)
            self.assertEqual(program.log, "")

    async def test_ipv6(self) -> None:
        """
        To a server that has IPv6 only.
        """
        try:
            letterbox, port = udp_letterbox(self, "::1")
        except Exception as error:
            raise unavailable(f"no IPv6 on this machine: {error}") from error
        program = subscribe(self, "-s", f"[::1]:{port}", *NODE, "--once")
        self.assertEqual(await self.announced(letterbox), [announcement()])
        self.assertEqual(await program.end(), 0)

    async def test_once(self) -> None:
        """
        One datagram to come, one to leave.
        """
        letterbox, port = udp_letterbox(self)
        for option, leaving in (("--once", False), ("--leave", True)):
            program = subscribe(self, "-s", f"127.0.0.1:{port}", *NODE, option)
            self.assertEqual(await program.end(), 0)
            self.assertEqual(await self.announced(letterbox), [announcement(leaving=leaving)])
        self.assertEqual(letterbox.letters, [])

    async def test_nobody_there(self) -> None:
        """
        A server that is not there is a sentence and status 1; without --once it
        goes on, for the server may come.
        """
        path = self.place / "router.sock"
        program = subscribe(self, "-s", path, *NODE, "--once")
        self.assertEqual(await program.end(), 1)
        reason = f"emperor: Cannot announce to {path}: No such file or directory\n"
        self.assertEqual(program.log, reason)
        program = subscribe(self, "-s", path, *NODE, "--frequency", "0.2")
        await program.says("No such file or directory")
        letterbox = unix_letterbox(self, path)
        self.assertEqual(await self.announced(letterbox), [announcement()])
        await program.says("Announcing to")

    async def test_program(self) -> None:
        """
        A program is announced when it accepts; stopped, the node leaves before
        the program does.
        """
        letterbox, port = udp_letterbox(self)
        node = free_port()
        script = self.place / "program.py"
        script.write_text(PROGRAM)
        options = ("-s", f"127.0.0.1:{port}", "-k", "foo.com", "-a", f"127.0.0.1:{node}")
        program = subscribe(self, *options, "--", sys.executable, script, str(node))
        expected = announcement(address=f"127.0.0.1:{node}")
        self.assertEqual(await self.announced(letterbox), [expected])
        await program.listens(node)
        program.send(signal.SIGTERM)
        self.assertEqual(await program.end(), 0)
        *_, last = await self.announced(letterbox, len(letterbox.letters))
        self.assertTrue(last.leaving)
        self.assertEqual(self.processes(), [])

    async def test_program_that_fails(self) -> None:
        """
        Its status is the command's, and nothing is announced.
        """
        letterbox, port = udp_letterbox(self)
        options = ("-s", f"127.0.0.1:{port}", "-k", "foo.com", "-a", f"127.0.0.1:{free_port()}")
        program = subscribe(self, *options, "--", "sh", "-c", "exit 5")
        self.assertEqual(await program.end(), 5)
        self.assertEqual(letterbox.letters, [])
