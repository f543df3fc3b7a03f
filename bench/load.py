"""
Load on a router, and what came of it: wrk for requests, a client of our own for
uploads.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.client import WrongAnswer, ask
from bench.programs import found

SCRIPT = Path(__file__).with_name("wrk.lua")

#: Seconds that wrk may take to end, beyond those it was told to run.
PATIENCE = 30

#: What wrk counts apart: of sockets, statuses over 399, and late answers.
ERRORS = ("connect", "read", "write", "status", "timeout")

#: Host of requests where nothing depends on it.
HOST = "shop.test"


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What a load saw.

    @ivar seconds: how long it lasted.
    @ivar size: bytes of all answers, heads included; of uploads, bytes sent.
    @ivar p50: seconds within which half of the requests were answered.
    @ivar p99: the same for 99 of 100.
    """

    requests: int
    seconds: float
    size: int
    p50: float
    p99: float


class Load(Protocol):
    """
    A kind of load.
    """

    def check(self, port: int) -> None:
        """
        See that the router's answer is right, to the last byte.

        @raise WrongAnswer: it is not.
        @raise OSError: nobody answers.
        """

    def run(self, port: int, seconds: int) -> Outcome:
        """
        Put the load on for so many seconds.

        @raise WrongAnswer: not every request was answered rightly.
        """


@dataclass(frozen=True, slots=True)
class Wrk:
    """
    wrk with one thread.

    @ivar body: what each answer must have as body.
    @ivar hosts: each request is for one of them, at random.
    """

    path: str = "/"
    body: bytes = b"hello"
    connections: int = 32
    headers: Mapping[str, str] = field(default_factory=dict)
    hosts: Sequence[str] = (HOST,)

    def check(self, port: int) -> None:
        """
        Ask for the first and the last host.
        """
        for host in {self.hosts[0], self.hosts[-1]}:
            answer = ask(port, self.path, {**self.headers, "Host": host})
            if answer != self.body:
                raise WrongAnswer(f"{host}: {answer[:100]!r}, {len(answer)} bytes")

    def run(self, port: int, seconds: int) -> Outcome:
        """
        Run wrk.
        """
        with tempfile.NamedTemporaryFile("w", prefix="bench-") as hosts:
            hosts.write("\n".join(self.hosts))
            hosts.flush()
            done = subprocess.run(
                self._command(port, seconds, hosts.name),
                capture_output=True,
                text=True,
                check=True,
                timeout=seconds + PATIENCE,
            )
        outcome = parse_wrk(done.stdout)
        if outcome.size < outcome.requests * len(self.body):
            raise WrongAnswer(f"{outcome.requests} answers have only {outcome.size} bytes")
        return outcome

    def _command(self, port: int, seconds: int, hosts: str) -> list[str]:
        headers = [f"--header={name}: {value}" for name, value in self.headers.items()]
        return [
            found("wrk"),
            "--threads=1",
            f"--connections={self.connections}",
            f"--duration={seconds}s",
            "--timeout=10s",
            f"--script={SCRIPT}",
            *headers,
            f"http://127.0.0.1:{port}{self.path}",
            "--",
            hosts,
        ]


def parse_wrk(text: str) -> Outcome:
    """
    Read the line that C{wrk.lua} prints.

    @raise WrongAnswer: there were errors, or no answers.
    """
    lines = [line for line in text.splitlines() if line.startswith("outcome ")]
    if len(lines) != 1:
        raise WrongAnswer(f"wrk did not say what came of it: {text!r}")
    pairs = (word.split("=") for word in lines[0].split()[1:])
    counts = {name: int(value) for name, value in pairs}
    errors = {name: counts[name] for name in ERRORS if counts[name]}
    if errors or not counts["requests"]:
        raise WrongAnswer(f"{counts['requests']} answers, errors: {errors}")
    return Outcome(
        requests=counts["requests"],
        seconds=counts["duration"] / 1e6,
        size=counts["bytes"],
        p50=counts["p50"] / 1e6,
        p99=counts["p99"] / 1e6,
    )


@dataclass(frozen=True, slots=True)
class Uploads:
    """
    Clients that send a body, each over a new connection and one after another.

    @ivar size: bytes of the body.
    """

    size: int
    clients: int = 4

    def check(self, port: int) -> None:
        """
        Send one body.
        """
        self._send(port, bytes(self.size))

    def run(self, port: int, seconds: int) -> Outcome:
        """
        Run all clients, and wait for the last answer of each.
        """
        body = bytes(self.size)
        start = time.monotonic()
        with ThreadPoolExecutor(self.clients) as pool:
            futures = [
                pool.submit(self._client, port, start + seconds, body) for _ in range(self.clients)
            ]
            times = sorted(taken for future in futures for taken in future.result())
        return Outcome(
            requests=len(times),
            seconds=time.monotonic() - start,
            size=len(times) * self.size,
            p50=times[len(times) // 2],
            p99=times[len(times) * 99 // 100],
        )

    def _client(self, port: int, end: float, body: bytes) -> list[float]:
        times: list[float] = []
        while not times or time.monotonic() < end:
            start = time.monotonic()
            self._send(port, body)
            times.append(time.monotonic() - start)
        return times

    def _send(self, port: int, body: bytes) -> None:
        answer = ask(port, "/", {"Host": HOST, "Connection": "close"}, body)
        if answer != str(self.size).encode():
            raise WrongAnswer(f"of {self.size} bytes arrived: {answer[:100]!r}")
