"""
Where routers listen and what they dial, with those who give them their sockets
and with nodes of every kind.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from emperor.addresses import BorrowedSocket, TcpAddress, UnixAddress, parse_node
from emperor.config.settings import HttpSettings, Node
from emperor.interfaces import INetwork
from emperor.proxy.listeners import OpenRouter, open_listeners
from emperor.proxy.networks import make_network
from emperor.proxy.nodes import make_dialer
from emperor.proxy.refusals import RefusalLog
from emperor.proxy.router import Router
from emperor.proxy.service import RouterService
from emperor.testing.proxy import FakeVassals
from emperor.wire.uwsgi import build_packet, encode_variables
from tests.integration.client import fetch
from tests.integration.programs import (
    CHECKOUT,
    Program,
    ProgramsTestCase,
    eventually,
    free_port,
    reactor,
)
from tests.integration.servers import (
    PROBE,
    Emperor,
    debian_uwsgi,
    found,
    our_program,
    until_answered,
)
from tests.proxy.certificates import Authority

WHEEL = Path(sys.executable).with_name("uwsgi")


class NodeTests(ProgramsTestCase):
    """
    C{http-to} with nodes that are not on a literal address.
    """

    def node(self, program: Path, *arguments: str) -> Program:
        """
        Start uWSGI with the probe.
        """
        common = ["--master", "--need-app", "--wsgi-file", str(PROBE), "--set", "site=node"]
        if program == WHEEL:
            common += ["--binary-path", sys.executable]
        return self.start("uwsgi", [program, *arguments, *common], gently=False)

    def router(self, node: str, **environment: str) -> int:
        """
        Start our program in front of a node.

        @return: its port.
        """
        port = free_port()
        configuration = self.place / "router.ini"
        configuration.write_text(
            f"[uwsgi]\nhttp = 127.0.0.1:{port}\nhttp-to = {node}\ntransport = {self.transport}\n"
        )
        self.start(
            "emperor",
            [*our_program(), "--config", configuration],
            environment={"PYTHONPATH": str(CHECKOUT), **environment},
        )
        return port

    async def test_name(self) -> None:
        """
        A node with a name, which may also stand for an address where nobody
        listens.
        """
        port = free_port()
        self.node(WHEEL, "--socket", f"127.0.0.1:{port}")
        ours = self.router(f"localhost:{port}")
        await until_answered(ours, "any.test")
        for _ in range(5):
            self.assertEqual((await fetch(ours, "any.test")).json["site"], "node")

    async def test_unknown_name(self) -> None:
        """
        A name that nobody has is a bad gateway, and the answer says why.
        """
        ours = self.router("no-such-name.invalid:3031")
        await self.programs[-1].listens(ours)
        reply = await fetch(ours, "any.test")
        self.assertEqual(reply.status, 502)
        self.assertIn("the name no-such-name.invalid has no address", reply.text)

    def secured(self, host: str = "localhost") -> int:
        """
        Start a uWSGI that speaks TLS.

        @return: its port.
        """
        port = free_port()
        authority = Authority()
        certificate, key = authority.certify(host)
        for name, data in (("ca", authority.pem), ("crt", certificate), ("key", key)):
            (self.place / name).write_bytes(data)
        address = f"127.0.0.1:{port},{self.place}/crt,{self.place}/key"
        self.node(debian_uwsgi(), "--plugin", "python3", "--suwsgi-socket", address)
        return port

    async def test_tls(self) -> None:
        """
        A uWSGI behind TLS, whose authority the system trusts.
        """
        port = self.secured()
        ours = self.router(f"tls://localhost:{port}", SSL_CERT_FILE=str(self.place / "ca"))
        await until_answered(ours, "any.test")
        reply = await fetch(ours, "any.test", "/download?bytes=1000000")
        self.assertEqual((reply.status, len(reply.body)), (200, 1000000))

    async def test_tls_not_trusted(self) -> None:
        """
        One that nobody vouches for is not sent a byte.
        """
        port = self.secured()
        await self.programs[-1].listens(port)
        ours = self.router(f"tls://localhost:{port}")
        await self.programs[-1].listens(ours)
        reply = await fetch(ours, "any.test")
        self.assertEqual(reply.status, 502)
        self.assertIn("certificate verify failed", reply.text)


class PassedTests(ProgramsTestCase):
    """
    Sockets from systemd.
    """

    async def serve(self, where: str, line: str) -> tuple[Emperor, Program]:
        """
        Let C{systemd-socket-activate} listen and start our program with a line of
        its configuration.
        """
        emperor = Emperor(self, line)
        emperor.add("www")
        emperor.write()
        program = self.start(
            "systemd-socket-activate",
            [
                found("systemd-socket-activate", "systemd"),
                f"--listen={where}",
                "--fdname=front",
                "--setenv=PYTHONPATH",
                *our_program(),
                "--config",
                emperor.configuration,
            ],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        return emperor, program

    async def test_tcp(self) -> None:
        """
        By its name, its number or its address it is the same socket.
        """
        for text in ("fd://front", "fd://3", "127.0.0.1:{port}"):
            port = free_port()
            line = f"http = {text.format(port=port)}"
            emperor, program = await self.serve(f"127.0.0.1:{port}", line)
            reply = await until_answered(port, "www.test")
            # Nothing of it is for the vassals.
            environment = Path(f"/proc/{reply.json['master']}/environ").read_bytes()
            self.assertNotIn(b"LISTEN_", environment)
            self.assertIn("http listens on ", program.log)
            self.assertIn("(fd://front)", program.log)
            await program.stop()
            self.assertEqual(await program.end(), 0)
            emperor.remove("www")
            emperor.directory.rmdir()

    async def test_unix(self) -> None:
        """
        The file of a UNIX socket is systemd's: it stays.
        """
        path = self.place / "front.sock"
        _, program = await self.serve(str(path), f"fastrouter = {path}\nfastrouter-processes = 2")
        await program.says("Listening on")
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(path))
            await program.says("Vassals up: www.ini")
        await eventually(lambda: b"200 OK" in self.ask(path), "it answers")
        await program.stop()
        self.assertEqual(await program.end(), 0)
        self.assertTrue(path.exists())

    def ask(self, path: Path) -> bytes:
        """
        One request to a FastRouter.
        """
        variables = {b"HTTP_HOST": b"www.test", b"SERVER_PROTOCOL": b"HTTP/1.0"}
        variables |= {b"REQUEST_METHOD": b"GET", b"PATH_INFO": b"/"}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(build_packet(0, encode_variables(variables.items()), 0))
            return b"".join(iter(lambda: connection.recv(4096), b""))


class ZergTests(ProgramsTestCase):
    """
    C{http-zerg}: the sockets of a uWSGI.
    """

    async def test_sockets(self) -> None:
        """
        Who connects to the uWSGI's sockets gets our answers, over TCP and UNIX.
        """
        zerg, path, port = self.place / "zerg", self.place / "sock", free_port()
        sockets = ["--http-socket", f"127.0.0.1:{port}", "--http-socket", str(path)]
        server: list[str | Path] = [
            WHEEL,
            "--master",
            "--processes",
            "0",
            "--binary-path",
            sys.executable,
        ]
        uwsgi = self.start("uwsgi", [*server, *sockets, "--zerg-server", zerg], gently=False)
        await uwsgi.says("Zerg server enabled")
        opened = open_listeners(
            HttpSettings(
                listen=(),
                zerg=(UnixAddress(bytes(zerg)),),
                to=(Node(parse_node(str(self.place / "none"))),),
            )
        )
        origin = f"zerg {zerg}"
        expected = (
            BorrowedSocket(TcpAddress("127.0.0.1", port), origin),
            BorrowedSocket(UnixAddress(bytes(path)), origin),
        )
        self.assertEqual(opened.settings.listen, expected)
        await self.serve(opened)
        reply = await fetch(port, "any.test")
        self.assertEqual(reply.status, 503)
        self.assertIn("nothing listens at", reply.text)

    async def serve(self, opened: OpenRouter) -> None:
        """
        Run a router in this process until the end of the test.
        """
        clock = Clock()  # that counts refused requests; nobody will see them
        network: INetwork = make_network(reactor, self.transport)
        router = Router(
            opened.settings,
            clock=reactor,
            dialer=make_dialer(reactor, network, opened.settings),
            vassals=FakeVassals(),
            refusals=RefusalLog(clock),
        )
        service = RouterService(reactor, network, router, opened.rows[0], hostname="test", grace=1)
        for each in (network, service):
            each.startService()
            self.addCleanup(maybeDeferred, each.stopService)
