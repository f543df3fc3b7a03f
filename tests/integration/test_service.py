"""
The daemon as the init systems start it, from one tap.conf.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase, accepts, unavailable
from tests.integration.servers import Emperor

INIT_SCRIPT = CHECKOUT / "etc" / "emperor.init"
UNIT = CHECKOUT / "etc" / "emperor.service"
TAP_CONF = CHECKOUT / "tap.conf"


class InitScriptTests(ProgramsTestCase):
    """
    C{etc/emperor.init}, with a tap.conf for the test's directory.
    """

    async def test_life(self) -> None:
        """
        Started, it serves and its status is 0; stopped, nothing is left and its
        status is 3.
        """
        emperor = self._prepare()
        self.assertEqual(await self._init("status"), 3)
        self.assertEqual(await self._init("start"), 0)
        await emperor.answers("www")
        self.assertEqual(await self._init("status"), 0)
        self.assertEqual(await self._init("stop"), 0)
        self.assertFalse(accepts(emperor.port))
        self.assertEqual(self.processes(), [])
        self.assertEqual(await self._init("status"), 3)

    async def test_start_twice(self) -> None:
        """
        A second start changes nothing and is no error.
        """
        emperor = self._prepare()
        await self._init("start")
        before = (await emperor.answers("www")).json["master"]
        self.assertEqual(await self._init("start"), 0)
        self.assertEqual((await emperor.answers("www")).json["master"], before)

    async def test_reload(self) -> None:
        """
        C{reload} reloads the vassals; C{restart} replaces the program.
        """
        emperor = self._prepare()
        await self._init("start")
        worker = (await emperor.answers("www")).json["worker"]
        daemon = self._pid()
        self.assertEqual(await self._init("reload"), 0)
        await emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["worker"] != worker,
            "new worker",
        )
        self.assertEqual(self._pid(), daemon)
        self.assertEqual(await self._init("restart"), 0)
        await emperor.answers("www")
        self.assertNotEqual(self._pid(), daemon)

    async def test_missing_configuration(self) -> None:
        """
        Without its tap.conf the script says which file it cannot read.
        """
        program = self._start("start")
        self.assertEqual(await program.end(), 6)
        self.assertIn("tap.conf", program.log)

    def _prepare(self) -> Emperor:
        emperor = Emperor(self)
        emperor.add("www")
        emperor.write()
        text = TAP_CONF.read_text()
        for key, value in {
            "TWISTD": Path(sys.executable).with_name("twistd"),
            "CONFIG": emperor.configuration,
            "PIDFILE": self.place / "emperor.pid",
            "LOGFILE": self.place / "emperor.log",
        }.items():
            text = re.sub(rf"(?m)^{key}=.*$", f"{key}={value}", text)
        (self.place / "tap.conf").write_text(text)
        return emperor

    def _pid(self) -> int:
        return int((self.place / "emperor.pid").read_text())

    def _start(self, verb: str) -> Program:
        environment = {"TAP_CONF": str(self.place / "tap.conf"), "PYTHONPATH": str(CHECKOUT)}
        return self.start(f"emperor.init {verb}", [INIT_SCRIPT, verb], environment=environment)

    async def _init(self, verb: str) -> int:
        return await self._start(verb).end()


class UnitTests(ProgramsTestCase):
    """
    C{etc/emperor.service}.
    """

    async def test_verified(self) -> None:
        """
        systemd finds nothing wrong with the unit.
        """
        program = shutil.which("systemd-analyze")
        if program is None:
            raise unavailable("no systemd-analyze; as root: apt-get install systemd")
        verify = self.start("systemd-analyze", [program, "verify", UNIT])
        self.assertEqual(await verify.end(), 0)

    def test_variables(self) -> None:
        """
        Every variable of the unit and of the init script is one of tap.conf.
        """
        keys = set(re.findall(r"(?m)^([A-Z]+)=", TAP_CONF.read_text()))
        self.assertEqual(set(re.findall(r"\$\{([A-Z]+)\}", UNIT.read_text())) - keys, set())
        self.assertEqual(keys - set(re.findall(r"\$([A-Z]+)", INIT_SCRIPT.read_text())), set())
