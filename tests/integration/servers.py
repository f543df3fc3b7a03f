"""
The servers of the integration tests: our program, uWSGI in its three builds,
and nginx.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest

from tests.integration.client import Reply, fetch
from tests.integration.programs import (
    CHECKOUT,
    DEADLINE,
    LOOK,
    Program,
    ProgramsTestCase,
    free_port,
    reactor,
    unavailable,
)

PROBE = CHECKOUT / "tests" / "integration" / "probe.py"


def debian_uwsgi() -> Path:
    """
    The uWSGI of the distribution.

    @raise SkipTest: there is none.
    """
    path = Path("/usr/bin/uwsgi")
    if not path.exists():
        raise unavailable("no Debian uWSGI; as root: tests/install-servers")
    return path


def reference_uwsgi() -> Path:
    """
    The uWSGI that C{make} compiled from its source, with internal routing.

    @raise SkipTest: it could not be compiled, or only without C{route-host}.
    """
    path = CHECKOUT / ".venv-uwsgi" / "bin" / "uwsgi"
    if not path.exists():
        raise unavailable("no uWSGI compiled from its source; it is made by: make integration")
    options = subprocess.run([path, "--help"], capture_output=True, check=False).stdout
    if b"--route-host" not in options:
        raise unavailable(f"{path} was compiled without PCRE, it has no route-host")
    return path


def found(name: str, package: str) -> str:
    """
    The path of a program.

    @raise SkipTest: it is not installed.
    """
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        raise unavailable(f"no {name}; as root: apt-get install {package}")
    return path


def vassal(*lines: str, site: str = "%n") -> str:
    """
    The configuration of a vassal that runs the probe.

    @param site: what the probe says its name is.
    """
    common = f"""\
[uwsgi]
if-not-plugin = python
plugin = python3
endif =
socket = %d../%n.sock
vacuum = true
master = true
processes = 1
need-app = true
wsgi-file = {PROBE}
site = {site}
"""
    return common + "".join(f"{line}\n" for line in lines)


def curl(case: ProgramsTestCase, *arguments: str | Path) -> Program:
    """
    Start curl, silent but for errors.
    """
    return case.start("curl", [found("curl", "curl"), "--silent", "--show-error", *arguments])


NGINX = """\
daemon off;
master_process off;
pid {place}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {place}/nginx-body;
    uwsgi_temp_path {place}/nginx-uwsgi;
    proxy_temp_path {place}/nginx-proxy;
    fastcgi_temp_path {place}/nginx-fastcgi;
    scgi_temp_path {place}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port};
        server_name www.test shop.test *.test;
        location / {{
            include /etc/nginx/uwsgi_params;
            uwsgi_param HTTP_HOST $host;
            uwsgi_pass 127.0.0.1:{upstream};
        }}
    }}
}}
"""


async def nginx(case: ProgramsTestCase, upstream: int) -> int:
    """
    Start nginx in front of a FastRouter on the port C{upstream}.

    @return: the port where it speaks HTTP.
    """
    program = found("nginx", "nginx-light")
    port = free_port()
    configuration = case.place / "nginx.conf"
    configuration.write_text(NGINX.format(place=case.place, port=port, upstream=upstream))
    running = case.start("nginx", [program, "-e", "stderr", "-c", configuration])
    await running.listens(port)
    return port


def our_program() -> list[str | Path]:
    """
    The command C{twistd -n emperor} of this checkout, without its options.
    """
    twistd = "from twisted.scripts.twistd import run; run()"
    return [sys.executable, "-c", twistd, "--nodaemon", "--pidfile=", "emperor"]


async def until(
    port: int, host: str, accept: Callable[[Reply], bool], what: str, target: str = "/"
) -> Reply:
    """
    Ask for C{host} until C{accept} is content with an answer, and return it.

    @param what: what it is waiting for, for the failure.
    """
    end = reactor.seconds() + DEADLINE
    reply = Reply(0)
    while reactor.seconds() < end:
        try:
            reply = await fetch(port, host, target)
        except ConnectionRefusedError:
            reply = Reply(0)
        if accept(reply):
            return reply
        await deferLater(reactor, LOOK)
    raise FailTest(f"{host}: no {what}; the last is {reply.status}: {reply.text}")


async def until_answered(port: int, host: str) -> Reply:
    """
    Ask for C{host} until the site answers.
    """
    return await until(port, host, lambda reply: reply.status == 200, "answer")


class Emperor:
    """
    Our program with a configuration of its own in a test's directory.

    It routes C{www.test} to the vassal C{www}, C{shop.test} to C{shop} and any
    other C{NAME.test} to the vassal C{NAME}.

    @ivar options: further lines of the configuration.
    """

    def __init__(self, case: ProgramsTestCase, *options: str) -> None:
        self.case = case
        self.options = options
        self.port = free_port()
        self.fastrouter_port = free_port()
        self.directory = case.place / "vassals"
        self.directory.mkdir()
        self.configuration = case.place / "router.ini"
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """
        The running program.
        """
        assert self._program is not None, "start it first"
        return self._program

    def add(self, name: str, *lines: str, site: str = "%n") -> Path:
        """
        Write, or write anew, the file of a vassal; the rest as for L{vassal}.
        """
        path = self.directory / f"{name}.ini"
        draft = self.case.place / f"{name}.draft"
        draft.write_text(vassal(*lines, site=site))
        draft.rename(path)
        return path

    def remove(self, name: str) -> None:
        """
        Delete the file of a vassal.
        """
        (self.directory / f"{name}.ini").unlink()

    def write(self) -> None:
        """
        Write the configuration.
        """
        self.configuration.write_text(self._lines())

    def start(self, *arguments: str) -> Program:
        """
        Start it without waiting for anything.

        @param arguments: further ones of C{twistd emperor}.
        """
        self.write()
        self._program = self.case.start(
            "emperor",
            [*our_program(), "--config", self.configuration, *arguments],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        return self._program

    async def serve(self, *names: str) -> None:
        """
        Start it and wait until these vassals answer.
        """
        for name in names:
            self.add(name)
        program = self.start()
        await program.listens(self.port)
        await program.listens(self.fastrouter_port)
        for name in names:
            await self.answers(name)

    async def answers(self, name: str, status: int = 200) -> Reply:
        """
        Ask C{NAME.test} until the answer has this status, and return it.
        """
        return await self.until(name, lambda reply: reply.status == status, f"status {status}")

    async def until(self, name: str, accept: Callable[[Reply], bool], what: str) -> Reply:
        """
        Ask C{NAME.test} until C{accept} is content with an answer, and return it.

        @param what: what it is waiting for, for the failure.
        """
        return await until(self.port, f"{name}.test", accept, what)

    async def fetch(self, name: str, target: str = "/") -> Reply:
        """
        Ask C{NAME.test} once, over HTTP.
        """
        return await fetch(self.port, f"{name}.test", target)

    def _lines(self) -> str:
        return "\n".join(
            [
                "[uwsgi]",
                "emperor = %dvassals",
                "emperor-freq = 1",
                f"http = 127.0.0.1:{self.port}",
                f"fastrouter = 127.0.0.1:{self.fastrouter_port}",
                r"route-host = ^www\.test$ uwsgi:%dwww.sock,0,0",
                r"route-host = ^shop\.test$ uwsgi:%dshop.sock,0,0",
                r"route-host = ^([-\w]+)\.test$ uwsgi:%d$1.sock,0,0",
                f"transport = {self.case.transport}",
                *self.options,
                "",
            ]
        )
