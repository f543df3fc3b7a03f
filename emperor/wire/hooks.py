"""
Commands that are run when a vassal starts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """
    A command and what it means if it fails.

    @ivar name: what to call it in the log.
    @ivar argv: its program, with a path or as it is found on PATH, and its
        arguments.
    @ivar fatal: the vassal is not started if it fails.
    """

    name: str
    argv: tuple[str, ...]
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Hooks:
    """
    What the process of a vassal runs before it executes its program.

    @ivar before: with the rights of the program.
    @ivar after: with those of the vassal.
    @ivar limit: seconds that each command may take.
    @ivar environ: what they find in their environment besides that of the
        vassal.
    """

    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()
    limit: float = 30
    environ: tuple[tuple[str, str], ...] = ()
