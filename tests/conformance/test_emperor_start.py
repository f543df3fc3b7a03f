"""
How a vassal is started, by uWSGI's Emperor and by ours.
"""

from __future__ import annotations

import os
from signal import SIGKILL
from typing import Any

from tests.conformance.sides import Entry, Side, SidesTestCase
from tests.integration.programs import MARK

#: Variables that an Emperor may have and its vassals must not.
EMPERORS = {"UWSGI_RELOADS": "3", "NOTIFY_SOCKET": "/nowhere"}

#: What only uWSGI's vassals find: its own name.
THEIRS = ("UWSGI_ORIGINAL_PROC_NAME",)

#: What only ours find: a mark by which their processes are known.
OURS = ("TXEMPEROR_VASSAL",)

FILES = (
    "a.ini",
    "b.xml",
    "c.yml",
    "d.yaml",
    "e.js",
    "f.json",
    "g.conf",
    "h.x.ini",
    ".hidden.ini",
    ".ini",
    "two words.ini",
    "-dash.ini",
    "ünïcode.ini",
    f"{'n' * 250}.ini",
)

#: What is no vassal.
OTHERS = ("a.txt", "a.ini~", "b.INI", "ini", "c.ini.bak", "d.conf.old")


class ArgumentsTests(SidesTestCase):
    async def test_argv(self) -> None:
        """
        Every kind of file has its option; templates and settings are in uWSGI's
        order, whatever the order in the Emperor's file.
        """

        async def argv(side: Side) -> dict[str, Any]:
            for name in FILES:
                side.write(name)
            side.start(
                "vassals-include = ia1",
                "vassals-include = ia2",
                "vassals-inherit = ha",
                "vassal-set = one=1",
                "vassals-set = two=2",
                "vassals-include-before = ib",
                "vassals-inherit-before = hb",
                "emperor-extra-extension = .conf",
                "emperor-extra-ext = .x.ini",
            )
            for name in FILES:
                await side.started(name)
            return {each["vassal"]: each["argv"] for each in side.entries("", "start")}

        found = await self.same(argv)
        before = ["--inherit", "hb", "--include", "ib", "--set", "one=1", "--set", "two=2"]
        after = ["--inherit", "ha", "--include", "ia1", "--include", "ia2"]
        self.assertEqual([*before, "--ini", "a.ini", *after], found["a.ini"])
        words = {name: found[name][len(before)] for name in FILES[:8]}
        self.assertEqual(
            ["--ini", "--xml", "--yaml", "--yaml", "--json", "--json", "--config", "--config"],
            list(words.values()),
        )

    async def test_names(self) -> None:
        """
        What has another name, or is no file, is no vassal.
        """

        async def names(side: Side) -> list[str]:
            for name in OTHERS:
                side.write(name)
            (side.vassals / "directory.ini").mkdir()
            os.mkfifo(side.vassals / "fifo.ini")
            (side.vassals / "dangling.ini").symlink_to("nothing.ini")
            side.write("other/target.txt")
            (side.vassals / "link.ini").symlink_to("../other/target.txt")
            side.start()
            await side.started("link.ini")
            await side.scans()
            return sorted(each["vassal"] for each in side.entries("", "start"))

        found = await self.same(names)
        self.assertEqual(["fence1.ini", "fence2.ini", "link.ini"], found)


class ProcessTests(SidesTestCase):
    async def given(self, side: Side, *options: str, **more: Any) -> Entry:
        """
        What a vassal finds.
        """
        side.write("a.ini")
        side.start(*options, **more)
        return await side.started("a.ini")

    async def test_environment(self) -> None:
        """
        A vassal finds the Emperor's environment, without what concerns the Emperor
        alone, and the number of its pipe.
        """

        async def environment(side: Side) -> dict[str, str]:
            entry = await self.given(side, environment=EMPERORS)
            found: dict[str, str] = side.plain(entry["environ"])
            pipe = entry["descriptors"][found.pop("UWSGI_EMPEROR_FD")]
            self.assertEqual("connected AF_UNIX", pipe)
            for name in EMPERORS:
                self.assertNotIn(name, found)
            for name in THEIRS:
                self.assertEqual(side.ours, found.pop(name, None) is None, name)
            for name in OURS:
                self.assertEqual(not side.ours, found.pop(name, None) is None, name)
            return found

        found = await self.same(environment)
        self.assertEqual(self.mark, found[MARK])

    async def test_variables_for_vassals(self) -> None:
        """
        C{UWSGI_VASSAL_X} of the Emperor is C{UWSGI_X} of its vassals, as uWSGI's
        documentation has it; its Emperor does not do it.
        """
        variables = {"UWSGI_VASSAL_HARAKIRI": "30", "UWSGI_VASSAL_THREADS": "2"}
        environ = (await self.given(self.ours, environment=variables))["environ"]
        self.assertEqual("30", environ["UWSGI_HARAKIRI"])
        self.assertEqual("2", environ["UWSGI_THREADS"])
        self.assertFalse(set(variables) & set(environ))

    async def test_process(self) -> None:
        """
        A vassal has nothing open but its pipe and the log, dies with its Emperor,
        and has the Emperor's limits and umask.
        """

        async def process(side: Side) -> Entry:
            before = "exec 8</dev/zero 9</dev/null; ulimit -n 500; umask 027"
            entry = await self.given(side, before=before)
            pipe = entry["environ"]["UWSGI_EMPEROR_FD"]
            self.assertEqual({"0", "1", "2", pipe}, set(entry["descriptors"]))
            self.assertEqual(side.ours, entry["session"])
            self.assertEqual(side.ours, entry["group"])
            same = ("cwd", "death_signal", "nofile", "status")
            return {"stdin": entry["descriptors"]["0"], **{name: entry[name] for name in same}}

        found = await self.same(process)
        self.assertEqual("/dev/null", found["stdin"])
        self.assertEqual("PLACE/v", found["cwd"])
        self.assertEqual(SIGKILL, found["death_signal"])
        self.assertEqual([500, 500], found["nofile"])
        self.assertEqual("0027", found["status"]["Umask"])


class WrapperTests(SidesTestCase):
    async def test_order(self) -> None:
        """
        Overrides are tried before the wrapper, fallbacks after it, each in their
        order; the arguments are the same.
        """

        async def order(side: Side) -> list[str]:
            ways = {
                "overridden": [
                    "emperor-wrapper-override = PLACE/nothing",
                    "emperor-wrapper-override = PLACE/first",
                    "emperor-wrapper = PLACE/second",
                ],
                "fallen": [
                    "emperor-wrapper = PLACE/nothing",
                    "emperor-wrapper-fallback = PLACE/not-this-one",
                    "emperor-wrapper-fallback = PLACE/third",
                ],
            }
            for name in ("first", "second", "third"):
                side.make_program(name)
            found = []
            for way, options in ways.items():
                side.write(f"{way}.ini")
                side.start(*options, wrapped=False)
                entry = await side.started(f"{way}.ini")
                found += [entry["program"], *entry["argv"]]
                await side.kill()
                (side.vassals / f"{way}.ini").unlink()
            return found

        found = await self.same(order)
        self.assertEqual(
            ["PLACE/first", "--ini", "overridden.ini", "PLACE/third", "--ini", "fallen.ini"], found
        )
