"""
The whole program as its user meets it: C{twistd -n emperor --config F}.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from twisted.internet.defer import ensureDeferred

from tests.integration.programs import ProgramsTestCase, free_port
from tests.integration.servers import Emperor, debian_uwsgi


class RoutingTests(ProgramsTestCase):
    """
    Which site answers for which host.
    """

    async def test_each_host_has_its_site(self) -> None:
        """
        Two hosts with a rule each, and one found by the last rule, are answered
        by three vassals.
        """
        emperor = Emperor(self)
        await emperor.serve("www", "shop", "blog")
        sites = [(await emperor.fetch(name)).json["site"] for name in ("www", "shop", "blog")]
        self.assertEqual(sites, ["www", "shop", "blog"])

    async def test_unknown_host(self) -> None:
        """
        A host that no rule knows gets 404, and a text that names it and says why.
        """
        emperor = Emperor(self)
        await emperor.start().listens(emperor.port)
        reply = await emperor.fetch("www.elsewhere")
        self.assertEqual(reply.status, 404)
        self.assertEqual((reply.header("Content-Type") or "").partition(";")[0], "text/plain")
        self.assertIn("www.elsewhere.test", reply.text)
        self.assertRegex(reply.text, r"Reason: \w+")

    async def test_mode_of_a_listening_socket(self) -> None:
        """
        A UNIX listener has the mode that chmod-socket asks for.
        """
        emperor = Emperor(self, "fastrouter = %drouter.sock", "chmod-socket = 660")
        await emperor.start().listens(emperor.port)
        self.assertEqual((self.place / "router.sock").stat().st_mode & 0o777, 0o660)

    async def test_known_host_without_vassal(self) -> None:
        """
        A rule whose socket nobody listens on is a 503 that may be tried again.
        """
        emperor = Emperor(self)
        await emperor.start().listens(emperor.port)
        reply = await emperor.fetch("www")
        self.assertEqual(reply.status, 503)
        self.assertIsNotNone(reply.header("Retry-After"))


class VassalTests(ProgramsTestCase):
    """
    What a change of a vassal's file does to it, and to its neighbours.
    """

    async def test_new_file(self) -> None:
        """
        A file that appears is a site that answers.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        emperor.add("blog")
        reply = await emperor.answers("blog")
        self.assertEqual(reply.json["site"], "blog")

    async def test_edited_file(self) -> None:
        """
        An edited file reloads its vassal; the neighbour keeps its processes.
        """
        emperor = Emperor(self)
        await emperor.serve("www", "shop")
        neighbour = (await emperor.fetch("shop")).json
        emperor.add("www", site="edited")
        await emperor.until(
            "www", lambda reply: reply.status == 200 and reply.json["site"] == "edited", "new text"
        )
        after = (await emperor.fetch("shop")).json
        self.assertEqual(
            (after["master"], after["worker"]), (neighbour["master"], neighbour["worker"])
        )

    async def test_removed_file(self) -> None:
        """
        A removed file stops its vassal, and its host is free: 503, no answer of
        the old site.  The neighbour goes on.
        """
        emperor = Emperor(self)
        await emperor.serve("www", "shop")
        emperor.remove("www")
        await emperor.program.says("www.ini is gone")
        await emperor.answers("www", 503)
        self.assertFalse((self.place / "www.sock").exists())
        self.assertEqual((await emperor.fetch("shop")).status, 200)

    async def test_removed_after_a_reload(self) -> None:
        """
        A vassal that was reloaded, which keeps uWSGI from removing its socket,
        still frees its host when its file goes: 404.
        """
        emperor = Emperor(self)
        await emperor.serve("blog")
        emperor.add("blog", site="edited")
        await emperor.until(
            "blog", lambda reply: reply.status == 200 and reply.json["site"] == "edited", "new text"
        )
        emperor.remove("blog")
        await emperor.answers("blog", 404)
        self.assertFalse((self.place / "blog.sock").exists())

    async def test_killed_vassal(self) -> None:
        """
        A vassal whose master is killed comes back by itself.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        killed = (await emperor.fetch("www")).json["master"]
        os.kill(killed, signal.SIGKILL)
        # Until init has adopted it, or it has noticed, an orphaned worker answers.
        await emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["master"] not in (killed, 1),
            "new master",
        )
        self.assertIn("www", emperor.program.log)

    async def test_broken_vassal(self) -> None:
        """
        A vassal that cannot start leaves the others alone and says so in the log.
        """
        emperor = Emperor(self)
        emperor.add("broken", "wsgi-file = /nowhere/at/all.py")
        await emperor.serve("www")
        self.assertEqual((await emperor.fetch("broken")).status, 503)
        await emperor.program.says("broken.ini")


class SignalTests(ProgramsTestCase):
    """
    What the program does when it is told to.
    """

    async def test_terminate(self) -> None:
        """
        SIGTERM stops the vassals and then the program: status 0, no process and
        no socket is left.
        """
        emperor = Emperor(self)
        await emperor.serve("www", "shop")
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(await emperor.program.end(), 0)
        self.assertEqual(self.processes(), [])
        self.assertEqual(list(self.place.glob("*.sock")), [])

    async def test_interrupt(self) -> None:
        """
        Ctrl-C in the terminal is the same.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        os.killpg(emperor.program.pid, signal.SIGINT)
        self.assertEqual(await emperor.program.end(), 0)
        self.assertEqual(self.processes(), [])

    async def test_interrupt_with_a_request_in_flight(self) -> None:
        """
        Ctrl-C reaches every process of the terminal's group; vassals are not in
        it, so a request in flight is answered before they leave.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        master = (await emperor.fetch("www")).json["master"]
        self.assertEqual((master, master), (os.getpgid(master), os.getsid(master)))
        request = ensureDeferred(emperor.fetch("www", "/slow?seconds=2"))
        await emperor.program.says("a slow answer begins")
        os.killpg(emperor.program.pid, signal.SIGINT)
        reply = await request
        self.assertEqual((reply.status, reply.text), (200, "begun\nended\n"))
        self.assertEqual(await emperor.program.end(), 0)
        self.assertEqual(self.processes(), [])

    async def test_what_a_vassal_sees(self) -> None:
        """
        Whatever made its session, a vassal has the arguments that uWSGI gives.
        """
        emperor = Emperor(self, f"binary-path = {debian_uwsgi()}")
        await emperor.serve("www")
        master = (await emperor.fetch("www")).json["master"]
        words = Path(f"/proc/{master}/cmdline").read_bytes().split(b"\0")
        self.assertEqual(words, [str(debian_uwsgi()).encode(), b"--ini", b"www.ini", b""])

    async def test_programs_of_an_application(self) -> None:
        """
        What an application has started does not outlive its vassal, even if it
        does not have the vassal's pipe.
        """
        emperor = Emperor(self)
        await emperor.serve("www")
        child = int((await emperor.fetch("www", "/child?seconds=600")).text)
        self.assertIn(child, self.processes())
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(await emperor.program.end(), 0)
        self.assertEqual(self.processes(), [])

    async def test_hang_up(self) -> None:
        """
        SIGHUP reloads every vassal.
        """
        emperor = Emperor(self)
        await emperor.serve("www", "shop")
        before = {name: (await emperor.fetch(name)).json["worker"] for name in ("www", "shop")}
        emperor.program.send(signal.SIGHUP)
        for name, worker in before.items():
            await self._other_worker(emperor, name, worker)

    async def _other_worker(self, emperor: Emperor, name: str, worker: int) -> None:
        await emperor.until(
            name,
            lambda reply: reply.status == 200 and reply.json["worker"] != worker,
            "new worker",
        )

    async def test_user_signal(self) -> None:
        """
        SIGUSR1 logs a line about every vassal.
        """
        emperor = Emperor(self)
        await emperor.serve("www", "shop")
        seen = len(emperor.program.log)
        emperor.program.send(signal.SIGUSR1)
        await emperor.program.says("www.ini", after=seen)
        await emperor.program.says("shop.ini", after=seen)


class RefusalTests(ProgramsTestCase):
    """
    What it says when it cannot start: one line, and what to do about it.
    """

    async def test_port_in_use(self) -> None:
        """
        A port that somebody else has.
        """
        with socket.socket() as other:
            other.bind(("127.0.0.1", free_port()))
            other.listen()
            emperor = Emperor(self)
            emperor.port = other.getsockname()[1]
            line = await self._refusal(emperor)
        self.assertIn(str(emperor.port), line)

    async def test_unreadable_configuration(self) -> None:
        """
        A configuration file that is not there.
        """
        emperor = Emperor(self)
        emperor.configuration = self.place / "missing" / "router.ini"
        emperor.configuration.parent.mkdir()
        emperor.start()
        emperor.configuration.unlink()
        self.assertEqual(await emperor.program.end(), 1)
        self.assertIn("router.ini", self._single_line(emperor))

    async def test_missing_uwsgi(self) -> None:
        """
        A program for the vassals that does not exist.
        """
        emperor = Emperor(self, "binary-path = /nowhere/bin/uwsgi")
        emperor.add("www")
        self.assertIn("/nowhere/bin/uwsgi", await self._refusal(emperor))

    async def test_check(self) -> None:
        """
        C{--check} starts nothing and lists all errors, each with its file and
        line.
        """
        emperor = Emperor(self, "route-host = ( uwsgi:/tmp/a.sock,0,0", "http-timeout = soon")
        emperor.start("--check")
        self.assertEqual(await emperor.program.end(), 1)
        text = emperor.configuration.read_text().split("\n")
        for option in emperor.options:
            self.assertIn(f"router.ini:{text.index(option) + 1}", emperor.program.log)

    async def test_check_of_a_good_file(self) -> None:
        """
        C{--check} of a file without errors ends well, and nothing was started.
        """
        emperor = Emperor(self)
        emperor.add("www")
        emperor.start("--check")
        self.assertEqual(await emperor.program.end(), 0)
        self.assertEqual(list(self.place.glob("*.sock")), [])

    async def _refusal(self, emperor: Emperor) -> str:
        emperor.start()
        self.assertEqual(await emperor.program.end(), 1)
        return self._single_line(emperor)

    def _single_line(self, emperor: Emperor) -> str:
        lines = emperor.program.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        return lines[0]
