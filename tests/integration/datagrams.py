"""
A subscription server that only listens, and the command that talks to one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from emperor.wire.subscription import Datagram, parse_announcement
from tests.integration.programs import (
    CHECKOUT,
    Program,
    ProgramsTestCase,
    eventually,
    reactor,
)


class Letterbox(DatagramProtocol):
    """
    Keeps every datagram and when it came.
    """

    noisy = False

    def __init__(self) -> None:
        self.letters: list[tuple[float, bytes]] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.letters.append((reactor.seconds(), datagram))

    async def take(self, count: int = 1) -> list[tuple[float, Datagram]]:
        """
        Wait for so many datagrams, and take and read them.
        """
        await eventually(lambda: len(self.letters) >= count, f"{count} datagrams come")
        taken, self.letters = self.letters[:count], self.letters[count:]
        return [(now, parse_announcement(data)) for now, data in taken]


def udp_letterbox(case: ProgramsTestCase, interface: str = "127.0.0.1") -> tuple[Letterbox, int]:
    """
    One at a free port.
    """
    letterbox = Letterbox()
    port = reactor.listenUDP(0, letterbox, interface=interface)
    case.addCleanup(port.stopListening)
    return letterbox, port.getHost().port


def unix_letterbox(case: ProgramsTestCase, path: Path) -> Letterbox:
    """
    One at a path.
    """
    letterbox = Letterbox()
    port = reactor.listenUNIXDatagram(str(path), letterbox)
    case.addCleanup(port.stopListening)
    return letterbox


def subscribe(case: ProgramsTestCase, *arguments: str | Path) -> Program:
    """
    Start C{emperor subscribe} of this checkout.
    """
    return case.start("subscribe", subscribe_command(arguments), environment=ENVIRONMENT)


def subscribe_command(arguments: Iterable[str | Path]) -> list[str | Path]:
    """
    The command line of C{emperor subscribe}.
    """
    return [sys.executable, "-c", "from emperor.ctl import main; main()", "subscribe", *arguments]


ENVIRONMENT = {"PYTHONPATH": str(CHECKOUT)}
