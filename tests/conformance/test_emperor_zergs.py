"""
Vassals that call for help, under uWSGI's Emperor and under ours.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.sides import Side, SidesTestCase

#: What a zerg is called.
ZERG = "a.ini:zerg"

#: It has served: with us one that leaves as soon as it has come is not called again at
#: once.
ZERGS = ("zerg-start say 1 5 17", "zerg-told say 22")


class ZergTests(SidesTestCase):
    async def test_call(self) -> None:
        """
        Byte 30 brings one more of the vassal, with the section C{zerg} of its file and
        a number; not more than emperor-broodlord.  It leaves when it says 22, and then
        a call brings the next one; and it leaves when the file goes.
        """

        async def call(side: Side) -> list[Any]:
            path = side.write("a.ini", "start say 1 5 17", "told say 30", *ZERGS)
            side.start("emperor-broodlord = 1")
            await side.started("a.ini")
            self.assertNotIn("UWSGI_BROODLORD_NUM", side.entries("a.ini")[0]["environ"])
            side.tell("a.ini")
            found = [await side.started(ZERG)]
            side.tell("a.ini")
            await side.scans()
            await side.hears(ZERG, "start")
            side.tell(ZERG)
            await side.until(lambda: len(side.heard(ZERG)) == 2, "the zerg leaves")
            # Ours answers its requests first.
            leaving = 2 if side.ours else 0
            await side.hears(ZERG, "start", leaving)
            await side.scans()
            await side.says("removed uwsgi instance a.ini:zerg", "a.ini:zerg is gone")
            side.tell("a.ini")
            found.append(await side.started(ZERG, 2))
            path.unlink()
            await side.hears("a.ini", "start", 0)
            await side.hears(ZERG, "start", leaving, "start", leaving)
            keys = ("argv", "cwd")
            number = "UWSGI_BROODLORD_NUM"
            return [({key: each[key] for key in keys}, each["environ"][number]) for each in found]

        found = await self.same(call)
        given = {"argv": ["--ini", ZERG], "cwd": "PLACE/v"}
        self.assertEqual([[given, "1"], [given, "2"]], found)

    async def test_without_broodlord(self) -> None:
        """
        Without emperor-broodlord a call means nothing.
        """

        async def call(side: Side) -> None:
            side.write("a.ini", "start say 1 5 17 30")
            side.start()
            await side.started("a.ini")
            await side.scans()
            self.assertEqual([], side.entries(ZERG))
            await side.hears("a.ini", "start")

        await self.both(call)
