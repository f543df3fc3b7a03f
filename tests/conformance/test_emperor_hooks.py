"""
Commands at a vassal's start and end, under uWSGI's Emperor and under ours.
"""

from __future__ import annotations

import os

from tests.conformance.sides import Side, SidesTestCase

#: What a hook writes down, in one line.
REPORT = """\
#!/bin/sh
echo "{name} [$*] in $(pwd) config=$UWSGI_VASSAL_CONFIG uid=$UWSGI_VASSAL_UID\\
 gid=$UWSGI_VASSAL_GID pid=${{UWSGI_VASSAL_PID:+yes}} dir=$UWSGI_VASSALS_DIR" >>{place}/hooks
"""


#: Those in a vassal's process, in their order.
IN_VASSAL = ["vassals-start-hook", "hook-as-vassal", "exec-as-vassal"]

#: What commands are given, and where they run.
FOUND = {
    "vassals-start-hook": "[a.ini] in PLACE/v ",
    "hook-as-vassal": "[one word] in PLACE/v ",
    "exec-as-vassal": "[1 2] in PLACE/v ",
    "hook-as-emperor": "[] in PLACE/v ",
    "exec-as-emperor": f"[] in PLACE/v config=a.ini uid={os.getuid()} gid={os.getgid()} pid=yes",
    "vassals-stop-hook": "[a.ini] in PLACE/v ",
}


class HookTests(SidesTestCase):
    def command(self, side: Side, name: str, extra: str = "") -> str:
        """
        Make a program that says by which hook it is run, and what it is given.
        """
        path = side.place / name
        path.write_text(REPORT.format(name=name, place=side.place) + extra)
        path.chmod(0o755)
        return str(path)

    def reports(self, side: Side) -> list[str]:
        """
        What they have said.
        """
        path = side.place / "hooks"
        return side.plain(path.read_text().splitlines()) if path.exists() else []

    async def test_hooks(self) -> None:
        """
        Those in the vassal's process are run before it, in their order; those of the
        Emperor after it has started; the last one when it has gone.
        """

        async def hooks(side: Side) -> list[str]:
            path = side.write("a.ini")
            side.start(
                f"exec-as-vassal = {self.command(side, 'exec-as-vassal')} 1 2",
                f"hook-as-vassal = exec:{self.command(side, 'hook-as-vassal')} 'one word'",
                f"vassals-start-hook = {self.command(side, 'vassals-start-hook')}",
                f"vassals-stop-hook = {self.command(side, 'vassals-stop-hook')}",
                f"hook-as-emperor = exec:{self.command(side, 'hook-as-emperor')}",
                f"exec-as-emperor = {self.command(side, 'exec-as-emperor')}",
            )
            await side.started("a.ini")
            await side.until(lambda: len(self.reports(side)) == 5, "five hooks are run")
            path.unlink()
            await side.until(lambda: len(self.reports(side)) == 6, "the last hook is run")
            return self.reports(side)

        theirs, ours = await self.both(hooks)
        for reports in (theirs, ours):
            words = dict(line.split(" ", 1) for line in reports)
            within = [name for name in words if name in IN_VASSAL]
            self.assertEqual((IN_VASSAL, "vassals-stop-hook"), (within, [*words][-1]))
            for name, expected in FOUND.items():
                self.assertTrue(words[name].startswith(expected), (name, words[name]))
        # Theirs are told whose vassal it is in exec-as-emperor alone.
        told = f"config=a.ini uid={os.getuid()} gid={os.getgid()} pid="
        self.assertEqual([told in line for line in ours], [True] * len(FOUND))

    async def test_failure(self) -> None:
        """
        A command of vassals-start-hook may fail; if one of exec-as-vassal does there
        is no vassal.
        """

        async def failure(side: Side) -> None:
            side.write("a.ini")
            broken = self.command(side, "broken", "exit 1\n")
            side.start(f"vassals-start-hook = {broken}", "emperor-throttle = 1")
            await side.started("a.ini")
            await side.kill()
            side.forget()
            side.start(f"exec-as-vassal = {broken}", "emperor-throttle = 1")
            await side.until(lambda: len(self.reports(side)) >= 3, "it is tried again")
            self.assertEqual([], side.entries())

        await self.both(failure)
