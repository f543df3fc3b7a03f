"""
An HTTP client that sends exactly the bytes it is given.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tests.integration.programs import DEADLINE, reactor


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer, its body decoded from whatever transfer coding it had.

    @ivar status: 0 if the connection was closed without an answer.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def text(self) -> str:
        """
        The body as text.
        """
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """
        The body as the value that the probe application sends.
        """
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """
        The first header of this name, or L{None}.
        """
        found = (value for key, value in self.headers if key.lower() == name.lower())
        return next(found, None)


class _Recording:
    """
    As much of a socket as L{HTTPResponse} asks for.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def read_reply(data: bytes, method: str = "GET") -> Reply:
    """
    Read one whole answer.
    """
    if not data:
        return Reply(0)
    response = HTTPResponse(_Recording(data), method=method)  # type: ignore[arg-type]
    response.begin()
    return Reply(response.status, tuple(response.getheaders()), response.read())


def request(
    host: str,
    target: str = "/",
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    version: str = "1.1",
) -> bytes:
    """
    Write a request that is the only one of its connection.
    """
    lines = [f"{method} {target} HTTP/{version}", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class _Exchange(Protocol):
    def __init__(self, data: bytes) -> None:
        self._request = data
        self._received: list[bytes] = []
        self.answer: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        self._received.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.answer.callback(b"".join(self._received))


async def exchange(port: int, data: bytes) -> bytes:
    """
    Send these bytes to 127.0.0.1 and return what comes until the other side
    closes.

    @raise TimeoutError: it does not close.
    """
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    protocol = await connectProtocol(endpoint, _Exchange(data))
    try:
        answer: bytes = await protocol.answer.addTimeout(DEADLINE, reactor)
        return answer
    finally:
        assert protocol.transport is not None
        protocol.transport.loseConnection()


async def fetch(port: int, host: str, target: str = "/", **details: Any) -> Reply:
    """
    Ask for something and read the answer; C{details} as for L{request}.
    """
    data = await exchange(port, request(host, target, **details))
    return read_reply(data, details.get("method", "GET"))
