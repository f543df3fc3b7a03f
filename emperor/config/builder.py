"""
Pairs built into the frozen settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from emperor.config import values
from emperor.config.classify import classify
from emperor.config.commandbuilder import build_commands
from emperor.config.errors import Problem, all_of
from emperor.config.instance import build_instance
from emperor.config.launchbuilder import build_launch
from emperor.config.names import SOCKETS
from emperor.config.pairs import Pair
from emperor.config.routerbuilder import build_routers
from emperor.config.settings import EmperorSettings, Settings
from emperor.config.statsbuilder import build_stats
from emperor.config.taking import Taker


def build(
    pairs: Iterable[Pair],
    used: set[str],
    notes: Iterable[str] = (),
    problems: Sequence[Problem] = (),
    *,
    whole: bool = True,
) -> Settings:
    """
    Build the settings.

    @param used: names that are placeholders because something asks for them.
    @param notes: what the reading had to say.
    @param problems: what the reading found wrong.
    @param whole: nothing was left out that could be wanted.
    @raise ConfigurationError: with every problem there is.
    """
    certain = whole and not problems
    classified = classify(pairs, used, whole=whole, certain=certain)
    taker = Taker(classified, certain=certain)
    settings = _settings(taker, notes)
    found = {*problems, *taker.problems}
    if found:
        # Beside an error, an unknown name may be the reason for it.
        raise all_of(found.union(classified.slips))
    return settings


def _settings(taker: Taker, notes: Iterable[str]) -> Settings:
    """
    Everything; worthless if the taker finds problems on the way.
    """
    emperor = _emperor(taker)
    routers = build_routers(taker, has_vassals=bool(emperor.monitors))
    return Settings(
        emperor=emperor,
        instance=build_instance(taker.instance, taker.complain),
        routers=routers,
        shared_sockets=taker.many("shared-socket", values.listen),
        transport=taker.default("transport", values.transport),
        shutdown_grace=taker.default("shutdown-grace", values.grace),
        heartbeat=taker.default("heartbeat", values.grace),
        notes=(*notes, *taker.notes),
    )


def _note_shared_sockets(taker: Taker) -> None:
    """
    Only one of several vassals can have a socket.
    """
    for pair in taker.options.get("vassals-set", []):
        name, _, value = pair.value.partition("=")
        if name in SOCKETS and "%" not in value and not value.endswith(":0"):
            taker.notes.append(
                f"{pair.origin}: {pair.key} gives every vassal the socket {value};"
                " in this file, %%n is written for the name of the vassal"
            )


def _emperor(taker: Taker) -> EmperorSettings:
    _note_shared_sockets(taker)
    words = partial(taker.many, parse=values.words)
    tolerance = taker.default("emperor-curse-tolerance", values.grace)
    return EmperorSettings(
        monitors=taker.many("emperor", values.monitor),
        frequency=taker.default("emperor-freq", values.seconds),
        curse_tolerance=tolerance,
        throttle=taker.default("emperor-throttle", values.milliseconds),
        max_throttle=taker.default("emperor-max-throttle", values.milliseconds),
        waits=not taker.flag("emperor-no-blacklist"),
        on_demand_extension=taker.one("emperor-on-demand-extension", values.words, ""),
        on_demand_directory=taker.one("emperor-on-demand-directory", values.words, ""),
        on_demand_command=taker.one("emperor-on-demand-exec", values.words, ""),
        door_backlog=taker.default("listen", partial(values.number, lowest=1, highest=65535)),
        broodlord=taker.default("emperor-broodlord", values.number),
        spawn_rate=taker.default("emperor-spawn-rate", partial(values.number, lowest=1)),
        start_tolerance=taker.default("emperor-start-tolerance", values.grace),
        heartbeat=taker.default("emperor-required-heartbeat", values.seconds),
        graceful=taker.flag("emperor-graceful-shutdown"),
        reload_mercy=taker.one("reload-mercy", values.grace, tolerance),
        binary=taker.one("binary-path", values.words, ""),
        nofollow=taker.flag("emperor-nofollow"),
        extra_extensions=words("emperor-extra-extension"),
        inherit=words("vassals-inherit"),
        include=words("vassals-include"),
        inherit_before=words("vassals-inherit-before"),
        include_before=words("vassals-include-before"),
        set=tuple("=".join(pair) for pair in taker.many("vassals-set", values.assignment)),
        stats=build_stats(taker, "emperor-stats"),
        pidfile=taker.one("emperor-pidfile", values.words, ""),
        process_name=taker.one("emperor-procname", values.words, ""),
        lists_monitors=taker.flag("imperial-monitor-list"),
        commands=build_commands(taker),
        launch=build_launch(taker),
    )
