"""
A router that takes subscriptions, and real uWSGI instances that subscribe.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from tests.integration.client import Reply, fetch
from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase, free_port, unavailable
from tests.integration.servers import PROBE, debian_uwsgi, our_program, until


def any_uwsgi() -> list[str | Path]:
    """
    The beginning of the command line of a uWSGI with Python: that of the wheel,
    or Debian's.

    @raise SkipTest: there is none.
    """
    wheel = Path(sys.executable).with_name("uwsgi")
    return [wheel] if os.access(wheel, os.X_OK) else signing_uwsgi()


def signing_uwsgi() -> list[str | Path]:
    """
    The same for one that can sign.

    @raise SkipTest: there is none.
    """
    plugin = Path("/usr/lib/uwsgi/plugins/python3_plugin.so")
    if not plugin.exists():
        raise unavailable("no uwsgi-plugin-python3; as root: tests/install-servers")
    return [debian_uwsgi(), "--plugin", "python3"]


class SubscribedRouter:
    """
    Our program as a router that knows nobody but those who subscribe.

    @ivar kind: C{"http"} or C{"fastrouter"}.
    @ivar port: where it listens.
    @ivar server: where it takes subscriptions, as uWSGI's options write it.
    """

    def __init__(
        self,
        case: ProgramsTestCase,
        *options: str,
        kind: str = "http",
        server: str = "",
        name: str = "router",
    ) -> None:
        """
        @param options: further lines of the configuration.
        @param server: where it takes subscriptions; empty: a free UDP port.
        """
        self.kind = kind
        self.case = case
        self.name = name
        self.port = free_port()
        self.server = server or f"127.0.0.1:{free_port()}"
        self._options = options
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """
        The running program.
        """
        assert self._program is not None, "start it first"
        return self._program

    def start(self) -> Program:
        """
        Start it without waiting for anything.
        """
        configuration = self.case.place / f"{self.name}.ini"
        lines = [
            "[uwsgi]",
            f"{self.kind} = 127.0.0.1:{self.port}",
            f"{self.kind}-subscription-server = {self.server}",
            f"transport = {os.environ.get('EMPEROR_TRANSPORT', 'epoll')}",
            *self._options,
            "",
        ]
        configuration.write_text("\n".join(lines))
        self._program = self.case.start(
            self.name,
            [*our_program(), "--config", configuration],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        return self._program

    async def serve(self) -> None:
        """
        Start it, and wait until it takes subscriptions.
        """
        await self.start().says(f"takes subscriptions on {self.server}")

    def subscribe(
        self,
        name: str,
        *arguments: str | Path,
        uwsgi: list[str | Path] | None = None,
        address: str = "",
        key: str = "foo.test",
        more: str = "",
        gently: bool = True,
    ) -> Program:
        """
        Start an instance that serves the probe for C{key}.

        @param name: what the probe says its name is.
        @param arguments: further ones.
        @param more: further words of C{subscribe2}.
        """
        words = f"server={self.server},key={key}" + (f",{more}" if more else "")
        command = [
            *(uwsgi or any_uwsgi()),
            *("--master", "--die-on-term", "--need-app", "--wsgi-file", PROBE),
            *("--set", f"site={name}", "--socket", address or f"127.0.0.1:{free_port()}"),
            *("--subscribe2", words),
            *arguments,
        ]
        return self.case.start(name, command, gently=gently)

    def send(self, datagram: bytes) -> None:
        """
        Send a subscription.
        """
        host, port = self.server.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram, (host, int(port)))

    async def fetch(self, host: str = "foo.test", target: str = "/") -> Reply:
        """
        Ask once.
        """
        return await fetch(self.port, host, target)

    async def sites(self, count: int, host: str = "foo.test") -> set[str]:
        """
        Which instances answer so many requests; none of them fails.
        """
        replies = [await self.fetch(host) for _ in range(count)]
        statuses = {reply.status for reply in replies}
        self.case.assertEqual(statuses, {200}, [reply.text for reply in replies])
        return {reply.json["site"] for reply in replies}

    async def until(
        self,
        accept: Callable[[Reply], bool],
        what: str,
        host: str = "foo.test",
        target: str = "/",
    ) -> Reply:
        """
        Ask until C{accept} is content with an answer, and return it.
        """
        return await until(self.port, host, accept, what, target)

    async def until_from(self, *names: str, host: str = "foo.test") -> None:
        """
        Ask until each of these instances has answered.
        """
        left = set(names)

        def answered(reply: Reply) -> bool:
            if reply.status == 200:
                left.discard(reply.json["site"])
            return not left

        await self.until(answered, f"answer of {names}", host)
