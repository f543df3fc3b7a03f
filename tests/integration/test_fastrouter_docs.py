"""
"The uWSGI FastRouter", the page of uWSGI's documentation, setting by setting, with
ours as the FastRouter: its command lines and files as it prints them, but for
addresses that this machine does not have.
"""

from __future__ import annotations

import signal
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred

from tests.integration.client import Reply
from tests.integration.nodes import start_command, start_router, start_uwsgi
from tests.integration.programs import Program, ProgramsTestCase, eventually, free_port
from tests.integration.redisservers import Redis
from tests.integration.scripted import ScriptedNode, Subscriptions, ask, ask_unix
from tests.integration.servers import PROBE

MAPPINGS = """\
# mappings.txt
unbit.it
unbit.it:8000,5
uwsgi.it
projects.unbit.it
"""

MAPPER = """\
def get(key):
    return '{a}'
"""

MEGAMAPPER = """\
domains = {{}}
domains['example.com'] = {{'nodes': ('{a}', '{b}'), 'node': 0}}
domains['unbit.it'] = {{'nodes': ('{c},5', '{d},5'), 'node': 0}}

DEFAULT_NODE = '{e}'

def get(key):
    if key not in domains:
        return DEFAULT_NODE
    # get the node to forward requests to
    nodes = domains[key]['nodes']
    current_node = domains[key]['node']
    value = nodes[current_node]
    # round robin :P
    next_node = current_node + 1
    if next_node >= len(nodes):
        next_node = 0
    domains[key]['node'] = next_node
    return value
"""

SHARED = """\
[uwsgi]
;create a shared socket (the webserver will connect to it)
shared-socket = {socket}
; bind the fastrouter to the shared socket
fastrouter = =0
; bind an instance to the same socket
socket = =0
; having a master is always a good thing...
master = true
; our subscription server
fastrouter-subscription-server = {server}
; our app
wsgi-file = {place}/myheavyapp.wsgi
; a bunch of processes
processes = 4
; and put the fastrouter in cheap mode
fastrouter-cheap = true
"""

#: Takes as long as somebody wants who asks for C{/hold}.
HEAVY = """\
import os, sys, time

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/hold":
        print("the application is busy", file=sys.stderr, flush=True)
        while not os.path.exists("ready"):
            time.sleep(0.01)
    return [b"local"]
"""


class DocsTestCase(ProgramsTestCase):
    """
    A FastRouter on a port.
    """

    def setUp(self) -> None:
        """
        Choose the port.
        """
        super().setUp()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"

    async def serve(self, *arguments: str | Path) -> Program:
        """
        Start it with a command line.
        """
        router = start_command(self, "--fastrouter", self.address, *arguments)
        await router.listens(self.port)
        return router

    async def ask(self, host: str, **variables: str) -> Reply:
        """
        Ask it.
        """
        return await ask(self.port, host, variables=variables)

    async def site(self, host: str) -> str:
        """
        Which node answers.
        """
        reply = await self.ask(host)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.text

    def instance(self, site: str, *arguments: str | Path) -> Program:
        """
        Start a uWSGI with the probe.
        """
        return start_uwsgi(
            self, site, *arguments, "--wsgi-file", PROBE, "--set", f"site={site}", "--need-app"
        )


class MappingTests(DocsTestCase):
    """
    Ways to choose a node without subscriptions.
    """

    async def test_useless(self) -> None:
        """
        The most useless FastRouter in the world, on three addresses: whoever asks
        gets a 404 with the reason.
        """
        path, name = self.place / "uwsgi.sock", f"foobar-{self.port}"
        await self.serve("--fastrouter", path, "--fastrouter", f"@{name}")
        unix = [ask_unix(each, "x.test") for each in (bytes(path), f"\0{name}\0".encode())]
        for reply in (await self.ask("x.test"), *unix):
            self.assertEqual(reply.status, 404)
            self.assertIn("no site is configured for the host x.test", reply.text)

    async def test_base(self) -> None:
        """
        A UNIX socket with the host's name in a directory; a missing one is a 404.
        """
        sockets = self.place / "sockets"
        sockets.mkdir()
        await self.serve("--fastrouter-use-base", sockets)
        await self.check(sockets / "example.com")

    async def test_base_with_pattern(self) -> None:
        """
        The page calls a pattern a base, too.
        """
        sockets = self.place / "sockets"
        (sockets / "example.com").mkdir(parents=True)
        await self.serve("--fastrouter-use-base", f"{sockets}/%s/uwsgi.sock")
        await self.check(sockets / "example.com" / "uwsgi.sock")

    async def test_pattern(self) -> None:
        """
        Its own name works as well.
        """
        sockets = self.place / "sockets"
        (sockets / "example.com").mkdir(parents=True)
        await self.serve("--fastrouter-use-pattern", f"{sockets}/%s/uwsgi.sock")
        await self.check(sockets / "example.com" / "uwsgi.sock")

    async def check(self, socket: Path) -> None:
        """
        See that requests for example.com, and no others, reach this socket.
        """
        node = self.instance("example", "--socket", socket)
        await node.says("spawned uWSGI worker")
        self.assertEqual((await self.ask("example.com")).json["site"], "example")
        self.assertEqual((await self.ask("example.org")).status, 404)
        self.assertEqual((await self.ask("../example.com")).status, 400)

    async def test_cache(self) -> None:
        """
        The page's two keys, in Redis: one with a port, one with a modifier.
        """
        nodes = {name: ScriptedNode(self, name) for name in "ab"}
        redis = Redis(self)
        await redis.start()
        await redis.command("SET", "example.com:8000", nodes["a"].address)
        await redis.command("SET", "unbit.it", f"{nodes['b'].address},5")
        await self.serve("--fastrouter-use-cache", f"redis://127.0.0.1:{redis.port}")
        self.assertEqual(await self.site("example.com:8000"), "a")
        self.assertEqual((await self.ask("example.com")).status, 404)
        reply = await self.ask("unbit.it")
        self.assertEqual((reply.text, reply.header("X-Modifiers")), ("b", "5 0"))

    async def test_code(self) -> None:
        """
        A function that always says the same.
        """
        node = ScriptedNode(self, "a")
        (self.place / "mapper.py").write_text(MAPPER.format(a=node.address))
        await self.serve("--fastrouter-use-code-string", "0:mapper.py:get")
        for host in ("example.com", "any.test"):
            self.assertEqual(await self.site(host), "a")

    async def test_more_code(self) -> None:
        """
        "With only few lines we have implemented round-robin load-balancing with a
        fallback node.  Pow!"
        """
        nodes = {name: ScriptedNode(self, name).address for name in "abcde"}
        (self.place / "megamapper.py").write_text(MEGAMAPPER.format(**nodes))
        await self.serve("--fastrouter-use-code-string", "0:megamapper.py:get")
        for host, expected in (("example.com", "ababa"), ("unbit.it", "cdcdc"), ("x.it", "eee")):
            got = [await self.site(host) for _ in expected]
            self.assertEqual("".join(got), expected)
        self.assertEqual((await self.ask("unbit.it")).header("X-Modifiers"), "5 0")


class SubscribingTests(DocsTestCase):
    """
    Instances that announce themselves.
    """

    async def subscriptions(self, *options: str | Path) -> tuple[Program, str]:
        """
        Start the FastRouter with a subscription server.

        @return: it, and the server's address.
        """
        server = f"127.0.0.1:{free_port()}"
        router = await self.serve("--fastrouter-subscription-server", server, *options)
        await router.says("takes subscriptions")
        return router, server

    async def test_instances(self) -> None:
        """
        One key; two keys of another one, of which one has a modifier, for which
        that instance has no plugin; and two instances with one key.
        """
        router, server = await self.subscriptions()
        ports = [free_port() for _ in range(3)]
        to = "--subscribe-to"
        self.instance("one", "--socket", f":{ports[0]}", "-M", to, f"{server}:example.com")
        second = ["--socket", f":{ports[1]}", "-M"]
        second += [to, f"{server}:unbit.it,5", to, f"{server}:uwsgi.it"]
        two = self.instance("two", *second)
        await eventually(lambda: router.log.count("new node") == 3, "all three keys are known")
        self.assertEqual((await self.ask("example.com")).json["site"], "one")
        self.assertEqual((await self.ask("uwsgi.it")).json["site"], "two")
        self.assertEqual((await self.ask("unbit.it")).status, 502)
        await two.says("unavailable modifier requested: 5")
        self.instance("more", "--socket", f":{ports[2]}", "-M", to, f"{server}:example.com")
        await eventually(lambda: router.log.count("new node") == 4, "one more")
        sites = [(await self.ask("example.com")).json["site"] for _ in range(4)]
        self.assertEqual(sorted(sites), ["more", "more", "one", "one"])

    async def test_random_port(self) -> None:
        """
        The real port is announced.
        """
        router, server = await self.subscriptions()
        key = f"{server}:example.com"
        self.instance("one", "--socket", "127.0.0.1:0", "-M", "--subscribe-to", key)
        await router.says("example.com => new node 127.0.0.1:")
        self.assertEqual((await self.ask("example.com")).json["site"], "one")

    async def test_mapping_file(self) -> None:
        """
        A file of keys: one of them with a port and a modifier.
        """
        (self.place / "mappings.txt").write_text(MAPPINGS)
        router, server = await self.subscriptions()
        options = ["--socket", f":{free_port()}", "-M"]
        node = self.instance("one", *options, "--subscribe-to", f"{server}:@mappings.txt")
        await eventually(lambda: router.log.count("new node") == 4, "all four keys are known")
        for host in ("unbit.it", "uwsgi.it", "projects.unbit.it"):
            self.assertEqual((await self.ask(host)).json["site"], "one", host)
        self.assertEqual((await self.ask("unbit.it:8000")).status, 502)
        await node.says("unavailable modifier requested: 5")

    async def test_notes(self) -> None:
        """
        Which variable is the key; and the options of the page's end: the number
        of events and the passing of descriptors are accepted, the time-out counts.
        """
        port = free_port()
        server = f"127.0.0.1:{free_port()}"
        router = start_router(
            self,
            f"fastrouter = 127.0.0.1:{port}",
            f"fastrouter-subscription-server = {server}",
            "fastrouter-events = 128",
            "fastrouter-timeout = 1",
            "no-fd-passing = true",
        )
        await router.listens(port)
        self.port = port
        subscriptions = Subscriptions(self, router, int(server.rpartition(":")[2]))
        for name in "abc":
            subscriptions.send(f"{name}.test", ScriptedNode(self, name).address)
        await subscriptions.settle()
        key, name = "UWSGI_FASTROUTER_KEY", "SERVER_NAME"
        for host, variables, expected in (
            ("b.test", {key: "a.test", name: "c.test"}, "a"),
            ("b.test", {name: "c.test"}, "b"),
            ("", {name: "c.test"}, "c"),
        ):
            self.assertEqual((await self.ask(host, **variables)).text, expected)
        reply = await ask(self.port, "a.test", "/hold")
        self.assertEqual(reply.status, 504)


class SharedSocketTests(DocsTestCase):
    """
    The web server's node is an instance too.
    """

    async def test_shared_socket(self) -> None:
        """
        One file, one socket.  The local application answers; when it is busy and
        there is another node, that one does; when that has gone, the local one
        alone again, also after a reload.  At the end nothing is left.
        """
        server = free_port()
        (self.place / "myheavyapp.wsgi").write_text(HEAVY)
        configuration = self.place / "shared.ini"
        configuration.write_text(
            SHARED.format(socket=self.address, server=f"127.0.0.1:{server}", place=self.place)
        )
        program = start_command(self, "--config", configuration)
        await program.says("Vassals up: instance")
        self.assertEqual(await self.sites(8), {"local"})
        subscriptions, node = Subscriptions(self, program, server), ScriptedNode(self, "remote")
        subscriptions.send("example.com", node.address)
        await program.says("leaves cheap mode")
        crowd = self.crowd(8)
        await eventually(lambda: node.held >= 4, "the node gets what is too much")
        node.release()
        self.assertEqual(await self.answers(crowd), {"local", "remote"})
        subscriptions.send("example.com", node.address, leaving=True)
        await program.says("enters cheap mode")
        said = len(program.log)
        program.send(signal.SIGHUP)
        await program.says("Vassal instance accepts requests", after=said)
        crowd = self.crowd(4)
        busy = "the application is busy"
        await eventually(lambda: program.log[said:].count(busy) == 4, "all its processes serve")
        self.assertEqual(await self.answers(crowd), {"local"})
        await program.stop()
        self.assertEqual(self.processes(), [])

    def crowd(self, count: int) -> list[Deferred[Reply]]:
        """
        Send so many requests that take long.
        """
        (self.place / "ready").unlink(missing_ok=True)
        return [ensureDeferred(ask(self.port, "example.com", "/hold")) for _ in range(count)]

    async def answers(self, crowd: list[Deferred[Reply]]) -> set[str]:
        """
        Let the local application answer.

        @return: who answers.
        """
        (self.place / "ready").touch()
        replies = [await request for request in crowd]
        self.assertEqual({reply.status for reply in replies}, {200})
        return {reply.text for reply in replies}

    async def sites(self, count: int) -> set[str]:
        """
        Who answers so many requests, sent one after the other.
        """
        return {await self.site("example.com") for _ in range(count)}
