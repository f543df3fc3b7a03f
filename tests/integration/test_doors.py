"""
Sockets that are the Emperor's: vassals that are renewed beside themselves, and
vassals that sleep until somebody connects.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from tests.integration.client import Reply
from tests.integration.load import Load
from tests.integration.programs import ProgramsTestCase, eventually, free_port
from tests.integration.servers import PROBE, Emperor, debian_uwsgi

_VASSAL = """\
[emperor]
{attribute}

[uwsgi]
if-not-plugin = python
plugin = python3
endif =
master = true
processes = 2
need-app = true
wsgi-file = {application}
site = {site}
disable-logging = true
"""

_SERVER = f"""\
#!{sys.executable}
import socket
listener = socket.socket(fileno=3)
print("waits", flush=True)
while True:
    client, _ = listener.accept()
    client.sendall(b"hello")
    client.close()
"""

#: Seconds of load at most; it is stopped when all is done.
LOAD = 60


def write(emperor: Emperor, name: str, *lines: str, site: str = "%n", attribute: str = "") -> None:
    """
    Write the file of a vassal whose socket is the Emperor's.

    @param attribute: by default one that holds the socket of the router's rules.
    """
    held = attribute or f"hold-socket = {emperor.case.place}/%n.sock"
    application = Path("/no/such/file") if site == "broken" else PROBE
    draft = emperor.case.place / f"{name}.draft"
    text = _VASSAL.format(attribute=held, application=application, site=site)
    draft.write_text(text + "".join(f"{line}\n" for line in lines))
    draft.rename(emperor.directory / f"{name}.ini")


def answered_by(site: str) -> Callable[[Reply], bool]:
    """
    Whether an answer is this site's.
    """
    return lambda reply: reply.status == 200 and bool(reply.json["site"] == site)


class RenewalTests(ProgramsTestCase):
    """
    Reloads of a vassal whose socket is held.
    """

    #: Which uWSGI.
    options: tuple[str, ...] = ()

    async def test_under_load(self) -> None:
        """
        While wrk asks for it all the time, a vassal is edited, broken, mended,
        touched and reloaded by SIGHUP; no request fails.
        """
        emperor = Emperor(self, *self.options)
        write(emperor, "www", site="first")
        await emperor.start().listens(emperor.port)
        await emperor.until("www", answered_by("first"), "first")
        load = Load(self, emperor.port, "www.test", LOAD)
        for site in ("second", "third"):
            write(emperor, "www", site=site)
            await emperor.until("www", answered_by(site), site)
            await self.some_more(emperor)
        write(emperor, "www", site="broken")
        await emperor.program.says("its reload failed: exit code")
        self.assertEqual((await emperor.fetch("www")).json["site"], "third")
        write(emperor, "www", site="fourth")
        await emperor.until("www", answered_by("fourth"), "fourth")
        before = (await emperor.fetch("www")).json["master"]
        (emperor.directory / "www.ini").touch()
        await self.another_master(emperor, before)
        before = (await emperor.fetch("www")).json["master"]
        await self.some_more(emperor)
        emperor.program.send(signal.SIGHUP)
        await self.another_master(emperor, before)
        self.assertTrue(load.running)
        outcome = await load.stop()
        print(f"\n  {outcome.requests} requests during five good reloads and a bad one", end=" ")
        self.assertEqual(outcome.failures, "")
        said = emperor.program.log.partition("it said last")[2][:2000]
        self.assertIn("/no/such/file", said)

    async def test_emptied(self) -> None:
        """
        An empty file, or the beginning of one, is a reload that fails: the site goes
        on.
        """
        emperor = Emperor(self, *self.options)
        write(emperor, "www", site="first")
        await emperor.start().listens(emperor.port)
        await emperor.until("www", answered_by("first"), "first")
        for beginning in ("", "[emperor]\nhold-socket = @else\n"):
            log = len(emperor.program.log)
            (emperor.directory / "www.ini").write_text(beginning)
            await emperor.program.says("its reload failed: there is nothing for uWSGI", after=log)
            self.assertEqual((await emperor.fetch("www")).json["site"], "first")
        write(emperor, "www", site="second")
        await emperor.until("www", answered_by("second"), "second")

    async def some_more(self, emperor: Emperor) -> None:
        """
        Let the site answer for a while.
        """
        for _ in range(100):
            self.assertEqual((await emperor.fetch("www")).status, 200)

    async def another_master(self, emperor: Emperor, before: int) -> None:
        """
        Wait until the next generation answers.
        """
        await emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["master"] != before,
            "next generation",
        )

    async def test_one_of_them_is_left(self) -> None:
        """
        Of the generations before nothing is left; removed, the vassal and its
        socket are gone.
        """
        emperor = Emperor(self)
        write(emperor, "www", site="first")
        await emperor.start().listens(emperor.port)
        old = (await emperor.until("www", answered_by("first"), "first")).json["master"]
        write(emperor, "www", site="second")
        await emperor.until("www", answered_by("second"), "second")
        await eventually(lambda: not os.path.exists(f"/proc/{old}"), "the old one is gone")
        emperor.remove("www")
        await emperor.program.says("www.ini is gone")
        self.assertFalse((self.place / "www.sock").exists())


class DebianRenewalTests(RenewalTests):
    """
    The same with the uWSGI of the distribution.
    """

    def setUp(self) -> None:
        super().setUp()
        self.options = (f"binary-path = {debian_uwsgi()}",)


class OnDemandTests(ProgramsTestCase):
    """
    Vassals that sleep until somebody connects.
    """

    async def test_sleep_and_wake(self) -> None:
        """
        A vassal is started by its first request, which it answers; when it is idle
        it leaves, and the next request finds it again.  While it sleeps nothing
        of it runs.
        """
        emperor = Emperor(self)
        demand = f"on-demand = {self.place}/%n.sock,mode=600"
        write(emperor, "www", "idle = 1", "die-on-idle = true", attribute=demand)
        await emperor.start().listens(emperor.port)
        await emperor.program.says("www.ini sleeps")
        self.assertEqual((self.place / "www.sock").stat().st_mode & 0o777, 0o600)
        masters = set()
        for _ in range(3):
            log = len(emperor.program.log)
            reply = await emperor.fetch("www")
            self.assertEqual(reply.status, 200)
            masters.add(reply.json["master"])
            await emperor.program.says("www.ini sleeps", after=log)
            self.assertFalse(os.path.exists(f"/proc/{reply.json['master']}"))
        self.assertEqual(len(masters), 3)

    async def test_the_queue_is_kept(self) -> None:
        """
        When a vassal is killed who waits in its socket is answered by the next
        one: here all its processes are stopped, and twenty clients wait.
        """
        emperor = Emperor(self)
        write(emperor, "www", attribute=f"on-demand = {self.place}/%n.sock")
        await emperor.start().listens(emperor.port)
        reply = (await emperor.answers("www")).json
        await emperor.program.says("spawned uWSGI worker 2")
        for pid in self.group(reply["master"]):
            os.kill(pid, signal.SIGSTOP)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for client in waiting:
            self.addCleanup(client.close)
            client.connect(bytes(self.place / "www.sock"))
            client.settimeout(20)
            variables = b"\x0e\0REQUEST_METHOD\x03\0GET"
            client.sendall(b"\0" + len(variables).to_bytes(2, "little") + b"\0" + variables)
        log = len(emperor.program.log)
        os.kill(reply["master"], signal.SIGKILL)
        await emperor.program.says("www.ini accepts requests", after=log)
        answers = [client.recv(12) for client in waiting]
        self.assertEqual([b"HTTP/1.0 200"] * 20, answers)

    def group(self, master: int) -> list[int]:
        """
        The processes of a vassal.
        """
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [master, *map(int, children)]

    async def test_plain_program(self) -> None:
        """
        A program that knows nothing of events accepts at the socket that it gets,
        and waits there.
        """
        server = self.place / "serve"
        server.write_text(_SERVER)
        server.chmod(0o755)
        emperor = Emperor(self, "emperor-wrapper-attr = program")
        attribute = f"""hold-socket = {self.place}/www.sock
listen-fds = true
program = {server}"""
        write(emperor, "www", attribute=attribute)
        await emperor.start().listens(emperor.port)
        await emperor.program.says("www.ini: waits")
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(20)
                client.connect(bytes(self.place / "www.sock"))
                self.assertEqual(b"hello", client.recv(5))
        self.assertNotIn("www.ini died", emperor.program.log)

    async def test_extension(self) -> None:
        """
        The address beside the vassal's file, as uWSGI has it, here with IPv6.
        """
        port = free_port()
        emperor = Emperor(
            self,
            "emperor-on-demand-extension = .address",
            rf"route-host = ^six\.example$ uwsgi:[::1]:{port},0,0",
        )
        (emperor.directory / "six.ini.address").write_text(f"[::1]:{port}\n")
        write(emperor, "six", attribute="; nothing")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("six.ini sleeps")
        with socket.create_connection(("::1", port)):
            await emperor.program.says("six.ini accepts")

    async def test_directory(self) -> None:
        """
        A directory of sockets: each vassal has the one of its name.
        """
        emperor = Emperor(self, "emperor-on-demand-directory = %dsockets")
        (self.place / "sockets").mkdir()
        write(emperor, "www", attribute="; nothing")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("www.ini sleeps")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(bytes(self.place / "sockets" / "www.socket"))
            await emperor.program.says("www.ini accepts")

    async def test_two_at_one_socket(self) -> None:
        """
        The second vassal with the same socket is refused, with who has it, and again
        at each retry; the first one sleeps on.
        """
        emperor = Emperor(self, "emperor-throttle = 100")
        demand = f"on-demand = {self.place}/same.sock"
        write(emperor, "a", attribute=demand)
        await emperor.start().listens(emperor.port)
        await emperor.program.says("a.ini sleeps")
        write(emperor, "b", attribute=demand)
        refused = f"{self.place}/same.sock: vassal a.ini has it already"
        for _ in range(3):
            log = len(emperor.program.log)
            await emperor.program.says(refused, after=log)
        self.assertNotIn("a.ini starts", emperor.program.log)
        (emperor.directory / "a.ini").unlink()
        await emperor.program.says("b.ini accepts")

    async def test_command(self) -> None:
        """
        A command prints the address, here an abstract one; a name is never read
        by the shell.
        """
        emperor = Emperor(self, "emperor-on-demand-exec = printf @%%s")
        name = f"www-{self.mark}; touch hurt"
        write(emperor, name, attribute="; nothing")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("sleeps until somebody")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(b"\0" + f"{name}.ini".encode() + b"\0")
            await emperor.program.says("accepts requests")
        self.assertEqual([], list(self.place.rglob("hurt")))

    async def test_command_fails(self) -> None:
        """
        While the command fails the vassal is held back, and not started without its
        socket; the command is asked again.
        """
        told = self.place / "told"
        emperor = Emperor(
            self, f"emperor-on-demand-exec = sh -c 'cat {told}'", "emperor-throttle = 100"
        )
        write(emperor, "www", attribute="; nothing")
        await emperor.start().listens(emperor.port)
        await emperor.program.says("emperor-on-demand-exec = ")
        await emperor.program.says("next try in")
        told.write_text(f"{self.place}/www.sock\n")
        await emperor.program.says("www.ini sleeps")
        self.assertNotIn("www.ini starts", emperor.program.log)

    async def test_broken(self) -> None:
        """
        Requests for a vassal that cannot start are not kept waiting: 503 with the
        reason; when it is mended they are answered.
        """
        emperor = Emperor(self, "emperor-throttle = 60000")
        demand = f"on-demand = {self.place}/%n.sock"
        write(emperor, "www", site="broken", attribute=demand)
        await emperor.start().listens(emperor.port)
        await emperor.program.says("www.ini sleeps")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(bytes(self.place / "www.sock"))
            await emperor.program.says("www.ini died")
            reply = await emperor.fetch("www")
            self.assertEqual(reply.status, 503)
            self.assertIn("died and is held back", reply.text)
        write(emperor, "www", site="mended", attribute=demand)
        await emperor.until("www", answered_by("mended"), "mended")
