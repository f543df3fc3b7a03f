"""
The same subscriptions and requests, one after the other, at uWSGI's FastRouter and
at ours, under the same configuration: who gets each request.

Where they differ, a table below says why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred

from tests.integration.client import Reply
from tests.integration.programs import CHECKOUT, ProgramsTestCase, eventually, free_port
from tests.integration.scripted import ScriptedNode, Subscriptions, ask
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
SCRIPTS = (
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

#: Where each node is subscribed when hosts are compared.
POOLS = {
    "a.test": "a",
    "fallback.test": "b",
    ".dot.test": "c",
    "port.test:8000": "d",
    "UPPER.test": "a",
}

#: For which the two must agree, whatever is configured.
HOSTS = (
    "a.test",
    "unknown.test",
    ".dot.test",
    "x.dot.test",
    "y.x.dot.test",
    "dot.test",
    "port.test:8000",
    "port.test",
    "port.test:8001",
    "UPPER.test",
)

#: For which they do not: what we answer, and why.
OTHER_HOSTS = {
    "A.test": ("a", "RFC 9110 4.2.3: hosts have no case"),
    "upper.test": ("a", "nor have keys"),
    "a.test:80": ("a", "without a pool for the port, that of the host"),
    "a.test.": ("a", "the closing dot is no part of the name"),
    "": ("400", "uWSGI closes without an answer"),
    "k" * 300: ("400", "so it does here"),
}

DOTSPLIT = "subscription-dotsplit = true"
FALLBACK = "fastrouter-subscription-fallback-key = fallback.test"


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
        self.nodes = {name: ScriptedNode(self, name).address for name in "abcd"}

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

    async def test_weighted(self) -> None:
        """
        Under C{wrr} it is uWSGI's, also while nodes come, go and change.
        """
        theirs, ours = await self.serve()
        for number, script in enumerate(SCRIPTS):
            key = f"order-{number}.test"
            expected = await self.play(theirs, key, script)
            self.assertEqual(await self.play(ours, key, script), expected, script)

    async def test_idle(self) -> None:
        """
        Under C{lrc} and C{wlrc} idle nodes get the same number of requests; uWSGI
        begins with the last one, we with the first.
        """
        for algorithm in ("lrc", "wlrc"):
            theirs, ours = await self.serve(f"subscription-algo = {algorithm}")
            for number, script in enumerate(("+a 3", "+a +b 6", "+a*3 +b +c 12")):
                key = f"order-{number}.test"
                expected = await self.play(theirs, key, script)
                found = await self.play(ours, key, script)
                self.assertEqual(sorted(found), sorted(expected), script)

    async def test_busy(self) -> None:
        """
        Under C{lrc} a node that has a request gets no second one while another
        has none; under C{wlrc} it may have as many as its weight says.
        """
        for algorithm, expected in (("lrc", "abab"), ("wlrc", "aaab")):
            routers = await self.serve(f"subscription-algo = {algorithm}")
            for router in routers:
                self.assertEqual(
                    sorted(await self.hold(router, f"{algorithm}.test", 4)), sorted(expected)
                )

    async def hold(self, router: Router, key: str, count: int) -> str:
        """
        Let a node of weight 3 and one of weight 1 have requests that take long.

        @return: who got them.
        """
        names = {}
        for name, weight in (("a", 3), ("b", 1)):
            names[name] = ScriptedNode(self, name)
            router.subscriptions.send(key, names[name].address, weight=weight)
        await router.subscriptions.settle()
        answers: list[Deferred[Reply]] = []
        for number in range(1, count + 1):
            answers.append(ensureDeferred(router.ask(key, "/hold")))
            await eventually(partial(_hold, names.values(), number), "the request is passed on")
        for node in names.values():
            node.release()
        return "".join([(await answer).text for answer in answers])


class KeyTests(BalancingTestCase):
    """
    Which pool a host leads to.
    """

    async def answers(self, *options: str) -> tuple[dict[str, str], dict[str, str]]:
        """
        What each host is answered: the name of a node, or else our status; uWSGI
        says nothing then.

        @return: uWSGI's and ours.
        """
        both = []
        for router in await self.serve(*options):
            for key, node in POOLS.items():
                router.subscriptions.send(key, self.nodes[node])
            await router.subscriptions.settle()
            replies = {host: await router.ask(host) for host in (*HOSTS, *OTHER_HOSTS)}
            both.append({host: _shown(reply) for host, reply in replies.items()})
        theirs, ours = both
        for host, (expected, _) in OTHER_HOSTS.items():
            self.assertEqual((host, ours[host]), (host, expected))
            self.assertNotEqual((host, theirs[host]), (host, expected))
        return theirs, ours

    async def test_plain(self) -> None:
        """
        A key is one host; to the others uWSGI closes, and we say 404.
        """
        theirs, ours = await self.answers()
        for host in HOSTS:
            self.assertEqual((host, ours[host]), (host, theirs[host] or "404"))

    async def test_fallback_key(self) -> None:
        """
        What is unknown goes to the fallback key.
        """
        theirs, ours = await self.answers(FALLBACK)
        for host in HOSTS:
            self.assertEqual((host, ours[host]), (host, theirs[host]))

    async def test_dotsplit(self) -> None:
        """
        A key with a dot in front is for the hosts below.
        """
        theirs, ours = await self.answers(DOTSPLIT)
        for host in HOSTS:
            self.assertEqual((host, ours[host]), (host, theirs[host] or "404"))

    async def test_both(self) -> None:
        """
        With both, uWSGI forgets the fallback key, and goes up five names at most.
        """
        theirs, ours = await self.answers(DOTSPLIT, FALLBACK)
        for host in HOSTS:
            self.assertEqual((host, ours[host]), (host, theirs[host] or "b"))
        deep = "1.2.3.4.5.6.dot.test"
        uwsgi, emperor = await self.serve(DOTSPLIT)
        for router, expected in ((uwsgi, ""), (emperor, "c")):
            router.subscriptions.send(".dot.test", self.nodes["c"])
            await router.subscriptions.settle()
            self.assertEqual((await router.ask(deep)).text, expected)


class ModifierTests(BalancingTestCase):
    """
    The modifiers that a node asks for.
    """

    async def test_modifiers(self) -> None:
        """
        The node's replace the web server's; if it asks for others later, it gets
        them from us alone.
        """
        theirs, ours = await self.serve()
        for router, later in ((theirs, "5 1"), (ours, "7 0")):
            for modifiers, expected in (((5, 1), "5 1"), ((7, 0), later)):
                first, second = modifiers
                router.subscriptions.send(
                    "perl.test", self.nodes["a"], modifier1=first, modifier2=second
                )
                await router.subscriptions.settle()
                reply = await router.ask("perl.test")
                self.assertEqual(reply.header("X-Modifiers"), expected)


def _hold(nodes: Iterable[ScriptedNode], count: int) -> bool:
    return sum(node.held for node in nodes) == count


def _shown(reply: Reply) -> str:
    return reply.text if reply.status == 200 else str(reply.status or "")
