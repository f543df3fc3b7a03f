"""
The programs of a case: started in a directory of their own, and never left
behind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

CHECKOUT = Path(__file__).parents[1]

#: Variable of the environment by which everything that was started is known.
MARK = "TXEMPEROR_BENCH"

#: Ports below those that the kernel gives to clients: none is in use by chance.
PORTS = range(20_000, 32_000)

#: Seconds until all that was killed must be gone.
FUNERAL = 10

#: Seconds between two looks at a process.
LOOK = 0.02


class Missing(Exception):
    """
    A program that is needed is not installed.
    """


def found(name: str) -> str:
    """
    The path of a program.

    @raise Missing: it is not installed.
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise Missing(f"no {name}; as root: make servers")
    return path


def free_port() -> int:
    """
    A port of 127.0.0.1 that nobody listens on now.
    """
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Program:
    """
    A running program.

    @ivar log: the file with all it printed.
    @ivar born: when it was started, as C{time.monotonic} counts.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, born: float) -> None:
        self._process = process
        self.log = log
        self.born = born

    @property
    def pid(self) -> int:
        """
        The number of the process.
        """
        return self._process.pid

    @property
    def running(self) -> bool:
        """
        Whether it has not ended.
        """
        return self._process.poll() is None

    def kill(self) -> None:
        """
        End it, and what it forked, at once.
        """
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()


class Stage:
    """
    A directory and what runs in it; at the end of the C{with} both are gone.

    @ivar place: the directory; its path is short enough for sockets.
    """

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="bench-"))
        self._programs: list[Program] = []
        self._mark = uuid.uuid4().hex

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()
        shutil.rmtree(self.place)

    def start(self, log: Path, arguments: Sequence[str | Path]) -> Program:
        """
        Start a program.

        @param log: the file for what it prints; the program runs in its
            directory.
        """
        environment = {**os.environ, MARK: self._mark, "PYTHONPATH": str(CHECKOUT)}
        born = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env=environment,
                start_new_session=True,
            )
        program = Program(process, log, born)
        self._programs.append(program)
        return program

    def clear(self) -> None:
        """
        Kill every program, and what those started.

        @raise TimeoutError: something is still there.
        """
        for program in self._programs:
            program.kill()
        self._programs = []
        end = time.monotonic() + FUNERAL
        while left := list(self._marked()):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > end:
                raise TimeoutError(f"these processes do not end: {left}")
            time.sleep(LOOK)

    def _marked(self) -> Iterator[int]:
        needle = f"{MARK}={self._mark}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with suppress(OSError):  # gone meanwhile, or not ours
                    if needle in (entry / "environ").read_bytes().split(b"\0"):
                        yield int(entry.name)
