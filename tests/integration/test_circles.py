"""
Requests that would go round: a router that is its own node, and routers that have
subscribed to each other and lost their nodes.
"""

from __future__ import annotations

import json

from emperor.wire.subscription import Announcement, build_announcement
from emperor.wire.uwsgi import build_packet, encode_variables
from tests.integration.client import exchange
from tests.integration.programs import ProgramsTestCase, free_port
from tests.integration.subscribers import SubscribedRouter

REQUEST = build_packet(0, encode_variables([(b"HTTP_HOST", b"foo.test"), (b"PATH_INFO", b"/")]), 0)


class CirclesTests(ProgramsTestCase):
    def announce(self, router: SubscribedRouter, address: str) -> None:
        router.send(
            build_announcement(Announcement(leaving=False, key="foo.test", address=address))
        )

    async def shown(self, port: int) -> dict[str, object]:
        found: dict[str, object] = json.loads(await exchange(port, b""))
        return found

    async def test_own_address(self) -> None:
        """
        However a router's own address is written, it is turned away, and that is
        shown.
        """
        stats = free_port()
        router = SubscribedRouter(self, f"fastrouter-stats = 127.0.0.1:{stats}", kind="fastrouter")
        await router.serve()
        hosts = ("0.0.0.0", "", "[::ffff:127.0.0.1]", "localhost", "127.0.0.1", "[::]")
        for host in hosts:
            self.announce(router, f"{host}:{router.port}")
        self.announce(router, "not an address")
        await router.program.says("not an address")
        self.assertTrue((await exchange(router.port, REQUEST)).startswith(b"HTTP/1.1 404 "))
        shown = await self.shown(stats)
        self.assertEqual({"own-address": len(hosts), "refused": 1}, shown["rejected"])

    async def test_two_routers(self) -> None:
        """
        Two routers that have subscribed to each other and lost their nodes tell
        each other so once, in one process or several.
        """
        for processes in (1, 2):
            servers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
            stats = [free_port() for _ in range(2)]
            routers = [
                SubscribedRouter(
                    self,
                    f"fastrouter-resubscribe = {servers[1 - number]}",
                    f"fastrouter-stats = 127.0.0.1:{stats[number]}",
                    f"fastrouter-processes = {processes}",
                    kind="fastrouter",
                    server=servers[number],
                    name=f"router{processes}{number}",
                )
                for number in range(2)
            ]
            for router in routers:
                await router.serve()
            for router in routers:
                self.announce(router, f"127.0.0.1:{free_port()}")  # nobody is there
            for router, other in zip(routers, reversed(routers), strict=True):
                await router.program.says(f"new node 127.0.0.1:{other.port}")
            answers = [await exchange(router.port, REQUEST) for router in routers for _ in "1234"]
            for answer in answers:
                self.assertRegex(answer, rb"HTTP/1.1 50[38] ")
            self.assertIn(b"has come", b"".join(answers))
            for port in stats:
                connections = (await self.shown(port))["connections"]
                self.assertLess(int(str(connections)), 30)
