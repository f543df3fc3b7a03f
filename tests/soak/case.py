"""
A soak as a test case.
"""

from __future__ import annotations

import signal
from datetime import datetime
from random import Random

from twisted.internet.defer import DeferredLock, ensureDeferred, gatherResults

from tests.integration.programs import CHECKOUT, ProgramsTestCase, eventually, free_port, reactor
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
        (self.place / "vassals").mkdir()
        sites = [Site(f"site{number}", self.place, held) for number in range(count)]
        for site in sites:
            site.path.write_text(site.next_edition())
        configuration = self.place / "router.ini"
        configuration.write_text(
            _ROUTER.format(
                place=self.place,
                port=port,
                processes=processes,
                transport=self.transport,
                mercy=MERCY,
            )
        )
        program = self.start(
            "emperor",
            [*our_program(), "--config", configuration],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )
        await program.listens(port)
        for site in sites:
            await until_answered(port, site.host)
        deeds: list[str] = []

        def note(what: str) -> None:
            deeds.append(f"{datetime.now():%H:%M:%S.%f} {what}")

        removing, library = DeferredLock(), Library()
        end = reactor.seconds() + (self.length or seconds)
        watches = {site.name: Watch(self, port, site) for site in sites}
        lives = [
            Life(
                site,
                watches[site.name],
                port,
                random=Random(f"{self.seed} {site.name}"),
                mark=self.mark,
                pace=self.pace,
                library=library,
                removing=removing,
                note=note,
            )
            for site in sites
        ]
        for watch in watches.values():
            watch.start()
        doing = [ensureDeferred(life.live(end)) for life in lives]
        doing.append(
            ensureDeferred(
                trouble(
                    program,
                    library,
                    random=Random(self.seed),
                    pace=self.pace,
                    end=end,
                    note=note,
                )
            )
        )
        try:
            await gatherResults(doing, consumeErrors=True)
        finally:
            await gatherResults([ensureDeferred(watch.stop()) for watch in watches.values()])
            tallies = {name: watch.tally for name, watch in watches.items()}
            shown = report(tallies, deeds, whole=self.is_told)
            print(f"\n{shown}", flush=True)
        asked = reactor.seconds()
        program.send(signal.SIGTERM)
        await eventually(lambda: program.status is not None, "the program ends")
        print(f"The program ended after {reactor.seconds() - asked:.1f} s")
        failed = [name for name, tally in tallies.items() if tally.failures]
        self.assertEqual(failed, [], f"seed {self.seed}: requests failed")
