"""
The whole program with hooks and wrappers, as an operator writes them.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.integration.programs import ProgramsTestCase, eventually
from tests.integration.servers import Emperor, debian_uwsgi


class HookTests(ProgramsTestCase):
    """
    Commands at the start and the end of a vassal.
    """

    def script(self, name: str, text: str) -> Path:
        path = self.place / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    async def test_all_hooks(self) -> None:
        """
        Each hook is run in its turn, with uWSGI's environment.
        """
        log = self.place / "log"
        start = self.script("start", f'echo "start $1 $UWSGI_VASSALS_DIR" >>{log}')
        stop = self.script("stop", f'echo "stop $1" >>{log}')
        emperor = Emperor(
            self,
            f"binary-path = {debian_uwsgi()}",
            f"vassals-start-hook = {start}",
            f"vassals-stop-hook = {stop}",
            f"hook-as-emperor-before-vassal = exec:echo before >>{log}",
            f"hook-as-vassal-before-drop = exec:echo drop >>{log}",
            f'hook-as-vassal = exec:echo "hook $UWSGI_VASSAL_CONFIG" >>{log}',
            f"exec-as-vassal = echo exec >>{log}",
            f'exec-as-emperor = echo "emperor $UWSGI_VASSAL_CONFIG $UWSGI_VASSAL_PID'
            f' $UWSGI_VASSAL_UID" >>{log}.emperor',
        )
        await emperor.serve("www")
        master = (await emperor.fetch("www")).json["master"]
        emperor.remove("www")
        await eventually(lambda: "stop" in log.read_text(), "the last hook is run")
        self.assertEqual(
            [
                "before",
                "drop",
                f"start www.ini {emperor.directory}",
                "hook www.ini",
                "exec",
                "stop www.ini",
            ],
            log.read_text().splitlines(),
        )
        self.assertEqual(
            f"emperor www.ini {master} {os.geteuid()}\n", Path(f"{log}.emperor").read_text()
        )

    async def test_strange_name(self) -> None:
        """
        A file name is a word, whatever is in it.
        """
        witness = self.place / "witness"
        name = f"a$(touch {witness.name})`touch {witness.name}`;touch {witness.name};'\"b"
        stop = self.script("stop", f'echo "$1" >{self.place}/stopped')
        emperor = Emperor(
            self,
            f"binary-path = {debian_uwsgi()}",
            f"vassals-stop-hook = {stop}",
            f'exec-as-vassal = cd {self.place}; echo "$UWSGI_VASSAL_CONFIG" >seen',
            f'exec-as-emperor = cd {self.place}; echo "$UWSGI_VASSAL_CONFIG" >started',
        )
        emperor.start()
        await emperor.program.listens(emperor.port)
        path = emperor.directory / f"{name}.ini"
        path.write_text("[uwsgi]\nsocket = @x\n")
        files = [self.place / each for each in ("seen", "started")]
        await eventually(lambda: all(each.exists() for each in files), "hooks are run")
        path.unlink()
        stopped = self.place / "stopped"
        await eventually(lambda: stopped.exists() and stopped.read_text(), "the last hook is run")
        for each in (*files, stopped):
            self.assertEqual(f"{name}.ini\n", each.read_text())
        self.assertFalse(witness.exists())

    async def test_hook_that_fails(self) -> None:
        """
        A vassal whose hook fails is held back, and the log says why.
        """
        emperor = Emperor(
            self, f"binary-path = {debian_uwsgi()}", "hook-as-vassal = exec:echo sorry; exit 4"
        )
        emperor.add("www")
        emperor.start()
        await emperor.program.says("www.ini: sorry")
        await emperor.program.says("www.ini died: hook-as-vassal 'echo sorry; exit 4': exit code 4")

    async def test_end(self) -> None:
        """
        The program ends when the last hook has.
        """
        stop = self.script("stop", f"sleep 0.5; echo done >{self.place}/done")
        emperor = Emperor(self, f"binary-path = {debian_uwsgi()}", f"vassals-stop-hook = {stop}")
        await emperor.serve("www")
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(0, await emperor.program.end())
        self.assertEqual("done\n", (self.place / "done").read_text())
        self.assertEqual([], self.processes())


class WrapperTests(ProgramsTestCase):
    """
    Other programs in the place of uWSGI.
    """

    def wrapper(self, name: str) -> Path:
        """
        A script that says its name and becomes uWSGI.
        """
        path = self.place / name
        path.write_text(f'#!/bin/sh\necho "I am {name}"\nexec {debian_uwsgi()} "$@"\n')
        path.chmod(0o755)
        return path

    async def test_wrapper(self) -> None:
        """
        The wrapper gets uWSGI's arguments; what cannot be executed is passed
        over.
        """
        emperor = Emperor(
            self,
            "emperor-wrapper-override = /no/such/wrapper",
            "emperor-wrapper = /no/such/program",
            f"emperor-wrapper-fallback = {self.wrapper('third')}",
        )
        await emperor.serve("www")
        await emperor.program.says("www.ini: I am third")

    async def test_own_wrapper(self) -> None:
        """
        A vassal's file names a program and a directory for itself alone; when
        it names another one, that is started.
        """
        emperor = Emperor(
            self,
            f"emperor-wrapper = {self.wrapper('common')}",
            "emperor-wrapper-attr = program",
            "emperor-chdir-attr = place",
        )
        own = self.wrapper("own")
        emperor.add("www", "[emperor]", f"program = {own}", f"place = {self.place}")
        emperor.add("shop")
        emperor.start()
        await emperor.program.says("www.ini: I am own")
        own_master = (await emperor.answers("www")).json["master"]
        self.assertEqual(str(self.place), os.readlink(f"/proc/{own_master}/cwd"))
        await emperor.program.says("shop.ini: I am common")
        master = (await emperor.answers("shop")).json["master"]
        self.assertEqual(str(emperor.directory), os.readlink(f"/proc/{master}/cwd"))
        emperor.add("shop", "[emperor]", f"program = {own}")
        await emperor.program.says("shop.ini: I am own")
