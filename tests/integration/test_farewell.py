"""
What clients get whose requests take longer than the program can wait.
"""

from __future__ import annotations

import signal

from twisted.internet.defer import ensureDeferred, gatherResults

from tests.integration.client import Reply, fetch
from tests.integration.programs import ProgramsTestCase, eventually
from tests.integration.scripted import ScriptedNode, ask
from tests.integration.servers import Emperor, curl


class FarewellTests(ProgramsTestCase):
    """
    A node that has not begun to answer when the program stops.
    """

    async def hold(self, *options: str) -> Emperor:
        """
        Have one request over HTTP, one by curl, and one through the FastRouter that
        nobody answers.
        """
        node = ScriptedNode(self, "silent")
        rule = rf"route-host = ^silent\.example$ uwsgi:{node.address},0,0"
        emperor = Emperor(self, rule, *options)
        program = emperor.start()
        for port in (emperor.port, emperor.fastrouter_port):
            await program.listens(port)
        path = "/hold"
        self.replies = [
            ensureDeferred(fetch(emperor.port, "silent.example", path)),
            ensureDeferred(ask(emperor.fastrouter_port, "silent.example", path)),
        ]
        url = f"http://127.0.0.1:{emperor.port}{path}"
        self.curl = curl(self, "-i", "-H", "Host: silent.example", url)
        await eventually(lambda: node.held == 3, "three requests at the node")
        return emperor

    async def assert_told(self, emperor: Emperor) -> None:
        replies: list[Reply] = await gatherResults(self.replies)
        for reply in replies:
            self.assertEqual(503, reply.status)
            self.assertIn("Host: silent.example\nReason: the program stops", reply.text)
        self.assertEqual(0, await self.curl.end())
        self.assertIn("HTTP/1.1 503 ", self.curl.log)
        self.assertEqual(0, await emperor.program.end())
        log = emperor.program.log
        self.assertRegex(log, r"requests in flight are ended: \d \(hosts: silent\.example\)")
        self.assertNotIn("Traceback", log)

    async def test_grace(self) -> None:
        """
        They are told when the grace is over.
        """
        emperor = await self.hold("shutdown-grace = 1")
        emperor.program.send(signal.SIGTERM)
        await self.assert_told(emperor)

    async def test_second_time(self) -> None:
        """
        Who asks twice to stop does not wait for the grace.
        """
        emperor = await self.hold("shutdown-grace = 300")
        emperor.program.send(signal.SIGTERM)
        await emperor.program.says("Stopping")
        emperor.program.send(signal.SIGTERM)
        await self.assert_told(emperor)

    async def test_processes(self) -> None:
        """
        So it is with routers in processes of their own.
        """
        emperor = await self.hold("shutdown-grace = 1", "http-processes = 2")
        emperor.program.send(signal.SIGTERM)
        await self.assert_told(emperor)

    async def test_second_time_with_processes(self) -> None:
        """
        And in a hurry.
        """
        options = ("http-processes = 2", "fastrouter-processes = 2", "shutdown-grace = 300")
        emperor = await self.hold(*options)
        emperor.program.send(signal.SIGTERM)
        await emperor.program.says("Stopping")
        emperor.program.send(signal.SIGTERM)
        await self.assert_told(emperor)
