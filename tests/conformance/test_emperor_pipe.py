"""
What an Emperor and a vassal say to each other, and what follows from it, under
uWSGI's Emperor and under ours.
"""

from __future__ import annotations

import os
from signal import SIGINT, SIGQUIT, SIGTERM

from tests.conformance.sides import Side, SidesTestCase, sockets

#: Of a file and its edits: each is newer than the one before.
AGES = (1000, 900, 800)


class WordsTests(SidesTestCase):
    async def test_reload_and_stop(self) -> None:
        """
        An edit is byte 1, a removal byte 0, and nothing else is said; the vassal is
        the same process all the time.
        """

        async def life(side: Side) -> None:
            path = side.write("a.ini")
            side.start()
            await side.hears("a.ini", "start")
            side.write("a.ini", age=AGES[1])
            await side.hears("a.ini", "start", 1)
            side.write("a.ini", age=AGES[2])
            await side.hears("a.ini", "start", 1, 1)
            path.unlink()
            await side.hears("a.ini", "start", 1, 1, 0)
            await side.says("removed uwsgi instance a.ini", "a.ini is gone")
            await side.scans()
            await side.hears("a.ini", "start", 1, 1, 0)

        await self.both(life)

    async def test_graceful(self) -> None:
        """
        With emperor-graceful-shutdown every stop is byte 2: of a removed vassal, of
        one that is idle, and at the end.
        """

        async def life(side: Side) -> None:
            path = side.write("removed.ini")
            side.write("idle.ini", "told say 22")
            side.write("last.ini")
            side.start("emperor-graceful-shutdown = true")
            for name in ("removed.ini", "idle.ini", "last.ini"):
                await side.started(name)
            path.unlink()
            await side.hears("removed.ini", "start", 2)
            side.tell("idle.ini")
            await side.until(lambda: 2 in side.heard("idle.ini"), "the idle one leaves")
            if not side.ours:  # It is started again, and is not to be lost in between.
                await side.started("idle.ini", 2)
                await side.scans()
            self.assertEqual(0, await side.stop())
            await side.hears("last.ini", "start", 2)

        await self.both(life)

    async def test_every_word(self) -> None:
        """
        Words that are nothing, and known ones said again and again, are no reason to
        do anything.
        """

        async def life(side: Side) -> None:
            everything = " ".join(str(byte) for byte in range(256) if byte not in (22, 30))
            side.write("a.ini", f"start say 1 5 17 17 26 5 1 {everything}")
            side.start()
            await side.started("a.ini")
            await side.scans()
            await side.hears("a.ini", "start")
            side.write("a.ini", age=AGES[1])
            await side.hears("a.ini", "start", 1)

        await self.both(life)

    async def test_exit_on_reload(self) -> None:
        """
        A vassal that leaves when it is asked to reload is started again.
        """

        async def life(side: Side) -> None:
            side.write("a.ini", "start say 1 5 17", "again exit 0")
            side.start()
            await side.started("a.ini")
            side.write("a.ini", "start say 1 5 17", "again exit 0", age=AGES[1])
            await side.hears("a.ini", "start", 1, "start")

        await self.both(life)


class EndTests(SidesTestCase):
    async def test_deaf(self) -> None:
        """
        A vassal that does not leave is killed, not before
        emperor-curse-tolerance is over.
        """

        async def life(side: Side) -> float:
            path = side.write("a.ini", "leave nothing", "TERM nothing")
            side.write("b.ini")
            side.start("emperor-curse-tolerance = 2")
            pid = (await side.started("a.ini"))["pid"]
            path.unlink()
            await side.hears("a.ini", "start", 0)
            await side.until(lambda: not os.path.exists(f"/proc/{pid}"), "it is killed")
            side.write("b.ini", age=AGES[1])
            await side.hears("b.ini", "start", 1)
            asked, told = side.entries("a.ini", "byte")[0], side.entries("b.ini", "byte")[0]
            return float(told["time"]) - float(asked["time"])

        for seconds in await self.both(life):
            self.assertGreater(seconds, 0.9)  # uWSGI counts whole seconds.
            self.assertLess(seconds, 20)

    async def test_closed_pipe(self) -> None:
        """
        A vassal that closes its pipe and goes on is killed by uWSGI and started again.
        We let it be until its file changes, for any program may be a vassal, also one
        that closes what it does not know; then it gets TERM, and is started again.
        """

        async def life(side: Side) -> None:
            side.write("a.ini", "told close")
            side.start("emperor-curse-tolerance = 1")
            pid = (await side.started("a.ini"))["pid"]
            side.tell("a.ini")
            await side.until(lambda: not sockets(pid), "it has closed its pipe")
            if side.ours:
                await side.scans()
                await side.hears("a.ini", "start")
                side.write("a.ini", age=AGES[1])
            await side.started("a.ini", 2)
            await side.hears("a.ini", "start", *(["TERM"] if side.ours else []), "start")
            self.assertFalse(os.path.exists(f"/proc/{pid}"))

        await self.both(life)

    async def test_stop(self) -> None:
        """
        TERM, INT and QUIT ask all vassals to leave, and end the Emperor well.
        """
        sides = {
            number: [self.make_theirs(f"theirs{number}"), self.make_ours(f"ours{number}")]
            for number in (SIGTERM, SIGINT, SIGQUIT)
        }

        async def life(side: Side) -> None:
            for name in ("a.ini", "b.ini"):
                side.write(name)
            side.start()
            for name in ("a.ini", "b.ini"):
                await side.hears(name, "start")
            side.program.send(next(number for number in sides if side in sides[number]))
            self.assertEqual(0, await side.program.end())
            for name in ("a.ini", "b.ini"):
                await side.hears(name, "start", 0)

        await self.each([side for pair in sides.values() for side in pair], life)

    async def test_killed(self) -> None:
        """
        An Emperor that is killed takes its vassals with it, also deaf ones.
        """

        async def life(side: Side) -> None:
            side.write("a.ini")
            side.write("deaf.ini", "lost nothing", "leave nothing", "TERM nothing")
            side.start()
            pids = [(await side.started(name))["pid"] for name in ("a.ini", "deaf.ini")]
            await side.kill()
            await side.until(
                lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "all are gone"
            )

        await self.both(life)


class HeartTests(SidesTestCase):
    async def test_silent_heart(self) -> None:
        """
        A vassal whose heart has beaten once and no more is not left as it is: uWSGI
        kills it, we ask it to reload first, and kill it if that does not help.  One
        that has never beaten is let be.
        """

        async def life(side: Side) -> None:
            side.write("a.ini", "start say 1 5 26", "again nothing")
            side.write("b.ini", "start say 1 5 26", "again say 5")
            side.write("c.ini")
            side.start("emperor-required-heartbeat = 1", "emperor-curse-tolerance = 1")
            await side.started("a.ini", 2)
            if side.ours:
                self.assertEqual(["start", 1, "start"], side.heard("a.ini")[:3])
                self.assertEqual(["start", 1], side.heard("b.ini")[:2])
                self.assertEqual(1, side.heard("b.ini").count("start"))
            else:
                self.assertEqual(["start", "start"], side.heard("a.ini")[:2])
                await side.started("b.ini", 2)
            await side.hears("c.ini", "start")

        await self.both(life)


class ExitTests(SidesTestCase):
    async def test_away_until_a_change(self) -> None:
        """
        Exit code 26 means: not again; byte 22: nobody needs me.  Byte 22 is answered
        with byte 0.  uWSGI starts the vassal of a file again in both cases; we do when
        its file changes.
        """

        async def life(side: Side) -> None:
            side.write("exile.ini", "start exit 26")
            side.write("idle.ini", "told say 22")
            side.start("emperor-throttle = 1")
            await side.started("idle.ini")
            side.tell("idle.ini")
            if side.ours:
                await side.says("", "exile.ini left for good")
                await side.says("", "idle.ini sleeps, as it wished")
                await side.scans()
                await side.hears("exile.ini", "start")
                await side.hears("idle.ini", "start", 0)
                side.write("exile.ini", age=AGES[1])
                side.write("idle.ini", age=AGES[1])
            await side.started("exile.ini", 2)
            await side.hears("idle.ini", "start", 0, "start")

        await self.both(life)
