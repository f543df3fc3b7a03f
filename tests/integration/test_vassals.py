"""
The Emperor with the real uWSGI: Debian's, and the wheel C{pyuwsgi}.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from signal import SIGKILL, SIGSTOP
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from emperor.addresses import UnixAddress
from emperor.keeper.processes import holders
from emperor.vassals.status import Phase
from tests.integration.realms import DEBIAN, Realm, reactor

WHEEL = os.path.join(os.path.dirname(sys.executable), "uwsgi")


class RealmTestCase(TestCase):
    """
    A test with an Emperor that leaves no process behind.
    """

    binary = DEBIAN

    def realm(self, **options: Any) -> Realm:
        """
        An Emperor that does not run yet.
        """
        if not os.access(self.binary, os.X_OK):
            raise SkipTest(f"{self.binary} is not installed")
        # A socket's path has at most 107 bytes, and trial's directories are longer.
        directory = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, directory)
        realm = Realm(directory, self.binary, **options)
        self.addCleanup(self.check_empty, realm)
        self.addCleanup(realm.keeper.stopService)
        self.addCleanup(self.stop, realm)
        return realm

    def stop(self, realm: Realm) -> Deferred[None] | None:
        """
        Stop the Emperor if the test has not.
        """
        return realm.emperor.stopService() if realm.emperor.running else None

    def check_empty(self, realm: Realm) -> None:
        """
        Nothing of any vassal is left.
        """
        self.assertEqual([], realm.survivors())

    async def start(self, realm: Realm, *names: str) -> list[int]:
        """
        Start the Emperor with vassals that answer C{one}.

        @return: their pids.
        """
        waiting = [realm.reach(name, Phase.ACCEPTING) for name in names]
        for name in names:
            realm.write(name, "one")
        realm.emperor.startService()
        return [(await each).pid for each in waiting]


class UwsgiTests(RealmTestCase):
    """
    What an administrator does to vassals, on Debian's uWSGI.
    """

    async def test_edit(self) -> None:
        """
        Two vassals come up; when one file is edited, that vassal alone reloads,
        in the same process, long before the next scheduled look.
        """
        realm = self.realm()
        a, b = await self.start(realm, "a.ini", "b.ini")
        self.assertEqual(["one", "one"], [realm.ask("a.ini"), realm.ask("b.ini")])
        served = realm.reach("a.ini", Phase.ACCEPTING)
        asked = realm.reach("a.ini", Phase.RELOADING)
        began = reactor.seconds()
        realm.write("a.ini", "two")
        noticed = (await asked).since - began
        print(f"\n  {self.binary}: from edit to reload byte: {noticed * 1000:.1f} ms", end=" ")
        self.assertLess(noticed, 5)
        self.assertEqual(a, (await served).pid)
        self.assertEqual(["two", "one"], [realm.ask("a.ini"), realm.ask("b.ini")])
        self.assertEqual(b, realm.emperor.states()[1].pid)
        self.assertEqual(0, realm.emperor.states()[1].reloads)

    async def test_every_way_to_change(self) -> None:
        """
        Another file in its place, one with an older time, and a second edit in
        the same second are each one reload.
        """
        realm = self.realm()
        (pid,) = await self.start(realm, "a.ini")
        for answer, change in (
            ("renamed", self._rename),
            ("older", self._age),
            ("again", self._edit),
        ):
            served = realm.reach("a.ini", Phase.ACCEPTING)
            change(realm, answer)
            self.assertEqual(pid, (await served).pid)
            self.assertEqual(answer, realm.ask("a.ini"))
        self.assertEqual(3, realm.emperor.states()[0].reloads)

    def _rename(self, realm: Realm, answer: str) -> None:
        new = realm.vassals / "a.ini.new"
        new.write_text(realm.text("a.ini", answer))
        new.rename(realm.vassals / "a.ini")

    def _age(self, realm: Realm, answer: str) -> None:
        realm.write("a.ini", answer, time=1_000_000)

    def _edit(self, realm: Realm, answer: str) -> None:
        now = os.stat(realm.vassals / "a.ini").st_mtime
        realm.write("a.ini", answer, time=now + 0.001)

    async def test_symbolic_link(self) -> None:
        """
        A vassal that is a link reloads when the link leads elsewhere, and when
        the file that it leads to is edited.
        """
        realm = self.realm()
        for name in ("one", "two"):
            (realm.directory / name).mkdir()
            (realm.directory / name / "a.txt").write_text(realm.text("a.ini", name))
        current = realm.directory / "current"
        current.symlink_to("one")
        (realm.vassals / "a.ini").symlink_to("../current/a.txt")
        served = realm.reach("a.ini", Phase.ACCEPTING)
        realm.emperor.startService()
        await served
        self.assertEqual("one", realm.ask("a.ini"))
        served = realm.reach("a.ini", Phase.ACCEPTING)
        (realm.directory / "next").symlink_to("two")
        (realm.directory / "next").rename(current)
        await served
        self.assertEqual("two", realm.ask("a.ini"))
        served = realm.reach("a.ini", Phase.ACCEPTING)
        (realm.directory / "two" / "a.txt").write_text(realm.text("a.ini", "three"))
        await served
        self.assertEqual("three", realm.ask("a.ini"))
        self.assertEqual(2, realm.emperor.states()[0].reloads)

    async def test_removal_and_return(self) -> None:
        """
        A removed file ends its vassal's processes; when the file is back before
        they have left, the new ones wait for their end.
        """
        realm = self.realm()
        (old,) = await self.start(realm, "a.ini")
        stopping = realm.reach("a.ini", Phase.STOPPING)
        (realm.vassals / "a.ini").unlink()
        await stopping
        self.assertEqual(
            "vassal a.ini is stopping",
            realm.emperor.reason_for_absence(UnixAddress(os.fsencode(realm.socket_of("a.ini")))),
        )
        served = realm.reach("a.ini", Phase.ACCEPTING)
        realm.write("a.ini", "two")
        self.assertNotEqual(old, (await served).pid)
        self.assertEqual("two", realm.ask("a.ini"))
        gone = realm.reach("a.ini", Phase.GONE)
        (realm.vassals / "a.ini").unlink()
        await gone
        self.assertEqual([], realm.survivors())
        self.assertEqual((), realm.emperor.states())

    async def test_killed_master(self) -> None:
        """
        A vassal whose master is killed comes back at once, after the workers
        of the old one are gone, also those that hang.
        """
        realm = self.realm()
        (pid,) = await self.start(realm, "a.ini")
        realm.ask("a.ini")
        old = set(holders(realm.inodes[0]))
        self.assertGreaterEqual(len(old), 3)
        for worker in old - {pid}:
            os.kill(worker, SIGSTOP)
        served = realm.reach("a.ini", Phase.ACCEPTING)
        os.kill(pid, SIGKILL)
        self.assertNotEqual(pid, (await served).pid)
        self.assertEqual([], list(holders(realm.inodes[0])))
        self.assertEqual("one", realm.ask("a.ini"))

    async def test_broken_file(self) -> None:
        """
        A vassal that cannot start is held back longer each time and does not
        hurt the other one; mending it brings it up at once.
        """
        realm = self.realm(throttle=0.1)
        held = realm.reach("bad.ini", Phase.HELD_BACK, times=3)
        (realm.vassals / "bad.ini").write_text(
            realm.text("bad.ini", "x").replace("app.py", "none.py")
        )
        (pid,) = await self.start(realm, "a.ini")
        await held
        waits = [
            status.retry_at - status.since
            for status in realm.history
            if status.phase is Phase.HELD_BACK
        ]
        self.assertEqual(sorted(waits), waits)
        self.assertLess(waits[0] * 2, waits[2])
        self.assertEqual("one", realm.ask("a.ini"))
        served = realm.reach("bad.ini", Phase.ACCEPTING)
        realm.write("bad.ini", "mended")
        await served
        self.assertEqual("mended", realm.ask("bad.ini"))
        self.assertEqual([pid], [s.pid for s in realm.emperor.states() if s.id.name == "a.ini"])

    async def test_broken_reload(self) -> None:
        """
        A reload into a broken configuration is a death: the vassal is held
        back, and the log says how it ended.
        """
        realm = self.realm()
        await self.start(realm, "a.ini")
        held = realm.reach("a.ini", Phase.HELD_BACK)
        realm.write("a.ini", "x")
        (realm.vassals / "a.ini").write_text(realm.text("a.ini", "x").replace("app.py", "none.py"))
        self.assertEqual("exit code 22", (await held).ending)

    async def test_edit_while_starting(self) -> None:
        """
        A file that is edited while its vassal is still loading is served in its
        new form.
        """
        realm = self.realm()
        starting = realm.reach("a.ini", Phase.STARTING)
        realm.write("a.ini", "one")
        realm.emperor.startService()
        await starting
        replaced = realm.reach("a.ini", Phase.REPLACED, Phase.RELOADING)
        realm.write("a.ini", "two")
        await replaced
        await realm.reach("a.ini", Phase.ACCEPTING)
        self.assertEqual("two", realm.ask("a.ini"))

    async def test_stop(self) -> None:
        """
        When the Emperor has stopped, no process is left.
        """
        realm = self.realm()
        await self.start(realm, "a.ini", "b.ini", "c.ini")
        await realm.emperor.stopService()
        self.assertEqual([], realm.survivors())
        self.assertEqual((), realm.emperor.states())

    async def test_slow_writer(self) -> None:
        """
        A file that is written in several steps causes one reload.
        """
        realm = self.realm()
        await self.start(realm, "a.ini")
        served = realm.reach("a.ini", Phase.ACCEPTING)
        text = realm.text("a.ini", "whole")
        with open(realm.vassals / "a.ini", "w") as file:
            for step in range(5):
                part = len(text) // 4
                file.write(text[step * part : (step + 1) * part])
                file.flush()
                pause: Deferred[None] = Deferred()
                reactor.callLater(0.03, pause.callback, None)
                await pause
        await served
        self.assertEqual("whole", realm.ask("a.ini"))
        self.assertEqual(1, realm.emperor.states()[0].reloads)

    async def test_pattern(self) -> None:
        """
        A vassal in a directory that is created later is found at once, and
        reloads when it is edited.
        """
        realm = self.realm(pattern="sites/*/*.ini")
        (realm.directory / "sites").mkdir()
        realm.emperor.startService()
        served = realm.reach("a.ini", Phase.ACCEPTING)
        (realm.directory / "sites" / "one").mkdir()
        path = realm.directory / "sites" / "one" / "a.ini"
        path.write_text(realm.text("a.ini", "one"))
        status = await served
        self.assertEqual("sites/one/a.ini", status.id.name)
        self.assertEqual("one", realm.ask("a.ini"))
        served = realm.reach("a.ini", Phase.ACCEPTING)
        path.write_text(realm.text("a.ini", "two"))
        await served
        self.assertEqual("two", realm.ask("a.ini"))

    async def test_directory_away(self) -> None:
        """
        While the directory is away its vassals stay; when it is back, the look
        at it tells what has changed.
        """
        realm = self.realm()
        (a, _) = await self.start(realm, "a.ini", "b.ini")
        realm.vassals.rename(realm.directory / "away")
        realm.emperor.rescan()
        self.assertEqual("one", realm.ask("b.ini"))
        gone = realm.reach("b.ini", Phase.GONE)
        (realm.directory / "away" / "b.ini").unlink()
        (realm.directory / "away").rename(realm.vassals)
        await gone
        self.assertEqual([a], [status.pid for status in realm.emperor.states()])


class PyuwsgiTests(UwsgiTests):
    """
    The same with the wheel from the package index.
    """

    binary = WHEEL


class OtherProgramTests(RealmTestCase):
    """
    Programs that are not uWSGI and never say a word.
    """

    binary = "/bin/sh"

    async def test_silent_program(self) -> None:
        """
        A program that does not know the pipe is started again when its file
        changes, and stopped with the Emperor.
        """
        realm = self.realm()
        script = realm.directory / "program"
        script.write_text("#!/bin/sh\nexec sleep 1000\n")
        script.chmod(0o755)
        object.__setattr__(realm.settings, "binary", str(script))
        first = realm.reach("a.ini", Phase.STARTING)
        realm.write("a.ini", "one")
        realm.emperor.startService()
        pid = (await first).pid
        again = realm.reach("a.ini", Phase.STARTING)
        realm.write("a.ini", "two")
        self.assertNotEqual(pid, (await again).pid)
        await realm.emperor.stopService()
        self.assertEqual([], realm.survivors())
