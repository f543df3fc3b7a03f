"""
Statistics servers, as somebody meets them who looks.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from emperor.wire.uwsgi import build_packet, encode_variables
from tests.integration.client import exchange, fetch, read_reply, request
from tests.integration.programs import ProgramsTestCase, free_port, reactor
from tests.integration.servers import Emperor, curl, until


class StatsTests(ProgramsTestCase):
    """
    C{http-stats} and C{fastrouter-stats}.
    """

    async def serve(self, *options: str) -> Emperor:
        """
        The program with one vassal and the statistics of the HTTP router.
        """
        self.stats = free_port()
        emperor = Emperor(self, f"http-stats = 127.0.0.1:{self.stats}", *options)
        await emperor.serve("www")
        return emperor

    async def shown(self) -> Any:
        return json.loads(await exchange(self.stats, b""))

    async def until(self, **wanted: object) -> Any:
        """
        Read until the values are these; a process reports once a second.
        """
        return await self.until_found(
            lambda shown: all(shown[name] == value for name, value in wanted.items())
        )

    async def until_found(self, found: Callable[[Any], bool]) -> Any:
        """
        Read until C{found} is content.
        """
        end = reactor.seconds() + 20
        while reactor.seconds() < end:
            shown = await self.shown()
            if found(shown):
                return shown
            await deferLater(reactor, 0.2)
        self.fail(f"never; the last is {shown}")

    async def test_counts(self) -> None:
        """
        What the router has done.
        """
        emperor = await self.serve("fastrouter-to = 127.0.0.1:1")
        before = await self.shown()
        self.assertEqual(emperor.program.pid, before["pid"])
        self.assertEqual(str(self.place), before["cwd"])
        self.assertEqual([f"127.0.0.1:{emperor.port}"], before["http"])
        for _ in range(3):
            await emperor.fetch("www")
        await fetch(emperor.port, "nobody.example")
        after = await self.shown()
        self.assertEqual(4, after["connections"] - before["connections"])
        self.assertEqual(4, after["requests"] - before["requests"])
        self.assertEqual(1, after["refusals"]["unknown-host"])
        self.assertEqual(0, after["active_sessions"])
        self.assertNotIn("static_nodes", after)

    async def test_session(self) -> None:
        """
        A connection in use is an active session.
        """
        emperor = await self.serve()
        with socket.create_connection(("127.0.0.1", emperor.port)):
            await self.until(active_sessions=1)
        await self.until(active_sessions=0)

    async def test_fixed_nodes(self) -> None:
        """
        C{fastrouter-to}, at a UNIX socket; the file goes with the program.
        """
        path = self.place / "stats.sock"
        emperor = await self.serve(
            "fastrouter-to = %dwww.sock", f"fastrouter-stats = {path}", "chmod-socket = 640"
        )
        self.assertEqual(0o640, path.stat().st_mode & 0o777)
        shown = json.loads(await deferToThread(read, socket.AF_UNIX, str(path)))
        (node,) = shown["static_nodes"]
        self.assertEqual((f"{self.place}/www.sock", 0, 0), tuple(node.values()))
        self.assertEqual([f"127.0.0.1:{emperor.fastrouter_port}"], shown["fastrouter"])
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(0, await emperor.program.end())
        self.assertFalse(path.exists())
        self.assertNotIn("Traceback", emperor.program.log)

    async def test_processes(self) -> None:
        """
        What processes did is added up, also what one did that was killed.
        """
        emperor = await self.serve("http-processes = 2")
        for _ in range(20):
            await emperor.fetch("www")
        shown = await self.until_found(lambda shown: shown["requests"] >= 20)
        total = shown["requests"]
        pids = [process["pid"] for process in shown["processes"]]
        self.assertEqual(2, len(set(pids)))
        self.assertEqual(total, sum(process["requests"] for process in shown["processes"]))
        busy = max(shown["processes"], key=lambda process: process["requests"])
        os.kill(busy["pid"], signal.SIGKILL)
        await emperor.program.says("takes its place")
        shown = await self.until_found(
            lambda shown: busy["pid"] not in [each["pid"] for each in shown["processes"]]
        )
        self.assertGreaterEqual(shown["requests"], total)
        self.assertLess(sum(process["requests"] for process in shown["processes"]), total)
        total = shown["requests"]
        await emperor.fetch("www")
        await self.until_found(lambda shown: shown["requests"] > total)

    async def test_subscribed(self) -> None:
        """
        What a node that has subscribed does is added up over processes.
        """
        servers = free_port()
        emperor = await self.serve(
            "http-processes = 2", f"http-subscription-server = 127.0.0.1:{servers}"
        )
        said = {"key": "else.example", "address": f"{self.place}/www.sock", "weight": "2"}
        variables = encode_variables((name.encode(), said[name].encode()) for name in said)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(build_packet(224, variables, 0), ("127.0.0.1", servers))
        for _ in range(20):
            await until(
                emperor.port, "else.example", lambda reply: reply.status == 200, "subscription"
            )

        def reported(shown: Any) -> bool:
            node = shown["subscriptions"][0]["nodes"][0]
            return bool(node["requests"] == 20 and not node["ref"])

        shown = await self.until_found(reported)
        (pool,) = shown["subscriptions"]
        (node,) = pool["nodes"]
        self.assertEqual(("else.example", said["address"]), (pool["key"], node["name"]))
        self.assertEqual((20, 20, 20), (pool["hits"], node["requests"], node["last_requests"]))
        self.assertEqual((2, 0, 0, 0), (node["weight"], node["ref"], node["failcnt"], node["wrr"]))
        for name in ("tx", "rx"):
            self.assertGreater(node[name], 20 * 100)

    async def test_http(self) -> None:
        """
        C{curl} reads them with C{stats-http}; who says nothing is not waited for.
        """
        emperor = await self.serve("stats-http = true", "stats-minified = true")
        with socket.create_connection(("127.0.0.1", self.stats)):
            program = curl(self, f"http://127.0.0.1:{self.stats}/")
            self.assertEqual(0, await program.end())
            self.assertEqual(emperor.program.pid, json.loads(program.stdout)["pid"])
            answer = read_reply(await exchange(self.stats, request("a")))
        self.assertEqual("application/json", answer.header("Content-Type"))
        self.assertNotIn("\n", answer.text)

    async def test_half_closed(self) -> None:
        """
        So does C{nc}, whose input is at its end before it reads.
        """
        await self.serve()
        shown = json.loads(await deferToThread(read, socket.AF_INET, ("127.0.0.1", self.stats)))
        self.assertIn("connections", shown)

    async def test_in_use(self) -> None:
        """
        An address in use is one line, and status 1.
        """
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            program = Emperor(self, f"http-stats = {address}").start()
            self.assertEqual(1, await program.end())
        self.assertIn(f"cannot listen on {address}", program.log)
        self.assertEqual(1, len(program.log.splitlines()))


def read(family: int, address: Any) -> bytes:
    """
    All that comes from a socket to one who says nothing.
    """
    answer = b""
    with socket.socket(family) as reader:
        reader.settimeout(20)
        reader.connect(address)
        reader.shutdown(socket.SHUT_WR)
        while data := reader.recv(65536):
            answer += data
    return answer
