"""
The options of the Emperor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emperor.config.option import Kind, Option, Service


def emperor_options() -> Iterator[Option]:
    """
    Its rows of the table.
    """

    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=name, kind=kind, service=Service.EMPEROR, help=help, **more)

    many = {"repeatable": True}
    yield row(
        "emperor",
        Kind.TEXT,
        "Where vassals are written down: a directory, a pattern or a URL.",
        **many,
    )
    yield row("emperor-freq", Kind.SECONDS, "Time between two looks at a source.", default="3")
    yield row(
        "emperor-curse-tolerance",
        Kind.GRACE,
        "How long a stopping vassal may take before it is killed.",
        default="30",
    )
    yield row(
        "emperor-throttle",
        Kind.MILLISECONDS,
        "Wait before a vassal that died is started again; doubles each time.",
        default="1000",
    )
    yield row("emperor-max-throttle", Kind.MILLISECONDS, "The longest such wait.", default="180000")
    yield row(
        "emperor-no-blacklist",
        Kind.FLAG,
        "A vassal that died never waits; it is started at most once in a second.",
        default="off",
    )
    yield row(
        "emperor-spawn-rate",
        Kind.COUNT,
        "How many vassals come up at the same time; the next one starts when one accepts, "
        "has died, or has taken 5 seconds.",
        default="20",
        ours=True,
    )
    yield row(
        "emperor-start-tolerance",
        Kind.GRACE,
        "How long a vassal may take to accept after its start or a reload.",
        default="300",
        ours=True,
    )
    yield row(
        "emperor-required-heartbeat",
        Kind.SECONDS,
        "How long a vassal with the option heartbeat may be without one before it is reloaded, "
        "and then killed.",
        default="30",
    )
    yield row(
        "emperor-on-demand-extension",
        Kind.TEXT,
        "A vassal with a file beside its own, called like that with this put behind it, starts "
        "when somebody connects to the address in that file's first line.",
        aliases=("emperor-on-demand-ext",),
    )
    yield row(
        "emperor-on-demand-directory",
        Kind.TEXT,
        "Every vassal starts when somebody connects to a socket in this directory, which is "
        "called like the vassal with .socket in place of its ending.",
        aliases=("emperor-on-demand-dir",),
    )
    yield row(
        "emperor-on-demand-exec",
        Kind.TEXT,
        "A command that gets a vassal's name and prints the address at which it starts on demand.",
    )
    yield row(
        "emperor-broodlord",
        Kind.COUNT,
        "How many zergs there may be: further instances of vassals that ask for help.",
        default="0",
    )
    yield row(
        "emperor-graceful-shutdown",
        Kind.FLAG,
        "A vassal that is to leave answers its requests first; uWSGI 2.0.19 and later.",
        default="off",
    )
    yield row(
        "reload-mercy",
        Kind.GRACE,
        "How long vassals may take to leave when the program stops.",
        follows="emperor-curse-tolerance",
    )
    yield row(
        "emperor-nofollow",
        Kind.FLAG,
        "A link is changed when the link itself is, not its target.",
        default="off",
    )
    yield row(
        "emperor-extra-extension",
        Kind.TEXT,
        "Another file name ending that makes a file a vassal.",
        aliases=("emperor-extra-ext",),
        **many,
    )
    yield row(
        "vassals-inherit-before",
        Kind.TEXT,
        "A template each vassal inherits before its own file.",
        **many,
    )
    yield row(
        "vassals-include-before",
        Kind.TEXT,
        "A template each vassal includes before its own file.",
        **many,
    )
    yield row(
        "vassals-set",
        Kind.ASSIGNMENT,
        "An option or placeholder set in each vassal.",
        aliases=("vassal-set",),
        **many,
    )
    yield row(
        "vassals-inherit", Kind.TEXT, "A template each vassal inherits after its own file.", **many
    )
    yield row(
        "vassals-include", Kind.TEXT, "A template each vassal includes after its own file.", **many
    )
    yield row(
        "emperor-stats",
        Kind.ADDRESS,
        "Answer here with the state of the Emperor and its vassals, in JSON.",
        aliases=("emperor-stats-server",),
        **many,
    )
    yield row(
        "emperor-pidfile",
        Kind.TEXT,
        "A file with the number of the program's process, as long as it runs.",
    )
    yield row(
        "emperor-procname",
        Kind.TEXT,
        "The name of the program's process in ps, top and pgrep; its first 15 bytes.",
    )
    yield row(
        "imperial-monitor-list",
        Kind.FLAG,
        "Print the schemes that monitors can have, and leave.",
        aliases=("imperial-monitors-list",),
        default="off",
    )
    yield row(
        "binary-path",
        Kind.TEXT,
        "The uWSGI program that vassals run; found by itself if not given.",
    )
