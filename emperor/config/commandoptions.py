"""
The options about commands to the Emperor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emperor.config.option import Kind, Option, Service


def command_options() -> Iterator[Option]:
    """
    Their rows of the table.
    """

    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=name, kind=kind, service=Service.EMPEROR, help=help, **more)

    yield row(
        "emperor-command-socket",
        Kind.DATAGRAMS,
        "Take commands to vassals here: spawn, respawn, stop, log, rescan.",
        repeatable=True,
    )
    yield row(
        "emperor-command-trusted",
        Kind.PEERS,
        "Whose commands over UDP are believed; with a UNIX socket its file's mode decides.",
        default="loopback",
        repeatable=True,
        ours=True,
    )
    yield row(
        "emperor-wait-for-command",
        Kind.FLAG,
        "A vassal does not start before a command, or a request, asks for it.",
        default="off",
    )
    yield row(
        "emperor-wait-for-command-ignore",
        Kind.TEXT,
        "The name of a vassal that does not wait.",
        repeatable=True,
    )
