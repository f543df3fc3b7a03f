"""
The same subscriptions and requests, one after the other, at uWSGI's FastRouter and
at ours, under the same configuration: who gets each request.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.integration.client import Reply
from tests.integration.programs import CHECKOUT, ProgramsTestCase, free_port
from tests.integration.scripted import Subscriptions, ask, scripted_node
from tests.integration.servers import our_program

UWSGI = Path(sys.executable).with_name("uwsgi")

CONFIGURATION = """\
[uwsgi]
master = true
fastrouter = 127.0.0.1:{port}
fastrouter-subscription-server = 127.0.0.1:{datagrams}
subscription-tolerance = 60
"""

#: What is done, word by word: C{+a} node a subscribes or says that it is there,
#: C{+a*3} with weight 3; C{-a} it leaves; a number is so many requests.
EQUAL = (
    "+a 3",
    "+a +b 6",
    "+a +b +c 12",
    "+a +b +c +d 12",
    "+a*3 +b +c 12",
    "+a +b*3 +c 12",
    "+a +b +c*3 12",
    "+a*4 +b*2 +c 14",
    "+a*3 +b*2 12",
    "+a*5 +b*5 12",
    "+a +b 3 +c 9",
    "+a +b +c 5 -b 7",
    "+a +b +c 4 -c 8",
    "+a +b +c 5 -b 2 +b 7",
    "+a +b 2 -a -b +b +a 4",
    "+a +b +c 5 +a +b +c 7",
    "+a +b 5 +a*3 7",
)


@dataclass(frozen=True, slots=True)
class Router:
    """
    One of the two.
    """

    name: str
    port: int
    subscriptions: Subscriptions

    async def ask(self, host: str, target: str = "/") -> Reply:
        return await ask(self.port, host, target)


class BalancingTestCase(ProgramsTestCase):
    """
    Two routers, four nodes.
    """

    def setUp(self) -> None:
        """
        Start the nodes.
        """
        super().setUp()
        self.nodes = {name: scripted_node(self, name) for name in "abcd"}

    async def serve(self, *options: str) -> list[Router]:
        """
        Start both with further lines in their configuration; uWSGI's first.
        """
        uwsgi = await self._router("uwsgi", [UWSGI, "--ini"], options)
        ours = await self._router("emperor", [*our_program(), "--config"], options)
        return [uwsgi, ours]

    async def _router(
        self, name: str, command: list[str | Path], options: tuple[str, ...]
    ) -> Router:
        port, datagrams = free_port(), free_port()
        path = self.place / f"{name}.ini"
        text = CONFIGURATION.format(port=port, datagrams=datagrams)
        path.write_text(text + "".join(f"{line}\n" for line in options))
        program = self.start(
            name, [*command, path], environment={"PYTHONPATH": str(CHECKOUT)}, gently=False
        )
        await program.listens(port)
        router = Router(name, port, Subscriptions(self, program, datagrams))
        await router.subscriptions.settle()
        return router

    async def play(self, router: Router, key: str, script: str) -> str:
        """
        Do what a script says.

        @return: who got the requests.
        """
        got = ""
        for word in script.split():
            if word.isdecimal():
                await router.subscriptions.settle()
                for _ in range(int(word)):
                    got += (await router.ask(key)).text or "-"
                continue
            name, _, weight = word[1:].partition("*")
            leaving = word[0] == "-"
            router.subscriptions.send(
                key, self.nodes[name], leaving=leaving, weight=int(weight or 1)
            )
        return got


class OrderTests(BalancingTestCase):
    """
    The order of the nodes.
    """

    async def test_weights(self) -> None:
        """
        Under C{wrr} it is uWSGI's, also while nodes come, go and change.
        """
        theirs, ours = await self.serve()
        for number, script in enumerate(EQUAL):
            key = f"order-{number}.test"
            expected = await self.play(theirs, key, script)
            self.assertEqual(await self.play(ours, key, script), expected, script)
            print(script, expected)
