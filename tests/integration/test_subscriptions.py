"""
The subscription server with real uWSGI instances.
"""

from __future__ import annotations

import os
import signal
import socket
from functools import partial
from pathlib import Path

from twisted.internet.defer import ensureDeferred

from emperor.wire.subscription import build_announcement
from tests.integration.client import Reply
from tests.integration.programs import CHECKOUT, ProgramsTestCase, free_port
from tests.integration.servers import PROBE, our_program, until
from tests.integration.subscribers import SubscribedRouter, any_uwsgi, signing_uwsgi
from tests.wire.announcements import announcement, private_key, private_pem, public_pem


class InstanceTests(ProgramsTestCase):
    """
    Instances come and go.
    """

    async def test_two_instances(self) -> None:
        """
        Each that subscribes gets requests, none of which fails when one leaves;
        the log tells once who came and who has gone.
        """
        router = SubscribedRouter(self)
        await router.serve()
        self.assertEqual((await router.fetch()).status, 404)
        one = router.subscribe("one")
        await router.until_from("one")
        router.subscribe("two", key="FOO.test")
        await router.until_from("one", "two")
        await one.stop()
        await router.program.says("has left")
        self.assertEqual(await router.sites(4), {"two"})
        log = router.program.log
        self.assertEqual(log.count("new pool foo.test"), 1)
        self.assertEqual(log.count("foo.test => new node"), 2)
        self.assertEqual(log.count("has left"), 1)

    async def test_killed(self) -> None:
        """
        An instance that is killed says nothing; others serve, and after the
        tolerance it is forgotten.
        """
        router = SubscribedRouter(self, "subscription-tolerance = 3", "subscription-keep-last = 1")
        await router.serve()
        frequent = ("--subscribe-freq", "1")
        one = router.subscribe("one", *frequent, gently=False)
        router.subscribe("two", *frequent)
        await router.until_from("one", "two")
        os.killpg(one.pid, signal.SIGKILL)
        await one.end()
        self.assertEqual(await router.sites(6), {"two"})
        await router.program.says("was not heard of for")

    async def test_notified(self) -> None:
        """
        An instance that listens for it is told that it is known, and logs it.
        """
        router = SubscribedRouter(self)
        await router.serve()
        notify = self.place / "acks.sock"
        one = router.subscribe("one", "--notify-socket", notify)
        await one.says("[subscription ack] foo.test => new node: 127.0.0.1:")

    async def test_signed(self) -> None:
        """
        With keys, a signature is needed: who has the key comes and leaves, who
        has none is turned away and counted.
        """
        keys = self.place / "keys"
        keys.mkdir()
        (keys / "foo.test.pem").write_bytes(public_pem(private_key("rsa")))
        private = self.place / "private.pem"
        private.write_bytes(private_pem(private_key("rsa")))
        router = SubscribedRouter(self, f"subscriptions-sign-check = SHA256:{keys}")
        await router.serve()
        router.subscribe("unsigned")
        await router.program.says("it is not signed (key foo.test)")
        signed = router.subscribe("one", uwsgi=signing_uwsgi(), more=f"sign=SHA256:{private}")
        await router.until_from("one")
        self.assertEqual(await router.sites(4), {"one"})
        await signed.stop()
        await router.program.says("has left")
        self.assertEqual((await router.fetch()).status, 404)

    async def test_credentials(self) -> None:
        """
        Over a UNIX socket the kernel tells who sends: the owner of the file of
        a key may announce it, and nothing else.
        """
        owned = self.place / "owned"
        owned.mkdir()
        (owned / "foo.test").touch()
        server = str(self.place / "subscriptions.sock")
        router = SubscribedRouter(
            self,
            "subscriptions-use-credentials = true",
            f"subscriptions-credentials-check = {owned}/",
            "chmod-socket = 666",
            server=server,
        )
        await router.serve()
        self.assertEqual(os.stat(server).st_mode & 0o777, 0o666)
        router.subscribe("one", "--subscriptions-use-credentials")
        await router.until_from("one")
        router.subscribe("other", "--subscriptions-use-credentials", key="other.test")
        await router.program.says(f"user {os.getuid()}")
        self.assertEqual((await router.fetch("other.test")).status, 404)
        await router.program.stop()
        self.assertFalse(os.path.lexists(server))

    async def test_restart(self) -> None:
        """
        A router that was stopped, or killed, knows its nodes from the file.
        """
        state = self.place / "state.json"
        router = SubscribedRouter(self, f"http-subscription-state = {state}")
        await router.serve()
        router.subscribe("one", "--subscribe-freq", "30")
        await router.until_from("one")
        await router.program.stop()
        for number in (signal.SIGKILL, signal.SIGTERM):
            await router.serve()
            self.assertIn("1 nodes are known from", router.program.log)
            self.assertEqual(await router.sites(2), {"one"})
            router.program.send(number)
            await router.program.end()
        state.write_text("{")
        await router.serve()
        self.assertIn(f"{state} cannot be used", router.program.log)
        await router.program.listens(router.port)

    async def test_processes(self) -> None:
        """
        All processes of a router know the same nodes, also one that is started
        later.
        """
        router = SubscribedRouter(self, "http-processes = 2")
        await router.serve()
        one, two = router.subscribe("one"), router.subscribe("two")
        await router.until_from("one", "two")
        await self.knows(router, "one", "two")
        await one.stop()
        await router.program.says("has left")
        await eventually_only(router, "two")
        workers = [pid for pid in self.processes() if is_worker(pid)]
        self.assertEqual(len(workers), 2)
        os.kill(workers[0], signal.SIGKILL)
        await router.program.says("takes its place")
        await self.knows(router, "two")
        await two.stop()
        await router.until(lambda reply: reply.status == 404, "answer that nobody is there")

    async def knows(self, router: SubscribedRouter, *names: str) -> None:
        """
        Every process sends requests to all of these and to nobody else.
        """
        await router.until_from(*names)
        self.assertEqual(await router.sites(24), set(names))

    async def test_mountpoints(self) -> None:
        """
        A key may be a part of a site, of any depth; the longest one counts.
        """
        router = SubscribedRouter(self, "subscription-mountpoints = 2")
        await router.serve()
        for name, key in (
            ("all", "foo.test"),
            ("blog", "foo.test/blog"),
            ("de", "foo.test/blog/de"),
        ):
            router.subscribe(name, key=key)
        for name, target in (("all", "/x"), ("blog", "/blog/en"), ("de", "/blog/de/page")):
            await router.until(partial(is_from, name), f"answer of {name}", target=target)

    async def test_in_use(self) -> None:
        """
        A port that somebody has is one line and status 1.
        """
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        program = SubscribedRouter(self, server=address).start()
        self.assertEqual(await program.end(), 1)
        self.assertIn(f"cannot listen on {address} for subscriptions", program.log)
        self.assertNotIn("Traceback", program.log)


async def eventually_only(router: SubscribedRouter, name: str) -> None:
    """
    Ask until nobody else has answered several times in a row.
    """
    row = 0

    def only(reply: Reply) -> bool:
        nonlocal row
        row = row + 1 if is_from(name, reply) else 0
        return row >= 8

    await router.until(only, f"answers of {name} alone")


def is_from(name: str, reply: Reply) -> bool:
    """
    Whether an instance has answered.
    """
    return reply.status == 200 and reply.json["site"] == name


def is_worker(pid: int) -> bool:
    """
    Whether a process is one of a router.
    """
    return b"emperor.proxy.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


class CheapTests(ProgramsTestCase):
    """
    The router of seeds that shares its socket with a local instance.
    """

    async def test_cheap(self) -> None:
        """
        Without a node it does not accept: who connects waits, and is served by
        the first node; in several processes as well.
        """
        for processes in (1, 2):
            router = SubscribedRouter(
                self, "http-cheap = true", f"http-processes = {processes}", name=f"r{processes}"
            )
            await router.serve()
            await router.program.says("in cheap mode")
            waiting = ensureDeferred(router.fetch())
            one = router.subscribe("one")
            reply = await waiting
            self.assertEqual((reply.status, reply.json["site"]), (200, "one"))
            await router.program.says("leaves cheap mode")
            await one.stop()
            await router.program.says("enters cheap mode")
            await router.program.stop()

    async def test_in_flight(self) -> None:
        """
        A request that runs when the last node leaves gets its answer.
        """
        router = SubscribedRouter(self, "http-cheap = true")
        await router.serve()
        node = f"127.0.0.1:{free_port()}"
        one = router.subscribe("one", "--subscribe-freq", "30", address=node)
        await router.until_from("one")
        running = ensureDeferred(router.fetch(target="/slow?seconds=1"))
        await one.says("a slow answer begins")
        router.send(build_announcement(announcement(key="foo.test", address=node, leaving=True)))
        await router.program.says("enters cheap mode")
        reply = await running
        self.assertEqual((reply.status, reply.body), (200, b"begun\nended\n"))


class ResubscribeTests(ProgramsTestCase):
    """
    Routers behind routers.
    """

    def router(
        self, name: str, before: str, *, kind: str = "http", server: str = ""
    ) -> SubscribedRouter:
        """
        @param before: where it passes its subscriptions on to.
        """
        options = [f"{kind}-resubscribe = {before}"] if before else []
        return SubscribedRouter(self, *options, kind=kind, server=server, name=name)

    async def test_two_levels(self) -> None:
        """
        What subscribes to the one behind is known in front, with the address of
        the router; when the last node leaves, it is gone in front too.
        """
        front = self.router("front", "")
        back = self.router(
            "back", front.server.replace("127.0.0.1", "localhost"), kind="fastrouter"
        )
        await front.serve()
        await back.serve()
        one, two = back.subscribe("one"), back.subscribe("two")
        await front.program.says(f"foo.test => new node 127.0.0.1:{back.port}")
        await front.until_from("one", "two")
        await one.stop()
        await front.until_from("two")
        await two.stop()
        await front.program.says(f"foo.test => 127.0.0.1:{back.port} has left")
        self.assertEqual(front.program.log.count("new node"), 1)

    async def test_router_leaves(self) -> None:
        """
        A router that stops takes its leave for all of its pools.
        """
        front = self.router("front", "")
        back = self.router("back", front.server, kind="fastrouter")
        await front.serve()
        await back.serve()
        back.subscribe("one")
        await front.until_from("one")
        await back.program.stop()
        await front.program.says(f"foo.test => 127.0.0.1:{back.port} has left")

    async def test_each_other(self) -> None:
        """
        Two that pass theirs on to each other do not become each other's nodes
        without an instance behind them.
        """
        servers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        left = self.router("left", servers[1], kind="fastrouter", server=servers[0])
        right = self.router("right", servers[0], kind="fastrouter", server=servers[1])
        await left.serve()
        await right.serve()
        node = left.subscribe("one", "--subscribe-freq", "1")
        await right.program.says(f"foo.test => new node 127.0.0.1:{left.port}")
        await node.stop()
        await right.program.says(f"foo.test => 127.0.0.1:{left.port} has left")
        self.assertNotIn(f"127.0.0.1:{right.port}", left.program.log.replace("listens on", ""))


class DomainTests(ProgramsTestCase):
    """
    Vassals that name their domains.
    """

    async def test_domain(self) -> None:
        """
        A vassal is in its pools while it accepts: it is there once it started,
        a changed file changes them, and without the file nobody is asked.
        """
        for options in ((), ("http-processes = 2",)):
            await self.check(*options)

    async def check(self, *options: str) -> None:
        vassals = self.place / f"vassals{len(options)}"
        vassals.mkdir()
        port = free_port()
        uwsgi, *rest = any_uwsgi()
        configuration = self.place / f"emperor{len(options)}.ini"
        lines = [
            "[uwsgi]",
            f"emperor = {vassals}",
            "emperor-freq = 1",
            f"binary-path = {uwsgi}",
            f"http = 127.0.0.1:{port}",
            *options,
        ]
        configuration.write_text("\n".join([*lines, ""]))
        program = self.start(
            "emperor",
            [*our_program(), "--config", configuration],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        self.write(vassals, rest, "domain = foo.test", "domain = bar.test,weight=x")
        await until(port, "foo.test", lambda reply: reply.status == 200, "answer")
        self.assertEqual(program.log.count("hello.ini:9: domain: 'x' is no number"), 1)
        self.write(vassals, rest, "domain = other.test")
        await until(port, "other.test", lambda reply: reply.status == 200, "answer")
        await until(port, "foo.test", lambda reply: reply.status == 404, "refusal")
        (vassals / "hello.ini").unlink()
        reply = await until(port, "other.test", lambda reply: reply.status != 200, "refusal")
        self.assertIn(reply.status, (404, 503))  # unknown, or still stopping
        await until(port, "other.test", lambda reply: reply.status == 404, "refusal")
        await program.stop()

    def write(self, vassals: Path, rest: list[str | Path], *domains: str) -> None:
        lines = [
            "[uwsgi]",
            "plugin = python3" if rest else "",
            f"socket = {self.place}/hello.sock",
            "master = true",
            f"wsgi-file = {PROBE}",
            "site = hello",
            "[emperor]",
            *domains,
            "",
        ]
        draft = self.place / "draft"
        draft.write_text("\n".join(lines))
        draft.rename(vassals / "hello.ini")
