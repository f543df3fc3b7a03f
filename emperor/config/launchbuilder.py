"""
The settings about the processes of vassals.
"""

from __future__ import annotations

from functools import partial

from emperor.config import values
from emperor.config.launchsettings import LaunchSettings
from emperor.config.launchvalues import capabilities, command, grant, hook, namespaces
from emperor.config.taking import Taker
from emperor.wire.hooks import Command


def build_launch(taker: Taker) -> LaunchSettings:
    """
    Take them out of the options; worthless if the taker finds problems.
    """
    _check(taker)
    text = partial(taker.one, parse=values.words, absent="")
    texts = partial(taker.many, parse=values.words)
    return LaunchSettings(
        tyrant=taker.flag("emperor-tyrant"),
        tyrant_nofollow=taker.flag("emperor-tyrant-nofollow"),
        tyrant_groups=taker.flag("emperor-tyrant-initgroups"),
        domains=taker.many("vassal-domains", grant),
        capabilities=taker.one("emperor-cap", capabilities, ()),
        namespaces=taker.one("emperor-use-clone", namespaces, ()),
        wrapper=text("emperor-wrapper"),
        wrapper_override=texts("emperor-wrapper-override"),
        wrapper_fallback=texts("emperor-wrapper-fallback"),
        wrapper_attribute=text("emperor-wrapper-attr"),
        chdir_attribute=text("emperor-chdir-attr"),
        collected=tuple(dict.fromkeys(texts("emperor-collect-attr"))),
        start_hook=text("vassals-start-hook"),
        stop_hook=text("vassals-stop-hook"),
        before_vassal=_hooks(taker, "hook-as-emperor-before-vassal"),
        before_drop=_hooks(taker, "hook-as-vassal-before-drop"),
        as_vassal=_hooks(taker, "hook-as-vassal") + _commands(taker, "exec-as-vassal"),
        as_emperor=_hooks(taker, "hook-as-emperor") + _commands(taker, "exec-as-emperor"),
        magic_exec=taker.flag("emperor-magic-exec"),
        on_demand=_hooks(taker, "hook-as-on-demand-vassal"),
        on_config=_hooks(taker, "hook-as-on-config-vassal"),
        hook_timeout=taker.default("vassal-hook-timeout", values.seconds),
    )


def _hooks(taker: Taker, name: str) -> tuple[Command, ...]:
    return taker.many(name, partial(hook, name))


def _commands(taker: Taker, name: str) -> tuple[Command, ...]:
    return taker.many(name, partial(command, name))


def _check(taker: Taker) -> None:
    """
    Complain of what does not go together.
    """
    if taker.flag("emperor-tyrant"):
        for pair in taker.options.get("emperor-wrapper-attr", []):
            taker.complain(
                pair, "with emperor-tyrant, the owner of a file must not choose the program"
            )
    if taker.options.get("emperor-use-clone"):
        for pair in taker.options.get("hook-as-emperor-before-vassal", []):
            taker.complain(
                pair,
                "with emperor-use-clone, it would be run in the vassal's namespaces; "
                "write hook-as-vassal-before-drop for that",
            )
