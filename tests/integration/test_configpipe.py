"""
Vassals whose configuration is in no file, with the real uWSGIs: Debian's, the wheel
C{pyuwsgi}, and one that was compiled from its source.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from emperor import realm
from emperor.config.launchsettings import LaunchSettings
from emperor.config.settings import EmperorSettings, InstanceSettings, RouterSettings, Settings
from emperor.config.surroundings import Surroundings
from emperor.proxy.listeners import OpenRouter
from emperor.status.emperorstats import EmperorState, describe
from emperor.testing.vassals import MemoryMonitor, make_spec
from emperor.vassals.hooks import NO_HOOKS
from emperor.vassals.instance import instance_spec
from emperor.vassals.keeping import Keeper
from emperor.vassals.memoirs import Memoirs
from emperor.vassals.status import Phase, VassalStatus
from tests.integration.programs import eventually, reactor
from tests.integration.realms import APPLICATION
from tests.integration.servers import debian_uwsgi, reference_uwsgi
from tests.integration.test_vassals import WHEEL

_CONFIG = """\
{attributes}
[uwsgi]
if-not-plugin = python
plugin = python3
endif =
{socket}
wsgi-file = {place}/app.py
need-app = true
processes = 1
worker-reload-mercy = 1
disable-logging = true
answer = {answer}
"""

#: Values that a configuration could read in its own way.
NASTY = (
    "100% of %n, %(answer) and %%",
    "$(HOME) @(/etc/hostname) %(_)",
    "# no comment ; \\ \"quoted\" 'too'",
    "a=b=c\tand a tab",
    "two\n  lines, and\n",
    "  blanks around\t",
    "\u00e9 and \udcff",
    "[brackets]",
)
NASTY_APPLICATION = """\
def application(environ, start_response):
    import uwsgi
    start_response("200 OK", [("Content-Type", "text/plain")])
    found = [uwsgi.opt.get("v%d" % number) for number in range(NUMBER)]
    return [repr(found).encode()]
""".replace("NUMBER", str(len(NASTY)))


class PipeTestCase(TestCase):
    """
    An Emperor with the real reactor, whose monitor has its vassals in memory.
    """

    timeout = 60

    def binary(self) -> str:
        return str(debian_uwsgi())

    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, self.place)
        (self.place / "app.py").write_text(APPLICATION)
        self.monitor = MemoryMonitor("memory://")
        self.patch(realm, "make_monitor", lambda *_: self.monitor)
        self.settings = EmperorSettings(
            monitors=("memory://",),
            binary=self.binary(),
            throttle=0.2,
            curse_tolerance=10,
            broodlord=1,
            launch=LaunchSettings(magic_exec=True, collected=("owner",)),
        )
        surroundings = Surroundings(cwd=str(self.place), environ=os.environ, uid=os.getuid())
        self.memoirs = Memoirs()
        self.keeper = Keeper(reactor, os.environ)
        self.emperor = realm.build_emperor(
            reactor,
            Settings(emperor=self.settings),
            surroundings,
            instance=OpenRouter(RouterSettings(kind="instance", listen=()), []),
            keeper=self.keeper,
            hooks=NO_HOOKS,  # type: ignore[arg-type]
            memoirs=self.memoirs,
        )
        self.history: list[VassalStatus] = []
        self._awaited: list[tuple[Callable[[VassalStatus], bool], Deferred[VassalStatus]]] = []
        self.emperor.watch(self._record)
        self.emperor.startService()
        self.addCleanup(self.keeper.stopService)
        self.addCleanup(self.emperor.stopService)

    def config(self, answer: str, *attributes: str, socket: str = "") -> bytes:
        """
        A configuration that answers so.
        """
        section = "\n".join(("[emperor]", *attributes)) if attributes else ""
        return _CONFIG.format(
            attributes=section, socket=socket, place=self.place, answer=answer
        ).encode()

    def want(self, name: str, config: bytes) -> None:
        """
        Want one vassal with this configuration.
        """
        spec = make_spec(name, config, "memory://", str(self.place))
        self.monitor.want(replace(spec, config=config))

    def reach(self, phase: Phase, pid: int = -1, name: str = "") -> Deferred[VassalStatus]:
        """
        Fires when a vassal comes into a phase from now on.

        @param pid: not this one.
        @param name: this one; empty: any.
        """

        def reached(status: VassalStatus) -> bool:
            return status.phase is phase and status.pid != pid and status.id.name.endswith(name)

        waiting: Deferred[VassalStatus] = Deferred()
        self._awaited.append((reached, waiting))
        return waiting.addTimeout(30, reactor)

    async def loyal(self) -> None:
        """
        Wait until the word has come that a request was answered: after the order to
        reload it would be taken for the next one.
        """
        await eventually(lambda: all(each.loyal_at for each in self.emperor.states()), "loyal")

    async def gone(self, pid: int) -> None:
        """
        Wait until a generation has left, which might answer too.
        """
        await eventually(lambda: not os.path.exists(f"/proc/{pid}"), "the old one is gone")

    def ask(self, path: str) -> str:
        """
        One request to the socket of this name.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.place / path))
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return answer.partition(b"\r\n\r\n")[2].decode("utf-8", "surrogateescape")

    def _record(self, status: VassalStatus) -> None:
        self.history.append(status)
        for entry in list(self._awaited):
            if entry[0](status):
                self._awaited.remove(entry)
                reactor.callLater(0, entry[1].callback, status)


class DebianTests(PipeTestCase):
    """
    With the uWSGI of the distribution.
    """

    async def test_generations(self) -> None:
        """
        It starts from what its monitor has, and each reload finds the next version
        of it, in the same process.
        """
        where = f"http-socket = {self.place}/a.sock"
        accepting = self.reach(Phase.ACCEPTING)
        self.want("a.ini", self.config("1", socket=where))
        pid = (await accepting).pid
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        self.assertEqual([b"--ini", b"emperor://a.ini"], words[-3:-1])
        self.assertEqual("1", self.ask("a.sock"))
        for version in ("2", "3", "4"):
            await self.loyal()
            accepting = self.reach(Phase.ACCEPTING)
            self.want("a.ini", self.config(version, socket=where))
            self.assertEqual(pid, (await accepting).pid)
            self.assertEqual(version, self.ask("a.sock"))

    async def test_held(self) -> None:
        """
        Where the Emperor has its socket, each generation has a pipe of its own, and
        one that fails leaves the one before.
        """
        held = f"hold-socket = {self.place}/a.sock"
        accepting = self.reach(Phase.ACCEPTING)
        self.want("a.ini", self.config("1", held, socket="protocol = http"))
        pid = (await accepting).pid
        for version in ("2", "3"):
            before, accepting = pid, self.reach(Phase.ACCEPTING, pid)
            self.want("a.ini", self.config(version, held, socket="protocol = http"))
            pid = (await accepting).pid
            await self.gone(before)
            self.assertEqual(version, self.ask("a.sock"))
        failed = self.reach(Phase.ACCEPTING)
        self.want("a.ini", self.config("x" * 65536, held, socket="protocol = http"))
        self.assertIn("a uWSGI takes at most 65535", (await failed).trouble)
        self.assertEqual("3", self.ask("a.sock"))

    async def test_zerg(self) -> None:
        """
        Its zergs read their section of what the monitor has, and its next version
        when it has changed.
        """
        for version in ("1", "2"):
            done = self.reach(Phase.ACCEPTING, name="a.ini:zerg")
            accepting = self.reach(Phase.ACCEPTING)
            self.want("a.ini", self.with_zerg(version))
            await accepting
            if version == "1":
                with open(self.place / "fifo", "wb", buffering=0) as fifo:
                    fifo.write(b"B")
            await done
            found = self.ask("a.sock"), self.ask("zerg.sock")
            self.assertEqual((version, f"zerg {version}"), found)
            await self.loyal()

    async def test_shown(self) -> None:
        """
        The statistics have what a monitor's configuration says to the Emperor, and
        nothing of what only a program could say.
        """
        where = f"http-socket = {self.place}/a.sock"
        text = self.config("1", "owner = %(me)", "me = us", "domain = x.com", socket=where)
        program = self.place / "b.ini"
        program.write_bytes(b"#!/bin/sh\ncat <<END\n" + text.replace(b"a.sock", b"b.sock"))
        program.chmod(0o755)
        both = [make_spec(name, 1, "memory://", str(self.place)) for name in ("a.ini", "b.ini")]
        accepting = [self.reach(Phase.ACCEPTING, name=name) for name in ("a.ini", "b.ini")]
        self.monitor.want(replace(both[0], config=text), both[1])
        for each in accepting:
            await each
        self.assertEqual(("1", "1"), (self.ask("a.sock"), self.ask("b.sock")))
        a, b = self.shown()
        self.assertEqual(({"owner": ["us"]}, ["x.com"]), (a["attrs"], a["domains"]))
        self.assertEqual([str(self.place / "a.sock")], a["addresses"])
        self.assertEqual(({}, [], []), (b["attrs"], b["domains"], b["addresses"]))

    def shown(self) -> list[dict[str, Any]]:
        """
        The vassals as the statistics have them.
        """
        emperor = self.emperor
        state = EmperorState(self.settings, emperor.sources(), emperor.views(), self.memoirs)
        return list(describe(state)["vassals"])

    def with_zerg(self, answer: str) -> bytes:
        """
        A configuration with a section for zergs.
        """
        own = f"http-socket = {self.place}/a.sock\nmaster-fifo = {self.place}/fifo\n"
        zerg = self.config(f"zerg {answer}", socket=f"http-socket = {self.place}/zerg.sock")
        return self.config(answer, socket=own) + zerg.replace(b"[uwsgi]", b"[zerg]")

    async def test_too_long(self) -> None:
        """
        One that is too long is held back, with the reason; mended, it starts.
        """
        where = f"http-socket = {self.place}/a.sock"
        held_back = self.reach(Phase.HELD_BACK)
        self.want("a.ini", self.config("x" * 65536, socket=where))
        self.assertIn("a uWSGI takes at most 65535", (await held_back).ending)
        accepting = self.reach(Phase.ACCEPTING)
        longest = self.config("1", socket=where)
        longest += b"#" * (65535 - len(longest))
        self.want("a.ini", longest)
        await accepting
        self.assertEqual("1", self.ask("a.sock"))

    async def test_instance(self) -> None:
        """
        The uWSGI of our own file has every value as it is, also after a reload, and
        nobody reads them from its command line.
        """
        (self.place / "nasty.py").write_text(NASTY_APPLICATION)
        plugin = [("plugin", "python3")] if self.binary().startswith("/usr/") else []
        options = [
            *plugin,
            ("http-socket", f"{self.place}/a.sock"),
            *((f"v{number}", value) for number, value in enumerate(NASTY)),
            ("wsgi-file", f"{self.place}/nasty.py"),
            ("need-app", ""),
        ]
        spec = instance_spec(InstanceSettings(options=tuple(options)), str(self.place), ())
        accepting = self.reach(Phase.ACCEPTING)
        self.monitor.want(spec)
        pid = (await accepting).pid
        expected = repr([os.fsencode(value) for value in NASTY])
        self.assertEqual(expected, self.ask("a.sock"))
        self.assertNotIn(b"100%", Path(f"/proc/{pid}/cmdline").read_bytes())
        await self.loyal()
        accepting = self.reach(Phase.ACCEPTING)
        self.emperor.reload_all()
        self.assertEqual(pid, (await accepting).pid)
        self.assertEqual(expected, self.ask("a.sock"))


class WheelTests(DebianTests):
    """
    With the uWSGI that C{pip} installs.
    """

    def binary(self) -> str:
        return WHEEL


class ReferenceTests(DebianTests):
    """
    With one that was compiled from its source.
    """

    def binary(self) -> str:
        return str(reference_uwsgi())
