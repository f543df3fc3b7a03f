"""
Which changes of files are seen, by uWSGI's Emperor and by ours.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.conformance.sides import Side, SidesTestCase


class EditTests(SidesTestCase):
    async def test_edits(self) -> None:
        """
        A newer file, whether it is written in place, renamed or only touched, is a
        reload for both.  One that is older, or that is another one of the same
        second, is a reload with us alone.  A change of the mode is none.
        """
        changes = {
            "touched.ini": lambda path, side: side.set_age(path, 500),
            "replaced.ini": lambda path, side: side.write(path.name, age=500),
            "edited.ini": self.edit,
            "chmod.ini": lambda path, side: path.chmod(0o600),
            "older.ini": lambda path, side: side.set_age(path, 5000),
            "same.ini": self.edit_in_the_same_second,
        }
        always = ("touched.ini", "replaced.ini", "edited.ini")
        sometimes = ("older.ini", "same.ini")

        async def edits(side: Side) -> None:
            paths = [side.write(name) for name in changes]
            side.start()
            for name in changes:
                await side.hears(name, "start")
            for path in paths:
                changes[path.name](path, side)
            await side.scans()
            for name in always:
                await side.hears(name, "start", 1)
            for name in sometimes:
                await side.hears(name, "start", *([1] if side.ours else []))
            await side.hears("chmod.ini", "start")

        await self.both(edits)

    def edit(self, path: Path, side: Side) -> None:
        """
        Write a file in its place.
        """
        path.write_text("; edited\n")

    def edit_in_the_same_second(self, path: Path, side: Side) -> None:
        """
        Let the file be another one with the same time, in whole seconds.
        """
        time = int(path.stat().st_mtime)
        draft = side.place / "draft"
        draft.write_text("; edited\n")
        os.utime(draft, (time + 0.5, time + 0.5))
        draft.rename(path)


class LinkTests(SidesTestCase):
    async def test_links(self) -> None:
        """
        A link is what it leads to: when that is edited, or another newer file, there
        is a reload; when it is an older one, with us alone; when there is nothing, the
        vassal leaves.
        """
        names = ("edited.ini", "newer.ini", "older.ini", "dangling.ini")

        async def links(side: Side) -> None:
            for name in names:
                side.write(f"targets/{name}")
                self.link(side, name, name)
            side.write("targets/new", age=500)
            side.write("targets/old", age=5000)
            side.start()
            for name in names:
                await side.hears(name, "start")
            side.write("targets/edited.ini", age=500)
            self.link(side, "newer.ini", "new")
            self.link(side, "older.ini", "old")
            (side.place / "targets/dangling.ini").unlink()
            await side.hears("dangling.ini", "start", 0)
            await side.scans()
            await side.hears("edited.ini", "start", 1)
            await side.hears("newer.ini", "start", 1)
            await side.hears("older.ini", "start", *([1] if side.ours else []))

        await self.both(links)

    async def test_nofollow(self) -> None:
        """
        With emperor-nofollow a link is a file of its own: what it leads to may change,
        or be nothing.
        """
        names = ("target.ini", "touched.ini", "removed.ini", "dangling.ini")

        async def links(side: Side) -> None:
            for name in names:
                if name != "dangling.ini":
                    side.write(f"targets/{name}")
                self.link(side, name, name)
            side.start("emperor-nofollow = true")
            for name in names:
                await side.hears(name, "start")
            side.write("targets/target.ini", age=500)
            side.set_age(side.vassals / "touched.ini", 500)
            (side.place / "targets/removed.ini").unlink()
            await side.scans()
            await side.hears("touched.ini", "start", 1)
            for name in ("target.ini", "removed.ini", "dangling.ini"):
                await side.hears(name, "start")
            (side.vassals / "dangling.ini").unlink()
            await side.hears("dangling.ini", "start", 0)

        await self.both(links)

    def link(self, side: Side, name: str, target: str) -> None:
        """
        Let a vassal be a link to a target, in one step; the link itself is old.
        """
        draft = side.place / "draft"
        draft.symlink_to(f"../targets/{target}")
        side.set_age(draft, 1000)
        draft.rename(side.vassals / name)


class MonitorTests(SidesTestCase):
    async def test_two_directories(self) -> None:
        """
        Each vassal runs in the directory of its file.  A name that is in both is one
        vassal for uWSGI, and two for us.
        """

        async def directories(side: Side) -> None:
            for name in ("one/a.ini", "two/b.ini", "one/both.ini", "two/both.ini"):
                side.write(name)
            side.start(monitors=("PLACE/one", "dir://PLACE/two"))
            for name, place in (("a.ini", "one"), ("b.ini", "two")):
                self.assertEqual(str(side.place / place), (await side.started(name))["cwd"])
            if side.ours:
                await side.started("both.ini", 2)
            await side.until(lambda: side.entries("both.ini"), "the one that is in both starts")
            places = {each["cwd"] for each in side.entries("both.ini", "start")}
            self.assertEqual({str(side.place / "one"), *self.only_ours(side)}, places)

        await self.both(directories)

    def only_ours(self, side: Side) -> list[str]:
        """
        Where the second vassal of that name is.
        """
        return [str(side.place / "two")] if side.ours else []

    async def test_pattern(self) -> None:
        """
        A vassal of a pattern is called as the pattern has it, and runs where the
        Emperor was started.  It stays while its file is there.  A name has 254 bytes
        at most.
        """

        async def pattern(side: Side) -> dict[str, object]:
            side.write("sites/one.ini")
            side.write("sites/two.ini")
            side.write("sites/.hidden.ini")
            side.write("sites/three.txt")
            side.write(f"{'s' * 50}/{'n' * 199}.ini")
            side.write(f"{'s' * 50}/{'n' * 200}.ini")
            side.start(monitors=("v", "glob://sites/t*", "s*s/*.ini"))
            entry = await side.started("sites/one.ini")
            await side.started("sites/two.ini")
            side.write("sites/one.ini", age=500)
            await side.hears("sites/one.ini", "start", 1)
            (side.place / "sites/one.ini").unlink()
            await side.hears("sites/one.ini", "start", 1, 0)
            await side.scans()
            await side.hears("sites/two.ini", "start")
            await side.started(f"{'s' * 50}/{'n' * 199}.ini")
            names = {each["vassal"] for each in side.entries("", "start")}
            names = {name for name in names if name.startswith("s")}
            self.assertEqual(
                {"sites/one.ini", "sites/two.ini", f"{'s' * 50}/{'n' * 199}.ini"}, names
            )
            return {"argv": entry["argv"], "cwd": entry["cwd"]}

        found = await self.same(pattern)
        self.assertEqual({"argv": ["--ini", "sites/one.ini"], "cwd": "PLACE"}, found)

    async def test_directory_away(self) -> None:
        """
        While a directory is away its vassals stay; when it is back, what is not there
        any more leaves.
        """

        async def away(side: Side) -> None:
            for name in ("other/a.ini", "other/b.ini"):
                side.write(name)
            side.start(monitors=("PLACE/v", "PLACE/other"))
            for name in ("a.ini", "b.ini"):
                await side.hears(name, "start")
            (side.place / "other").rename(side.place / "away")
            await side.scans()
            for name in ("a.ini", "b.ini"):
                await side.hears(name, "start")
            (side.place / "away" / "b.ini").unlink()
            (side.place / "away").rename(side.place / "other")
            await side.hears("b.ini", "start", 0)
            await side.hears("a.ini", "start")

        await self.both(away)
