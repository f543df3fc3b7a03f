"""
Vassals that start when somebody connects, under uWSGI's Emperor and under ours.
"""

from __future__ import annotations

import socket
import stat
import time
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.conformance.sides import Side, SidesTestCase
from tests.integration.client import exchange
from tests.integration.programs import free_port


def call(path: Path) -> Deferred[str]:
    """
    Connect to a UNIX socket.

    @return: what whoever accepts answers.
    """
    return deferToThread(_call, path)


def _call(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        _connect(connection, path)
        connection.sendall(b"hello")
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


def _connect(connection: socket.socket, path: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:  # The file comes before somebody listens.
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


class OnDemandTests(SidesTestCase):
    async def test_sleep_and_wake(self) -> None:
        """
        The first connection starts the vassal, which finds the listening socket as
        descriptor 0 and the connection in its queue.  When it says 22 it is asked to
        leave; the next connection finds the next process.
        """

        async def life(side: Side) -> list[object]:
            path = side.vassals / "a.socket"
            (side.vassals / "a.ini.address").write_text(f"{path}\nanything\n")
            side.write("a.ini", "told say 22")
            side.start("emperor-on-demand-extension = .address")
            await side.scans()
            await side.until(path.exists, "the socket is there")
            self.assertEqual([], side.entries("a.ini"))
            answers = [await call(path)]
            side.tell("a.ini")
            await side.hears("a.ini", "start", "called", 0)
            answers.append(await call(path))
            await side.hears("a.ini", "start", "called", 0, "start", "called")
            starts = side.entries("a.ini", "start")
            self.assertEqual([str(entry["pid"]) for entry in starts], answers)
            mode = stat.S_IMODE(path.stat().st_mode)
            requests = [entry["request"] for entry in side.entries("a.ini", "called")]
            return [starts[0]["descriptors"]["0"], starts[0]["argv"], mode, requests]

        found = await self.same(life)
        stdin = "listening AF_UNIX PLACE/v/a.socket"
        self.assertEqual([stdin, ["--ini", "a.ini"], 0o666, ["hello", "hello"]], found)

    async def test_where(self) -> None:
        """
        The address is a socket in a directory, or what a command prints.
        """

        async def where(side: Side) -> list[str]:
            side.write("a.ini")
            side.start("emperor-on-demand-directory = PLACE/v")
            path = side.vassals / "a.socket"
            await side.until(path.exists, "the socket is there")
            answers = [await call(path)]
            found = [await side.started("a.ini")]
            await side.kill()
            side.forget()
            port = free_port()
            script = side.place / "command"
            script.write_text(f'#!/bin/sh\ntest "$*" = "one a.ini" && echo 127.0.0.1:{port}\n')
            script.chmod(0o755)
            side.start("emperor-on-demand-exec = PLACE/command one")
            await side.program.listens(port)
            answers.append((await exchange(port, b"hello")).decode())
            found.append(await side.started("a.ini"))
            self.assertEqual([str(entry["pid"]) for entry in found], answers)
            return [entry["descriptors"]["0"].partition(" (")[0] for entry in found]

        found = await self.same(where)
        self.assertEqual(["listening AF_UNIX PLACE/v/a.socket", "listening AF_INET"], found)
