"""
An Emperor in memory with a few vassals.
"""

from __future__ import annotations

from emperor.config.settings import EmperorSettings
from emperor.testing.vassals import MemoryMonitor, MemorySpawner, make_spec
from emperor.vassals.commandline import Program
from emperor.vassals.emperor import Emperor
from emperor.vassals.launcher import Launcher
from emperor.vassals.moment import SETTLING
from emperor.vassals.status import Phase
from emperor.wire.vassal import Said

#: Two monitors, both of which have a vassal b.ini.
MONITORS = ("dir:///v", "dir:///w")


class Realm:
    """
    Vassals a.ini and b.ini of the first monitor, b.ini of the second one; all accept.
    """

    def __init__(self) -> None:
        self.reactor = MemorySpawner()
        first = [make_spec("a.ini"), make_spec("b.ini")]
        second = [make_spec("b.ini", monitor=MONITORS[1], directory="/usr")]
        self.monitors = [
            MemoryMonitor(source, specs)
            for source, specs in zip(MONITORS, (first, second), strict=True)
        ]
        settings = EmperorSettings()
        launcher = Launcher(
            self.reactor,
            settings,
            {},
            self.reactor,
            find=lambda binary: Program("/usr/bin/uwsgi"),
        )
        self.emperor = Emperor(
            self.reactor,
            self.monitors,
            launcher.launch,
            settings=settings,
            listening=lambda spec: frozenset(),
        )
        self.emperor.startService()
        self.reactor.advance(0)
        self.reactor.advance(0)
        for process in self.reactor.processes:
            process.says(Said.READY, Said.ACCEPTING)
        self.reactor.advance(SETTLING)

    def phases(self) -> list[Phase]:
        """
        Of all vassals.
        """
        return [status.phase for status in self.emperor.states()]
