"""
"uWSGI FastRouter and nginx": the article's files as it prints them, with ours as
the router.
"""

from __future__ import annotations

import os
import signal
import socket
from functools import partial

from twisted.internet.defer import ensureDeferred

from tests.integration.client import fetch
from tests.integration.datagrams import ENVIRONMENT, subscribe_command
from tests.integration.load import Load
from tests.integration.nodes import kill, start_uwsgi, uwsgi_command
from tests.integration.programs import (
    CHECKOUT,
    Program,
    ProgramsTestCase,
    eventually,
    free_port,
)
from tests.integration.scripted import ask
from tests.integration.servers import found, our_program, until

#: The web page has lost the addresses.
ROUTER = """\
[uwsgi]
plugins = fastrouter
master = true
shared-socket = {router}
fastrouter-subscription-server = {server}
fastrouter = =0
fastrouter-cheap = true
vacuum = true

# vim:ft=dosini et ts=2 sw=2 ai:
"""

WORKER = """\
[uwsgi]
plugins = python
master = true
processes = 2
threads = 4
heartbeat = 10
socket = {interface}:0
subscribe2 = server={server},key=foo.com
wsgi = app
vacuum = true
harakiri = 10
max-requests = 100
logformat = %(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" "%(uagent)"

# vim:ft=dosini et ts=2 sw=2 ai:
"""  # noqa: E501

#: What its application does, without Bottle.
APPLICATION = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=UTF-8")])
    return [b"Hello World!"]
"""

NGINX = """\
daemon                  off;
master_process          on;
worker_processes        1;
pid                     nginx.pid;

events {{
    worker_connections  1024;
}}

http {{
    include             /etc/nginx/mime.types;

    access_log          ./access.log;
    error_log           ./error.log;

    default_type        application/octet-stream;
    gzip                on;
    sendfile            on;
    keepalive_timeout   65;

    server {{
        listen {port} default;
        server_name localhost foo.com;

        location / {{
            include     /etc/nginx/uwsgi_params;
            uwsgi_pass  {router};
        }}

        error_page 500 502 503 504 /50x.html;
        location = /50x.html {{
            root /usr/share/nginx/html;
        }}
    }}
}}

# vim:filetype=nginx:
"""


#: What a worker logs of a request.
REQUEST = '"GET / HTTP/1.1" 200'


def interface() -> str:
    """
    The beginning of an address of this machine, as the article has it: of the
    interface that leads out, if there is one.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return "127.*"
        address: str = probe.getsockname()[0]
        return address.partition(".")[0] + ".*"


def said(program: Program, text: str, times: int) -> bool:
    """
    Whether a program has said something so often.
    """
    return program.log.count(text) >= times


class ArticleTests(ProgramsTestCase):
    """
    nginx, the router, and workers that come and go.
    """

    def setUp(self) -> None:
        """
        Write the article's files.
        """
        super().setUp()
        self.port, self.router_port, self.server_port = free_port(), free_port(), free_port()
        router, server = f"127.0.0.1:{self.router_port}", f"127.0.0.1:{self.server_port}"
        for name, text in (
            ("router.ini", ROUTER.format(router=router, server=server)),
            ("worker.ini", WORKER.format(interface=interface(), server=server)),
            ("app.py", APPLICATION),
            ("nginx.conf", NGINX.format(port=self.port, router=router)),
        ):
            (self.place / name).write_text(text)

    async def serve(self) -> Program:
        """
        Start nginx and the router.
        """
        nginx, router = self.start_both()
        await router.says("in cheap mode")
        await nginx.listens(self.port)
        return router

    def start_both(self) -> tuple[Program, Program]:
        """
        Start nginx and the router, without waiting.
        """
        nginx = self.start("nginx", [found("nginx", "nginx-light"), "-c", "nginx.conf", "-p", "."])
        router = self.start(
            "router",
            [*our_program(), "--config", "router.ini"],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        return nginx, router

    def silent_worker(self, port: int) -> str:
        """
        The worker's file, for one that listens on a port and does not subscribe.
        """
        text = WORKER.format(interface="127.0.0.1", server="").replace(":0\n", f":{port}\n")
        return "\n".join(line for line in text.splitlines() if "subscribe2" not in line)

    def worker(self) -> Program:
        """
        Start one more worker.
        """
        return start_uwsgi(self, "worker", "--ini", "worker.ini")

    async def join(self, router: Program) -> Program:
        """
        Start one more worker and wait until the router knows it.
        """
        known = router.log.count("new node")
        worker = self.worker()
        await eventually(lambda: router.log.count("new node") > known, "it subscribes")
        return worker

    async def test_in_turn(self) -> None:
        """
        C{curl foo.com}, before and after a second worker was started: each one
        gets its share.
        """
        router = await self.serve()
        first = await self.join(router)
        self.assertIn("leaves cheap mode", router.log)
        await self.hello(3)
        await self.serves(first, 3)
        second = await self.join(router)
        await self.hello(10)
        await self.serves(first, 3 + 5)
        await self.serves(second, 5)

    async def serves(self, worker: Program, count: int) -> None:
        """
        Wait until a worker has logged so many requests.
        """
        await eventually(lambda: worker.log.count(REQUEST) >= count, f"it logs {count} requests")

    async def hello(self, count: int) -> None:
        """
        Ask nginx so often.
        """
        for _ in range(count):
            reply = await fetch(self.port, "foo.com")
            self.assertEqual((reply.status, reply.text), (200, "Hello World!"))

    async def test_come_and_go(self) -> None:
        """
        While many ask, a third worker is started and one is killed: no request
        fails.
        """
        router = await self.serve()
        first, _ = await self.join(router), await self.join(router)
        load = Load(self, self.port, "foo.com", seconds=60)
        await self.serves(first, 300)
        third = await self.join(router)
        await self.serves(third, 300)
        kill(first)
        served = third.log.count(REQUEST)
        await self.serves(third, served + 300)
        self.assertTrue(load.running)
        outcome = await load.stop()

        self.assertEqual(outcome.failures, "")

    async def test_cheap(self) -> None:
        """
        While nobody has subscribed nothing is accepted: a request waits; also
        after everybody has gone.
        """
        router = await self.serve()
        for _ in range(2):
            waiting = ensureDeferred(ask(self.router_port, "foo.com"))
            worker = self.worker()
            await worker.says("subscribing to")
            reply = await waiting
            self.assertEqual((reply.status, reply.text), (200, "Hello World!"))
            said = len(router.log)
            worker.send(signal.SIGINT)
            await router.says("enters cheap mode", after=said)

    async def test_together(self) -> None:
        """
        "I'd like to get the single FastRouter+worker configuration working": both
        files are one, and the router subscribes to itself.
        """
        text = (self.place / "router.ini").read_text() + (self.place / "worker.ini").read_text()
        (self.place / "router.ini").write_text(text.replace("\n[uwsgi]\n", "\n"))
        router = await self.serve()
        await self.hello(3)
        self.assertEqual(router.log.count("foo.com => new node"), 1)
        router.send(signal.SIGTERM)
        await router.end()
        self.assertIn("goodbye to uWSGI", router.log)

    async def test_vassal(self) -> None:
        """
        The other way to have both: a vassal that names its domain and does not
        subscribe.  While it is reloaded nothing fails; when its file is gone,
        nobody is sent to it any more.
        """
        vassals = self.place / "vassals"
        vassals.mkdir()
        (self.place / "router.ini").write_text(
            f"[uwsgi]\nemperor = {vassals}\nfastrouter = 127.0.0.1:{self.router_port}\n"
        )
        lines = self.silent_worker(free_port())
        (vassals / "worker.ini").write_text(
            f"{lines}\nchdir = {self.place}\n[emperor]\ndomain = foo.com\n"
        )
        nginx, router = self.start_both()
        await router.says("Vassals up: worker.ini")
        await nginx.listens(self.port)
        load = Load(self, self.port, "foo.com", seconds=60)
        for times in (2, 3):
            await self.serves(router, router.log.count(REQUEST) + 300)
            os.utime(vassals / "worker.ini")
            await eventually(partial(said, router, "accepts requests", times), "it reloads")
        await self.serves(router, router.log.count(REQUEST) + 300)
        self.assertTrue(load.running)
        self.assertEqual((await load.stop()).failures, "")
        (vassals / "worker.ini").unlink()
        await until(self.port, "foo.com", lambda reply: reply.status == 404, "end")

    async def test_name(self) -> None:
        """
        The router by its name, which uWSGI does not take: C{emperor subscribe}
        does it for a worker that says nothing itself.
        """
        await self.serve()
        port = free_port()
        (self.place / "silent.ini").write_text(self.silent_worker(port))
        options = ["--server", f"localhost:{self.server_port}", "--key", "foo.com"]
        command = uwsgi_command("--ini", "silent.ini", "--die-on-term")
        self.start(
            "subscribe",
            subscribe_command([*options, "--address", f"127.0.0.1:{port}", "--", *command]),
            environment=ENVIRONMENT,
        )
        reply = await ask(self.router_port, "foo.com")
        self.assertEqual((reply.status, reply.text), (200, "Hello World!"))
