"""
Hundreds of vassals that come at the same time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.trial.unittest import TestCase

from emperor.vassals.status import Phase, VassalStatus
from tests.integration.realms import Realm, reactor

#: A vassal that takes a moment to come up and leaves at the first order.
FAKE = """\
#!/bin/sh
sleep 0.05
printf '\\001\\005' >&3
exec head -c 1 <&3 >/dev/null
"""

CROWD = 500

#: Seconds for which the program may do nothing else, on a machine that starts five
#: hundred others and runs other tests.
STALL = 2


class CrowdTests(TestCase):
    timeout = 100

    def setUp(self) -> None:
        """
        An Emperor whose vassals are tiny programs.
        """
        directory = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, directory)
        script = directory / "fake"
        script.write_text(FAKE)
        script.chmod(0o755)
        self.realm = Realm(directory, str(script))
        self.addCleanup(self.realm.keeper.stopService)
        self.addCleanup(self.stop)
        self.accepted: list[VassalStatus] = []
        self.together = 0
        self.served: Deferred[None] = Deferred()
        self.realm.emperor.watch(self.saw)

    def stop(self) -> Deferred[None] | None:
        """
        Stop the Emperor if the test has not.
        """
        return self.realm.emperor.stopService() if self.realm.emperor.running else None

    def saw(self, status: VassalStatus) -> None:
        """
        Note who accepts, and how many come up together.
        """
        if status.phase is Phase.STARTING:
            phases = [each.phase for each in self.realm.emperor.states()]
            self.together = max(self.together, phases.count(Phase.STARTING))
        if status.phase is Phase.ACCEPTING:
            self.accepted.append(status)
            if len(self.accepted) == CROWD:
                self.served.callback(None)

    async def test_five_hundred_files(self) -> None:
        """
        Five hundred files at once: some start at a time, the first of them serve
        long before the last, and the program does all else meanwhile.  In the end
        they all leave.
        """
        for number in range(CROWD):
            (self.realm.vassals / f"{number:03}.ini").write_text("")
        stalls = [0.0]
        last = [reactor.seconds()]

        def tick() -> None:
            stalls.append(reactor.seconds() - last[0])
            last[0] = reactor.seconds()

        ticking = LoopingCall(tick)
        began = reactor.seconds()
        ticking.start(0.01)
        self.realm.emperor.startService()
        try:
            await self.served
        finally:
            ticking.stop()
        took = reactor.seconds() - began
        first = self.accepted[0].since - began
        print(
            f"\n  {CROWD} vassals in {took:.1f} s, the first in {first:.2f} s, "
            f"longest stall {max(stalls) * 1000:.0f} ms",
            end=" ",
        )
        self.assertLess(first, took / 4)
        self.assertLess(max(stalls), STALL)
        rate = self.realm.settings.spawn_rate
        self.assertLessEqual(self.together, rate)
        names = [status.id.name for status in self.accepted]
        self.assertLess(max(names[:rate]), f"{2 * rate:03}.ini")
        pids = [status.pid for status in self.accepted]
        await self.realm.emperor.stopService()
        self.assertEqual([], [pid for pid in pids if os.path.exists(f"/proc/{pid}")])
