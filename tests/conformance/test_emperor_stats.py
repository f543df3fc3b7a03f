"""
The statistics of an Emperor, under uWSGI and under us: the same names in the same
order with values of the same types.

Both have the same two vassals, of which one dies at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from tests.conformance.test_stats import differences
from tests.integration.client import exchange
from tests.integration.programs import DEADLINE, LOOK, ProgramsTestCase, free_port, reactor
from tests.integration.servers import our_program, reference_uwsgi

#: Read by both programs.
CONFIGURATION = """\
[uwsgi]
emperor = %d{name}
emperor-freq = 1
emperor-throttle = 60000
emperor-stats = 127.0.0.1:{stats}
"""

GOOD = "[uwsgi]\nmaster = true\nsocket = 127.0.0.1:0\n"
BAD = "[uwsgi]\nsocket = /nowhere/a.sock\n"

#: What is the same number or text in both.
EQUAL = (
    *("id", "loyal", "ready", "accepting", "last_heartbeat", "last_loyal"),
    *("cursed", "zerg", "on_demand", "uid", "gid", "respawns"),
)


class EmperorStatsTests(ProgramsTestCase):
    async def test_names(self) -> None:
        """
        Who reads uWSGI's statistics can read ours.
        """
        theirs = await self.shown("uwsgi", [reference_uwsgi(), "--die-on-term", "--ini"])
        ours = await self.shown("emperor", [*our_program(), "--config"])
        self.assertEqual([], list(differences(theirs, ours)))
        (their, our) = theirs["vassals"][0], ours["vassals"][0]
        self.assertEqual([their[name] for name in EQUAL], [our[name] for name in EQUAL])
        self.assertEqual([str(self.place / "uwsgi")], theirs["emperor"])
        self.assertEqual([str(self.place / "emperor")], ours["emperor"])
        for shown in (theirs, ours):
            vassal = shown["vassals"][0]
            self.assertEqual(shown["emperor"], [vassal["monitor"]])
            self.assertEqual(vassal["born"], vassal["last_mod"])
            self.assertLess(abs(vassal["last_accepting"] - reactor.seconds()), 60)

    async def shown(self, name: str, command: list[str | Path]) -> Any:
        """
        What a program shows when one vassal accepts and the other one has died;
        which of the two lists have that one as well, differs.
        """
        stats = free_port()
        vassals = self.place / name
        vassals.mkdir()
        (vassals / "good.ini").write_text(GOOD)
        (vassals / "bad.ini").write_text(BAD)
        configuration = self.place / f"{name}.ini"
        configuration.write_text(CONFIGURATION.format(name=name, stats=stats))
        program = self.start(name, [*command, configuration])
        await program.listens(stats)
        end = reactor.seconds() + DEADLINE
        while reactor.seconds() < end:
            shown = json.loads(await exchange(stats, b""))
            good = [each for each in shown["vassals"] if each["id"] == "good.ini"]
            if shown["blacklist"] and good and good[0]["accepting"]:
                return {**shown, "vassals": good}
            await deferLater(reactor, LOOK)
        self.fail(f"{name} never shows the vassals: {program.log}")
