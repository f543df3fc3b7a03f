"""
The options about the processes of vassals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        "vassal-domains",
        Kind.DOMAINS,
        "With emperor-tyrant: the domains that vassals of this user, a name or a number, may have.",
        repeatable=True,
        ours=True,
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
    many = {"repeatable": True}
    yield row("emperor-wrapper", Kind.TEXT, "The program that vassals run in the place of uWSGI.")
    yield row(
        "emperor-wrapper-override",
        Kind.TEXT,
        "A program that is tried before it.",
        **many,
    )
    yield row(
        "emperor-wrapper-fallback",
        Kind.TEXT,
        "A program that is tried if it cannot be executed.",
        **many,
    )
    yield row(
        "emperor-wrapper-attr",
        Kind.TEXT,
        "The key in a vassal's section [emperor] that names its program.",
    )
    yield row(
        "emperor-chdir-attr",
        Kind.TEXT,
        "The key in a vassal's section [emperor] that names the directory it starts in.",
    )
    yield row(
        "emperor-magic-exec",
        Kind.FLAG,
        "A vassal's file that the vassal may read and execute is a program that prints its "
        "configuration.",
        default="off",
    )
    yield row(
        "emperor-collect-attr",
        Kind.TEXT,
        "A key in a vassal's section [emperor] that emperor-stats shows.",
        aliases=("emperor-collect-attribute",),
        **many,
    )
    yield from _hooks(row)


def _hooks(row: Callable[..., Option]) -> Iterator[Option]:
    many = {"repeatable": True}
    yield row(
        "vassals-start-hook",
        Kind.TEXT,
        "A program that a vassal's process runs first, with the vassal's name.",
    )
    yield row(
        "vassals-stop-hook",
        Kind.TEXT,
        "A program that is run when a vassal has gone, with the vassal's name.",
    )
    for name, help in (
        (
            "hook-as-emperor-before-vassal",
            "Run before a vassal, with the rights of the program; it is not started if this fails.",
        ),
        (
            "hook-as-vassal-before-drop",
            "Run in a vassal's process before it has its own user; fatal if it fails.",
        ),
        ("hook-as-vassal", "Run in a vassal's process before uWSGI; fatal if it fails."),
        ("hook-as-emperor", "Run when a vassal has been started."),
        ("hook-as-on-demand-vassal", "Run when a vassal begins to wait until it is asked for."),
        ("hook-as-on-config-vassal", "Run when the file of a vassal that waits has changed."),
    ):
        yield row(name, Kind.HOOK, help, **many)
    yield row(
        "exec-as-vassal",
        Kind.COMMAND,
        "Run in a vassal's process after the hooks; fatal if it fails.",
        **many,
    )
    yield row(
        "exec-as-emperor",
        Kind.COMMAND,
        "Run when a vassal has been started, after the hooks.",
        **many,
    )
    yield row(
        "vassal-hook-timeout",
        Kind.SECONDS,
        "How long each of these commands may take before it is killed.",
        default="30",
        ours=True,
    )
