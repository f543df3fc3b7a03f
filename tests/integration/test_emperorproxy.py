"""
Emperor proxies: a vassal that hands its pipe to uWSGIs which the Emperor has not
started.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.integration.programs import Program, ProgramsTestCase, eventually
from tests.integration.servers import Emperor, debian_uwsgi, reference_uwsgi, vassal

_PROXY = """\
[uwsgi]
emperor-proxy-socket = {socket}
"""


class ProxyTests(ProgramsTestCase):
    """
    With Debian's uWSGI at both ends.
    """

    def binary(self) -> Path:
        """
        Which uWSGI.
        """
        return debian_uwsgi()

    async def begin(self, *options: str) -> int:
        """
        Start an Emperor whose only vassal is a proxy.

        @return: the master of the proxy.
        """
        self.socket = self.place / "proxy"
        self.emperor = Emperor(self, f"binary-path = {self.binary()}", *options)
        (self.emperor.directory / "p.ini").write_text(_PROXY.format(socket=self.socket))
        await self.emperor.start().listens(self.emperor.port)
        await eventually(self.socket.exists, "the proxy's socket is there")
        (proxy,) = [pid for pid in self.processes() if b"p.ini" in _command(pid)]
        return proxy

    async def client(self) -> tuple[Program, int]:
        """
        Start a uWSGI that gets its pipe from the proxy, and wait until the Emperor
        has heard of it.

        @return: it, and its master.
        """
        (self.place / "clients").mkdir(exist_ok=True)
        path = self.place / "clients" / "www.ini"
        path.write_text(vassal())
        variables = {"UWSGI_EMPEROR_PROXY": str(self.socket)}
        client = self.start("client", [self.binary(), "--ini", path], environment=variables)
        reply = await self.emperor.answers("www")
        return client, int(reply.json["master"])

    async def test_life(self) -> None:
        """
        The Emperor hears the client's words in place of the proxy's; the client
        hears its orders: an edit reloads it, and when the file goes it leaves,
        together with the proxy and long before they would be killed.
        """
        proxy = await self.begin("emperor-curse-tolerance = 60")
        client, master = await self.client()
        self.assertNotEqual(proxy, master)
        await self.emperor.program.says("Vassal p.ini accepts requests")
        worker = (await self.emperor.answers("www")).json["worker"]
        path = self.emperor.directory / "p.ini"
        after = len(self.emperor.program.log)
        path.write_text(path.read_text() + "# changed\n")
        await self.emperor.program.says("Vassal p.ini reloads", after=after)
        await self.emperor.program.says("Vassal p.ini accepts requests", after=after)
        reply = await self.emperor.answers("www")
        self.assertEqual(master, reply.json["master"])
        self.assertNotEqual(worker, reply.json["worker"])
        path.unlink()
        await self.emperor.program.says("Vassal p.ini is gone")
        self.assertEqual(0, await client.end())
        self.assertIn("received message 0 from emperor", client.log)
        self.assertNotIn(proxy, self.processes())

    async def test_death(self) -> None:
        """
        A proxy that dies is started again; whoever had its pipe leaves, and comes
        back to the new one.
        """
        proxy = await self.begin()
        client, _ = await self.client()
        os.kill(proxy, signal.SIGKILL)
        self.assertEqual(1, await client.end())
        await self.emperor.program.says("Vassal p.ini died: killed by SIGKILL")
        await self.client()

    async def test_kill(self) -> None:
        """
        When the program is killed, the client sees that, too.
        """
        await self.begin()
        client, _ = await self.client()
        self.emperor.program.send(signal.SIGKILL)
        self.assertEqual(1, await client.end())
        await eventually(lambda: not self.processes(), "nothing is left")


class ReferenceTests(ProxyTests):
    """
    With the last uWSGI, compiled from its source.
    """

    def binary(self) -> Path:
        """
        Which uWSGI.
        """
        return reference_uwsgi()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # gone meanwhile
        return b""
