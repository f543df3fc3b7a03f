"""
Other programs as a test sees them: started, waited for, stopped, and never left
behind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import unittest
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import reactor as _reactor  # noqa: TID251  # the one that trial runs
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import FailTest, SkipTest, TestCase

T = TypeVar("T")

reactor: Any = _reactor

CHECKOUT = Path(__file__).parents[2]

#: Seconds until what a test waits for must have happened.
DEADLINE = 30

#: Seconds between TERM and KILL; a vassal may finish its requests.
MERCY = 10

#: Seconds between two looks at what cannot tell us itself: a file, a port.
LOOK = 0.02

#: Ports that the kernel gives to nobody by itself (ip_local_port_range).
PORTS = range(10_000, 32_000)

#: Variable of the environment by which a test knows everything it started.
MARK = "TXEMPEROR_TEST"


async def eventually(look: Callable[[], T], what: str) -> T:
    """
    Wait until C{look} finds something, and return it.

    @param what: the sentence for the failure, as in "the socket is there".
    @raise FailTest: it did not within L{DEADLINE} seconds.
    """
    end = reactor.seconds() + DEADLINE
    while not (found := look()):
        if reactor.seconds() > end:
            raise FailTest(f"not within {DEADLINE} seconds: {what}")
        await deferLater(reactor, LOOK)
    return found


def free_port() -> int:
    """
    A port of 127.0.0.1 that nobody listens on now.

    The kernel gives it to no client meanwhile, as it would one of its own
    range: some tests make thousands of connections.
    """
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def accepts(port: int) -> bool:
    """
    Whether somebody listens on this port of 127.0.0.1.
    """
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def unavailable(reason: str) -> Exception:
    """
    What to raise where a server is missing: a skip, but a failure in CI, where
    everything has to run.
    """
    return FailTest(reason) if os.environ.get("CI") else SkipTest(reason)


def marked(mark: str) -> Iterator[int]:
    """
    The processes that a test started, and what those started.
    """
    needle = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # gone meanwhile, or not ours
            continue
        if needle in environment.split(b"\0"):
            yield int(entry.name)


class Program(ProcessProtocol):
    """
    A running program and what it printed.

    @ivar status: as a shell shows it (128 + N for signal N); L{None} while it
        runs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.stdout = b""
        self.stderr = b""
        self.status: int | None = None
        self.ended: Deferred[None] = Deferred()

    @property
    def log(self) -> str:
        """
        Everything printed, for a person.
        """
        return (self.stdout + self.stderr).decode("utf-8", "replace")

    @property
    def pid(self) -> int:
        """
        The number of the process.
        """
        assert self.transport is not None
        return int(self.transport.pid)

    def outReceived(self, data: bytes) -> None:
        self.stdout += data

    def errReceived(self, data: bytes) -> None:
        self.stderr += data

    def processEnded(self, reason: Failure) -> None:
        ending: Any = reason.value
        self.status = 128 + ending.signal if ending.signal else ending.exitCode
        self.ended.callback(None)

    def send(self, name: signal.Signals) -> None:
        """
        Send a signal to the process, not to its children.
        """
        os.kill(self.pid, name)

    async def end(self) -> int:
        """
        Wait until the program has ended by itself.

        @return: its status.
        """
        await eventually(lambda: self.status is not None, f"{self.name} ends")
        assert self.status is not None
        return self.status

    async def says(self, text: str, *, after: int = 0) -> None:
        """
        Wait until the program has printed C{text}.

        @param after: how much of the log to pass over.
        """
        await eventually(lambda: text in self.log[after:], f"{self.name} prints {text!r}")

    async def listens(self, port: int) -> None:
        """
        Wait until the program, or one of its children, accepts on C{port}.

        @raise FailTest: also if it ends before.
        """
        await eventually(
            lambda: self.status is not None or accepts(port), f"{self.name} listens on {port}"
        )
        if self.status is not None:
            raise FailTest(f"{self.name} ended with status {self.status}")

    async def stop(self) -> None:
        """
        End it: TERM, and after L{MERCY} seconds KILL for its whole group.
        """
        if self.status is not None:
            return
        self.send(signal.SIGTERM)
        try:
            await self.ended.addTimeout(MERCY, reactor)
        except TimeoutError:
            os.killpg(self.pid, signal.SIGKILL)


class ProgramsTestCase(TestCase):
    """
    A test that starts programs; they are gone when it is over, and their logs
    are shown if it failed.
    """

    #: Seconds for a whole test; every wait in it has its own, shorter limit.
    timeout = 100

    #: What our program's connections are made of, as the option C{transport}.
    transport = os.environ.get("EMPEROR_TRANSPORT", "epoll")

    def setUp(self) -> None:
        """
        Give the test a directory whose path is short enough for sockets.
        """
        self.programs: list[Program] = []
        self.mark = uuid.uuid4().hex
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.addCleanup(self._end_what_is_left)

    def run(self, result: unittest.TestResult) -> None:  # type: ignore[override]
        """
        Run the test, and show the logs if it added to the failures.
        """
        before = _failures(result)
        super().run(result)  # type: ignore[no-untyped-call]
        if _failures(result) > before:
            for program in self.programs:
                print(f"--- {program.name} (status {program.status}):\n{program.log}")
            sys.stdout.flush()

    def start(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        gently: bool = True,
    ) -> Program:
        """
        Start a program in the test's directory, in a session of its own.

        @param gently: whether it is asked to stop before it is killed: not for
            one that takes seconds and whose end is not what is tested.
        """
        program = Program(name)
        self.programs.append(program)
        variables = {**os.environ, **(environment or {}), MARK: self.mark}
        # setsid execs: the number of the process stays, and is its group's.
        command = ["setsid", *map(str, arguments)]
        reactor.spawnProcess(
            program, shutil.which("setsid"), command, env=variables, path=str(self.place)
        )
        if gently:
            self.addCleanup(program.stop)
        return program

    def processes(self) -> list[int]:
        """
        Everything this test started that still runs.
        """
        return list(marked(self.mark))

    async def _end_what_is_left(self) -> None:
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        await eventually(lambda: not self.processes(), "what was left is killed")
        for program in self.programs:
            await program.end()


def _failures(result: Any) -> int:
    return len(getattr(result, "failures", ())) + len(getattr(result, "errors", ()))
