"""
Single requests, and connections that wait.
"""

from __future__ import annotations

import resource
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from bench.programs import Program

#: Seconds for one request.
TIMEOUT = 20

#: Descriptors of each program; more than 10,000, and the same wherever it runs:
#: some programs have a table of that length.
DESCRIPTORS = 16_384

#: Closed with a reset: ten thousand ports in TIME_WAIT would disturb what follows.
RESET = struct.pack("ii", 1, 0)


class WrongAnswer(Exception):
    """
    A router did not answer, or not as it should: its figures mean nothing.
    """


def ask(port: int, path: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """
    Make one request over a new connection, a POST if it has a body.

    @return: the body of the answer.
    @raise WrongAnswer: the answer is not HTTP, or its status not 200.
    @raise OSError: nobody accepts, or the connection breaks.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET" if body is None else "POST", path, body, dict(headers))
        response = connection.getresponse()
        answer = response.read()
    except HTTPException as error:
        raise WrongAnswer(f"not HTTP: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise WrongAnswer(f"status {response.status}: {answer[:100]!r}")
    return answer


def limit_descriptors() -> None:
    """
    Give this process, and those it starts, L{DESCRIPTORS} if the hard limit
    allows that.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def idle_connections(port: int, host: str, count: int) -> Iterator[None]:
    """
    Connections that had one answer each, and now wait.

    @raise WrongAnswer: some were not kept, or not answered.
    @raise OSError: also if the limit of descriptors is too low.
    """
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
            connections.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.sendall(request)
            _read_answer(connection)
        yield
        if lost := _readable(connections):
            raise WrongAnswer(f"{lost} of {count} connections were not kept")
    finally:
        for connection in connections:
            connection.close()


def _read_answer(connection: socket.socket) -> None:
    data = b""
    while not data.endswith(b"hello"):
        if not (more := connection.recv(4096)):
            raise WrongAnswer(f"closed after {data[:100]!r}")
        data += more
    if not data.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(f"not the answer: {data[:100]!r}")


def _readable(connections: list[socket.socket]) -> int:
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    return len(poll.poll(0))


def until_right(check: Callable[[], None], program: Program) -> None:
    """
    Call C{check} until it is content.

    @raise WrongAnswer: it is not in time, or the program has ended.
    """
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            return check()
        except (OSError, WrongAnswer) as error:
            if not program.running:
                raise WrongAnswer("the program has ended") from error
            if time.monotonic() > end:
                raise WrongAnswer(f"nothing right in {TIMEOUT} seconds: {error}") from error
            time.sleep(0.05)
