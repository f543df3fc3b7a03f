"""
The whole program with C{emperor-tyrant}: each site is its user's.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from tests.integration.client import fetch
from tests.integration.programs import ProgramsTestCase, eventually, unavailable
from tests.integration.servers import Emperor, debian_uwsgi, until_answered

#: Users whom the system need not know.
WWW, SHOP = 12345, 12346


class TyrantTests(ProgramsTestCase):
    """
    Two sites of two users.
    """

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid():
            raise unavailable("emperor-tyrant needs root")
        self.place.chmod(0o1777)

    def emperor(self, *options: str) -> Emperor:
        return Emperor(self, f"binary-path = {debian_uwsgi()}", "emperor-tyrant = true", *options)

    def give(self, emperor: Emperor, name: str, user: int, *lines: str) -> Path:
        """
        Write the file of a vassal that is a user's from its first moment on.
        """
        path = emperor.directory / f"{name}.ini"
        draft = self.place / f"{name}.draft"
        draft.unlink(missing_ok=True)
        emperor.add(name, *lines).rename(draft)
        os.chown(draft, user, user)
        draft.rename(path)
        return path

    def ids(self, pid: int) -> set[int]:
        """
        All users and groups of a process.
        """
        text = Path(f"/proc/{pid}/status").read_text()
        rows = [line for line in text.splitlines() if line.startswith(("Uid:", "Gid:", "Groups:"))]
        return {int(word) for row in rows for word in row.split()[1:]}

    async def test_users(self) -> None:
        """
        Master and workers of each site are the user's of its file.
        """
        emperor = self.emperor()
        self.give(emperor, "www", WWW)
        self.give(emperor, "shop", SHOP)
        emperor.start()
        await emperor.program.listens(emperor.port)
        for name, user in (("www", WWW), ("shop", SHOP)):
            found = (await emperor.answers(name)).json
            self.assertEqual({user}, self.ids(found["master"]))
            self.assertEqual({user}, self.ids(found["worker"]))

    async def test_domains(self) -> None:
        """
        A user's site gets the requests of the domains that were given to him, and
        not those of somebody else's; it runs all the same, and the log has the line
        that would give them to him.
        """
        emperor = self.emperor(f"vassal-domains = {WWW}:www.example,*.www.example")
        mine = ("www.example", "a.WWW.example:80")
        lines = [f"domain = {each}" for each in (*mine, "shop.example")]
        self.give(emperor, "www", WWW, "[emperor]", *lines)
        self.give(emperor, "shop", SHOP, "[emperor]", "domain = www.example")
        emperor.start()
        await emperor.program.listens(emperor.port)
        for name in ("www", "shop"):
            self.assertEqual(name, (await emperor.answers(name)).json["site"])
        for host in mine:
            await until_answered(emperor.port, host)
        for _ in range(6):
            reply = await fetch(emperor.port, "www.example")
            self.assertEqual("www", reply.json["site"])
        self.assertEqual(404, (await fetch(emperor.port, "shop.example")).status)
        await emperor.program.says(
            "www.ini: it is not announced for shop.example, which nobody gave to its user 12345; "
            "if they are his, add: vassal-domains = 12345:shop.example\n"
        )
        await emperor.program.says("shop.ini: it is not announced for www.example")

    async def test_socket_of_another_site(self) -> None:
        """
        A user's domain does not show what another user has at a socket, though the
        path that it names leads there after a while; back in its place, it serves.
        """
        emperor = self.emperor(
            f"vassal-domains = {WWW}:w.example", f"vassal-domains = {SHOP}:s.example"
        )
        self.give(emperor, "www", WWW, "[emperor]", "domain = w.example")
        self.give(emperor, "shop", SHOP, "[emperor]", "domain = s.example")
        emperor.start()
        await emperor.program.listens(emperor.port)
        for name in ("www", "shop"):
            reply = await until_answered(emperor.port, f"{name[0]}.example")
            self.assertEqual(name, reply.json["site"])
        own, away = self.place / "www.sock", self.place / "away.sock"
        own.rename(away)
        own.symlink_to(self.place / "shop.sock")
        reply = await fetch(emperor.port, "w.example")
        self.assertEqual((502, True), (reply.status, "another user listens" in reply.text))
        await emperor.program.says(
            f"www.sock, which vassal www.ini of user {WWW} names as its socket: "
            f"user {SHOP} listens there"
        )
        away.replace(own)
        reply = await until_answered(emperor.port, "w.example")
        self.assertEqual("www", reply.json["site"])

    async def test_root(self) -> None:
        """
        A file of root's is not started, and the log says why; when it is given
        to a user it is.
        """
        emperor = self.emperor("emperor-throttle = 100")
        path = emperor.add("www")
        emperor.start()
        await emperor.program.says("www.ini belongs to the user root")
        self.assertEqual(503, (await emperor.fetch("www")).status)
        os.chown(path, WWW, WWW)
        found = (await emperor.answers("www")).json
        self.assertEqual({WWW}, self.ids(found["master"]))

    async def test_door(self) -> None:
        """
        Of what is not started nobody listens at its door, and the log says why at once;
        when it may be started it is opened.
        """
        address = f"@txe-tyrant-{os.getpid()}"
        emperor = self.emperor("emperor-throttle = 100")
        path = emperor.directory / "www.ini"
        path.write_text(f"[emperor]\non-demand = {address}\n[uwsgi]\nmaster = true\n")
        emperor.start()
        await emperor.program.says("Vassal www.ini died: ")
        self.assertIn("www.ini belongs to the user root", emperor.program.log)
        self.assertNotIn(address, Path("/proc/net/unix").read_text())
        os.chown(path, WWW, WWW)
        await emperor.program.says("Vassal www.ini accepts requests")
        self.assertIn(address, Path("/proc/net/unix").read_text())

    async def test_another_owner(self) -> None:
        """
        A site whose file is given to another user is started again as that one;
        one that is only edited keeps its master.
        """
        emperor = self.emperor()
        self.give(emperor, "www", WWW)
        emperor.start()
        await emperor.program.listens(emperor.port)
        first = (await emperor.answers("www")).json
        self.give(emperor, "www", WWW, "# edited")
        reply = await emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["worker"] != first["worker"],
            "new worker",
        )
        self.assertEqual(first["master"], reply.json["master"])
        self.assertEqual({WWW}, self.ids(reply.json["worker"]))
        # What the other user left in the way is not his to remove.
        os.chown(emperor.directory / "www.ini", SHOP, SHOP)
        await emperor.program.says("is asked to leave for a new start")
        (self.place / "www.sock").unlink(missing_ok=True)
        reply = await emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["master"] != first["master"],
            "new master",
        )
        self.assertEqual({SHOP}, self.ids(reply.json["master"]))

    async def test_link(self) -> None:
        """
        A link counts with its own owner under nofollow: one template, two users.
        """
        emperor = self.emperor("emperor-tyrant-nofollow = true", "emperor-nofollow = true")
        template = emperor.add("www").rename(self.place / "template")
        for name, user in (("www", WWW), ("shop", SHOP)):
            link = emperor.directory / f"{name}.ini"
            link.symlink_to(template)
            os.lchown(link, user, user)
        emperor.start()
        await emperor.program.listens(emperor.port)
        for name, user in (("www", WWW), ("shop", SHOP)):
            self.assertEqual({user}, self.ids((await emperor.answers(name)).json["worker"]))

    async def test_somebody_elses_file(self) -> None:
        """
        A link of one user's to a file of another one's is not run.
        """
        emperor = self.emperor()
        path = self.give(emperor, "www", SHOP).rename(self.place / "theirs.ini")
        link = emperor.directory / "www.ini"
        link.symlink_to(path)
        os.lchown(link, WWW, WWW)
        emperor.start()
        await emperor.program.says("belongs to user 12345, who could put another file in the place")

    async def test_socket_of_another_one(self) -> None:
        """
        A file that names somebody else's socket does not have it removed.
        """
        emperor = self.emperor()
        precious = self.place / "precious.sock"
        listener = self.bound(precious)
        path = self.give(emperor, "www", WWW, f"http-socket = {precious}")
        emperor.start()
        await emperor.program.says("www.ini starts")
        listener.close()
        path.unlink()
        await emperor.program.says("www.ini is gone")
        self.assertTrue(precious.exists())

    def bound(self, path: Path) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(path))
        listener.listen()
        path.chmod(0o600)
        return listener

    async def test_killed_program(self) -> None:
        """
        When the program is killed nothing is left.
        """
        emperor = self.emperor()
        self.give(emperor, "www", WWW)
        emperor.start()
        await emperor.program.listens(emperor.port)
        await emperor.answers("www")
        child = int((await emperor.fetch("www", "/child?seconds=600")).text)
        self.assertEqual({WWW}, self.ids(child))
        emperor.program.send(signal.SIGKILL)
        await eventually(lambda: not self.processes(), "nothing is left")

    async def test_limits(self) -> None:
        """
        A user may lower a limit of the template, and not raise it.
        """
        template = self.place / "limits.ini"
        template.write_text("[emperor]\nrlimit-nofile = 200\nrlimit-core = 4096\n[uwsgi]\n")
        emperor = self.emperor(f"vassals-include-before = {template}")
        self.give(emperor, "www", WWW, "[emperor]", "rlimit-nofile = 300", "rlimit-core = 1024")
        emperor.start()
        await emperor.program.listens(emperor.port)
        master = (await emperor.answers("www")).json["master"]
        limits = Path(f"/proc/{master}/limits").read_text()
        self.assertRegex(limits, r"Max open files +200 +200 ")
        self.assertRegex(limits, r"Max core file size +1024 +1024 ")

    async def test_what_only_root_can_read(self) -> None:
        """
        A file of root's that a user's file names is not read for him, also not into
        an abstract socket's name; nothing stands still for what is no file; the others
        go on.
        """
        secret = self.place / "secret.cnf"
        secret.write_text("[client]\npassword = hunter2\n")
        secret.chmod(0o600)
        emperor = self.emperor("emperor-on-demand-extension = .socket")
        asks = (f"ini = {secret}:client", "on-demand = @leak-%(password)")
        self.give(emperor, "www", WWW, "[emperor]", *asks)
        self.give(emperor, "shop", SHOP)
        os.mkfifo(emperor.directory / "shop.ini.socket")
        self.give(emperor, "blog", SHOP)
        emperor.start()
        await emperor.program.listens(emperor.port)
        await emperor.program.says("secret.cnf cannot be read: Permission denied")
        await emperor.program.says("shop.ini.socket: it is not a regular file")
        self.assertEqual({SHOP}, self.ids((await emperor.answers("blog")).json["worker"]))
        self.assertNotIn("hunter2", Path("/proc/net/unix").read_text())
        self.assertEqual(503, (await emperor.fetch("www")).status)
