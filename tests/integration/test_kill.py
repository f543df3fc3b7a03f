"""
One of two nodes is killed while many ask.
"""

from __future__ import annotations

from pathlib import Path

from tests.integration.load import Load
from tests.integration.nodes import kill, start_router, start_uwsgi
from tests.integration.programs import Program, ProgramsTestCase, eventually, free_port
from tests.integration.servers import PROBE, nginx

HOST = "www.test"

#: What a node logs of a request.
REQUEST = "GET / =>"


class KillTests(ProgramsTestCase):
    """
    Requests that may be repeated are, at the other node.
    """

    async def test_killed(self) -> None:
        """
        SIGKILL for one node and all its workers, behind the FastRouter with nginx
        in front and behind the HTTP router: no request fails, in one process and
        in two.
        """
        for processes in (1, 2):
            await self.check(processes)

    async def check(self, processes: int) -> None:
        ports = {kind: free_port() for kind in ("fastrouter", "http")}
        servers = {kind: f"127.0.0.1:{free_port()}" for kind in ports}
        lines = [
            line
            for kind, port in ports.items()
            for line in (
                f"{kind} = 127.0.0.1:{port}",
                f"{kind}-subscription-server = {servers[kind]}",
                f"{kind}-processes = {processes}",
            )
        ]
        router = start_router(self, *lines)
        front = await nginx(self, ports["fastrouter"])
        for kind in ports:
            await router.says(f"{kind} takes subscriptions")
        subscriptions = [f"--subscribe-to={server}:{HOST}" for server in servers.values()]
        nodes = [self.node(*subscriptions) for _ in range(2)]
        await eventually(lambda: router.log.count("new node") == 4, "both subscribe to both")
        loads = [Load(self, port, HOST, seconds=60) for port in (front, ports["http"])]
        for node in nodes:
            await self.serves(node, 300)
        kill(nodes[0])
        await self.serves(nodes[1], nodes[1].log.count(REQUEST) + 300)
        self.assertTrue(all(load.running for load in loads))
        for load in loads:
            self.assertEqual((await load.stop()).failures, "")
        for program in (nodes[1], router):
            await program.stop()

    def node(self, *options: str | Path) -> Program:
        """
        Start a node on a port that it chooses.
        """
        return start_uwsgi(
            self,
            "node",
            *("--socket", "127.0.0.1:0", "--master", "--die-on-term", "--processes", "2"),
            *("--wsgi-file", PROBE, "--set", "site=node"),
            *options,
        )

    async def serves(self, node: Program, count: int) -> None:
        """
        Wait until a node has logged so many requests.
        """
        await eventually(lambda: node.log.count(REQUEST) >= count, f"it logs {count} requests")
