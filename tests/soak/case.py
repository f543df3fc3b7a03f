"""
A soak as a test case.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from twisted.internet.defer import DeferredLock, ensureDeferred, gatherResults

from tests.integration.programs import (
    CHECKOUT,
    Program,
    ProgramsTestCase,
    eventually,
    free_port,
    reactor,
)
from tests.integration.servers import our_program, until_answered
from tests.soak.chaos import Library, Life, trouble
from tests.soak.report import report
from tests.soak.sites import Site
from tests.soak.watching import Watch

#: A worker that is asked to leave before it listens to signals is killed after this:
#: seconds.
MERCY = 4

_ROUTER = """\
[uwsgi]
emperor = {place}/vassals
emperor-curse-tolerance = {mercy}
http = 127.0.0.1:{port}
http-processes = {processes}
transport = {transport}
"""


class SoakTestCase(ProgramsTestCase):
    """
    Sites to which everything happens, while they are asked all the time.

    @cvar seed: decides what happens.
    @cvar length: seconds of it; 0: as many as the test says.
    @cvar pace: how long sites are left in peace, 1: for seconds.
    @cvar is_told: whether everything that was done is shown.
    """

    seed = 1
    length = 0
    pace = 0.25
    is_told = False
    timeout = 100

    async def soak(
        self, *, count: int = 10, processes: int = 1, held: bool = True, seconds: int = 4
    ) -> None:
        """
        Do it.

        @param count: of sites.
        @param processes: of the router.
        @param held: whether the sockets are the Emperor's.
        @param seconds: how long, in a hurry.
        """
        port = free_port()
        sites = [Site(f"site{number}", self.place, held) for number in range(count)]
        program = await self._started(port, sites, processes)
        watches = [Watch(self, port, site) for site in sites]
        for watch in watches:
            watch.start()
        deeds: list[str] = []
        try:
            end = reactor.seconds() + (self.length or seconds)
            await self._happens(program, port, watches, end, deeds)
        finally:
            await gatherResults([ensureDeferred(watch.stop()) for watch in watches])
            tallies = {watch.site.name: watch.tally for watch in watches}
            print(f"\n{report(tallies, deeds, whole=self.is_told)}", flush=True)
        asked = reactor.seconds()
        program.send(signal.SIGTERM)
        await eventually(lambda: program.status is not None, "the program ends")
        print(f"The program ended after {reactor.seconds() - asked:.1f} s")
        failed = [name for name, tally in tallies.items() if tally.failures]
        self.assertEqual(failed, [], f"seed {self.seed}: requests failed")

    async def _started(self, port: int, sites: Sequence[Site], processes: int) -> Program:
        """
        The program with all sites, which answer.
        """
        (self.place / "vassals").mkdir()
        for site in sites:
            site.path.write_text(site.next_edition())
        configuration = self.place / "router.ini"
        values = {"port": port, "processes": processes, "transport": self.transport}
        configuration.write_text(_ROUTER.format(place=self.place, mercy=MERCY, **values))
        program = self.start(
            "emperor",
            [*our_program(), "--config", configuration],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        await program.listens(port)
        for site in sites:
            await until_answered(port, site.host)
        return program

    async def _happens(
        self, program: Program, port: int, watches: Sequence[Watch], end: float, deeds: list[str]
    ) -> None:
        """
        Do everything until the clock shows C{end}.

        @param deeds: what was done is added here.
        """

        def note(what: str) -> None:
            deeds.append(f"{datetime.now():%H:%M:%S.%f} {what}")

        common: dict[str, Any] = {
            "mark": self.mark,
            "pace": self.pace,
            "library": Library(),
            "removing": DeferredLock(),
            "note": note,
        }
        lives = [
            Life(watch, port, random=Random(f"{self.seed} {watch.site.name}"), **common)
            for watch in watches
        ]
        doing = [ensureDeferred(life.live(end)) for life in lives]
        troubles = trouble(
            program,
            common["library"],
            random=Random(self.seed),
            pace=self.pace,
            end=end,
            note=note,
        )
        await gatherResults([*doing, ensureDeferred(troubles)], consumeErrors=True)
