"""
The options of everything that listens.
"""

from __future__ import annotations

from collections.abc import Iterator

from emperor.config.option import Kind, Option, Service


def socket_options() -> Iterator[Option]:
    """
    Their rows of the table.
    """
    service = Service.PROGRAM
    yield Option(
        name="chmod-socket",
        kind=Kind.MODE,
        service=service,
        default="600",
        help="File mode of listening UNIX sockets; 666 without a value.",
    )
    yield Option(
        name="chown-socket",
        kind=Kind.OWNER,
        service=service,
        help="Owner of listening UNIX sockets.",
    )
    yield Option(
        name="listen",
        kind=Kind.COUNT,
        service=service,
        default="100",
        help="Connections that the kernel keeps waiting for each listener.",
    )
    yield Option(
        name="stats-http",
        kind=Kind.FLAG,
        service=service,
        default="off",
        help="The state of a router, or of the Emperor, is HTTP, which waits for a request.",
    )
    yield Option(
        name="stats-minified",
        kind=Kind.FLAG,
        service=service,
        aliases=("stats-min",),
        default="off",
        help="Such a state is written without blanks.",
    )
