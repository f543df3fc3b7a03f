"""
From what was found at the start to the program as a vassal.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from twisted.internet.threads import deferToThreadPool

from emperor.config.errors import fault
from emperor.config.loading import Loaded
from emperor.config.settings import Origin, Settings
from emperor.program import Signals
from emperor.proxy.listeners import OpenRouter
from emperor.proxy.processes import RouterProcesses
from emperor.proxy.service import RouterService
from emperor.superior.execution import Command, again, attempt
from emperor.superior.heritage import Heritage
from emperor.superior.rehearsal import rehearse
from emperor.superior.renewal import Renewal
from emperor.superior.service import Superior
from emperor.superior.summons import Summons

CONFIGURATION = Origin("the configuration", 0)


@dataclass(frozen=True)
class Origins:
    """
    How the program was started, and by whom.

    @ivar load: reads the configuration again.
    """

    summons: Summons
    command: Command
    loaded: Loaded
    load: Callable[[], Loaded]


def build_superior(
    reactor: Any,
    origins: Origins,
    opened: Sequence[OpenRouter],
    routers: Sequence[RouterService | RouterProcesses],
    signals: Signals,
    *,
    check: Callable[[Settings], object],
    refresh: Callable[[], object],
) -> tuple[Superior, Heritage]:
    """
    The program as a vassal.

    @param check: makes sure that a configuration can be had.
    @param refresh: reloads all vassals.
    @return: what starts first and ends last, and what starts last and ends first.
    """
    settings = origins.loaded.settings
    heritage = Heritage(opened, settings)

    def prepare(changed: Settings) -> None:
        if changed.is_idle:
            raise fault("nothing to do: it has no emperor, http or fastrouter", CONFIGURATION)
        check(changed)
        attempt(origins.command)
        rehearse(settings, changed)
        heritage.prepare(changed)

    def renew() -> None:
        kept = heritage.keep()
        for router in routers:
            router.kept = kept
        # It comes after everything else, also after twistd's own end.
        atexit.register(execute)
        signals.leave()

    def execute() -> None:
        again(origins.command, superior.descriptor, heritage.passed())

    def abandon() -> None:
        atexit.unregister(execute)
        heritage.close()

    renewal = Renewal(
        origins.loaded,
        load=origins.load,
        prepare=prepare,
        in_thread=partial(deferToThreadPool, reactor, reactor.getThreadPool()),
        refresh=refresh,
        renew=renew,
        abandon=abandon,
    )
    signals.abandon = renewal.end
    superior = Superior(
        reactor, origins.summons, settings.heartbeat, stop=signals.stop, reload=renewal.reload
    )
    return superior, heritage
