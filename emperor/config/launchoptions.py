"""
The options about the processes of vassals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emperor.config.option import Kind, Option, Service


def launch_options() -> Iterator[Option]:
    """
    Their rows of the table.
    """

    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=name, kind=kind, service=Service.VASSALS, help=help, **more)

    yield row(
        "emperor-tyrant",
        Kind.FLAG,
        "A vassal runs as the user and group that its file belongs to, and never as root.",
        default="off",
    )
    yield row(
        "emperor-tyrant-nofollow",
        Kind.FLAG,
        "Of a vassal that is a link, the owner of the link counts, not that of the file.",
        default="off",
    )
    yield row(
        "emperor-tyrant-initgroups",
        Kind.FLAG,
        "The vassal is in all groups of its user, not in that of its file alone.",
        default="off",
    )
    yield row(
        "emperor-cap",
        Kind.CAPABILITIES,
        "What vassals, and all that they start, may be capable of at most.",
        aliases=("vassals-cap", "vassal-cap"),
    )
    yield row(
        "emperor-use-clone",
        Kind.NAMESPACES,
        "Namespaces that each vassal has of its own.",
    )
