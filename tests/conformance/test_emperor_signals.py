"""
What signals make of the realm, of uWSGI's Emperor and of ours, and how long a vassal
that dies has to wait.
"""

from __future__ import annotations

from itertools import pairwise
from signal import SIGHUP, SIGURG, SIGUSR1, SIGWINCH

from tests.conformance.sides import Side, SidesTestCase

#: C{emperor-throttle} and C{emperor-max-throttle}, in seconds.
THROTTLE, MAXIMUM = 0.2, 180


class SignalTests(SidesTestCase):
    async def test_signals(self) -> None:
        """
        HUP reloads all vassals; USR1 writes a line for each; WINCH is a look at
        everything, however long emperor-freq is.
        """

        async def signals(side: Side) -> None:
            for name in ("a.ini", "b.ini"):
                side.write(name)
            side.start("emperor-freq = 3600")
            for name in ("a.ini", "b.ini"):
                await side.hears(name, "start")
            await side.says("b.ini is ready to accept", "b.ini accepts")
            side.program.send(SIGHUP)
            for name in ("a.ini", "b.ini"):
                await side.hears(name, "start", 1)
            before = len(side.program.log)
            side.program.send(SIGUSR1)
            for name in ("a.ini", "b.ini"):
                line = f"Vassal {name} is accepting" if side.ours else f"vassal instance {name} "
                await side.program.says(line, after=before)
            side.write("c.ini")
            side.program.send(SIGWINCH)
            await side.started("c.ini")

        await self.both(signals)


class WaitTests(SidesTestCase):
    async def test_waits(self) -> None:
        """
        A vassal that dies at once is started again and again; the waits are never
        shorter than those of uWSGI, which grow by emperor-throttle each time.
        """
        options = (f"emperor-throttle = {THROTTLE * 1000:g}", "emperor-max-throttle = 180000")

        async def waits(side: Side) -> list[float]:
            side.write("a.ini", "start exit 1")
            side.start(*options)
            await side.started("a.ini", 5)
            starts = [float(each["time"]) for each in side.entries("a.ini", "start")[:5]]
            return [after - before for before, after in pairwise(starts)]

        # The first wait of uWSGI is a thousandth of what it is meant to be.
        levels = [0, THROTTLE, 2 * THROTTLE, 3 * THROTTLE]
        theirs, ours = await self.both(waits)
        for found in (theirs, ours):
            self.assertTrue(all(a > b for a, b in zip(found, levels, strict=True)), found)
        self.assertGreater(ours[0], THROTTLE)

    async def test_blame(self) -> None:
        """
        A vassal that has answered a request and dies comes back without a wait;
        another one waits, with uWSGI from its second death on.  URG ends all waits; an
        edit that of its vassal, with us alone.
        """

        async def blame(side: Side) -> None:
            side.write("loyal.ini", "start say 1 5 17", "told exit 1")
            side.write("a.ini", "start exit 1")
            side.start("emperor-throttle = 60000")
            deaths = 1 if side.ours else 2
            await side.started("a.ini", deaths)
            await side.started("loyal.ini")
            await side.says("", "a.ini died")
            side.tell("loyal.ini")
            await side.started("loyal.ini", 2)
            await side.scans()
            self.assertEqual(deaths, len(side.entries("a.ini", "start")))
            side.program.send(SIGURG)
            await side.started("a.ini", deaths + 1)
            if side.ours:
                side.write("a.ini", "start exit 2", age=500)
                await side.started("a.ini", deaths + 2)

        await self.both(blame)

    async def test_no_blacklist(self) -> None:
        """
        With emperor-no-blacklist nobody waits for C{emperor-throttle}.
        """

        async def impatient(side: Side) -> None:
            side.write("a.ini", "start exit 1")
            side.start("emperor-throttle = 60000", "emperor-no-blacklist = true")
            await side.started("a.ini", 3)

        await self.both(impatient)
