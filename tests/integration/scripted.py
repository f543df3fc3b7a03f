"""
Nodes that answer their name, subscriptions that are sent by hand, and requests as
a web server sends them: what decides is the router alone.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest

from emperor.wire.subscription import Announcement, build_announcement
from emperor.wire.uwsgi import PacketReader, build_packet, encode_variables, iterate_variables
from tests.integration.client import Reply, exchange, read_reply
from tests.integration.programs import DEADLINE, LOOK, Program, ProgramsTestCase, reactor


class _Answer(Protocol):
    """
    Reads a request to its end and answers.
    """

    def __init__(self, node: ScriptedNode) -> None:
        self._node = node
        self._reader = PacketReader()

    def dataReceived(self, data: bytes) -> None:
        packet, _ = self._reader.feed(data)
        if packet is None:
            return
        answer = partial(self._answer, f"{packet.modifier1} {packet.modifier2}")
        if dict(iterate_variables(packet.payload)).get(b"PATH_INFO") == b"/hold":
            self._node.hold(answer)
        else:
            answer()

    def _answer(self, modifiers: str) -> None:
        assert self.transport is not None
        body = self._node.name
        lines = ["HTTP/1.0 200 OK", f"Content-Length: {len(body)}", f"X-Modifiers: {modifiers}"]
        self.transport.write("\r\n".join([*lines, "", body]).encode())
        self.transport.loseConnection()


class ScriptedNode:
    """
    A node in this process, until the end of the test.  It answers its name, at
    once; or, for the path C{/hold}, when it is told to.

    """

    def __init__(self, case: ProgramsTestCase, name: str) -> None:
        self.name = name
        self._held: list[Callable[[], None]] = []
        factory: Any = Factory.forProtocol(lambda: _Answer(self))
        factory.noisy = False
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        case.addCleanup(port.stopListening)
        self.address = f"127.0.0.1:{port.getHost().port}"

    @property
    def held(self) -> int:
        """
        How many requests wait.
        """
        return len(self._held)

    def hold(self, answer: Callable[[], None]) -> None:
        """
        Keep a request.
        """
        self._held.append(answer)

    def release(self) -> None:
        """
        Answer those that wait.
        """
        held, self._held = self._held, []
        for answer in held:
            answer()


def uwsgi_request(
    host: str, target: str = "/", variables: Mapping[str, str] | None = None
) -> bytes:
    """
    A request as a web server sends it.

    @param variables: further ones, behind the others.
    """
    path, _, query = target.partition("?")
    pairs = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        **(variables or {}),
    }
    payload = encode_variables((name.encode(), value.encode()) for name, value in pairs.items())
    return build_packet(0, payload, 0)


async def ask(
    port: int, host: str, target: str = "/", variables: Mapping[str, str] | None = None
) -> Reply:
    """
    Ask a FastRouter on this port; the rest as for L{uwsgi_request}.
    """
    return read_reply(await exchange(port, uwsgi_request(host, target, variables)))


def ask_unix(path: bytes, host: str) -> Reply:
    """
    Ask a FastRouter on a UNIX socket.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE)
        connection.connect(path)
        connection.sendall(uwsgi_request(host))
        return read_reply(b"".join(iter(partial(connection.recv, 4096), b"")))


class Subscriptions:
    """
    Whatever is to be told to one subscription server, in order.
    """

    def __init__(self, case: ProgramsTestCase, program: Program, port: int) -> None:
        """
        @param program: of the server, which logs new pools with their key.
        @param port: on 127.0.0.1, for datagrams.
        """
        self._program = program
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._settled = 0
        case.addCleanup(self._socket.close)

    def send(self, key: str, address: str, *, leaving: bool = False, **details: Any) -> None:
        """
        Send one; C{details} as for L{Announcement}.
        """
        announcement = Announcement(leaving=leaving, key=key, address=address, **details)
        self._socket.send(build_announcement(announcement))

    async def settle(self) -> None:
        """
        Wait until everything that was sent has been read: a server that logs a
        new pool has read all that was sent before it.
        """
        self._settled += 1
        key = f"settled-{self._settled}.test"
        end = reactor.seconds() + DEADLINE
        while key not in self._program.log:
            if reactor.seconds() > end:
                raise FailTest(f"{self._program.name} has not read the subscription to {key}")
            with suppress(ConnectionRefusedError):  # it does not listen yet
                self.send(key, "127.0.0.1:1")
            await deferLater(reactor, LOOK)
