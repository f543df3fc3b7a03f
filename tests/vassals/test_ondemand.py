"""
Tests for L{emperor.vassals.ondemand}.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.doorways import Doorway
from emperor.config.errors import Problem
from emperor.config.launchsettings import LaunchSettings
from emperor.config.settings import EmperorSettings, Origin
from emperor.testing.vassals import make_spec
from emperor.vassals.asking import NoAnswer
from emperor.vassals.doors import Unclear
from emperor.vassals.ondemand import Doorways, Found
from emperor.vassals.spec import VassalSpec


class DoorwaysTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="txe-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.written: tuple[Found, tuple[Problem, ...]] = (None, ())
        self.cheap = False
        self.asked: list[tuple[str, str, str]] = []
        self.answer: Deferred[bytes] = Deferred()

    def is_cheap(self, spec: VassalSpec) -> bool:
        return self.cheap

    def ask(self, command: str, name: str, cwd: str) -> Deferred[bytes]:
        self.asked.append((command, name, cwd))
        return self.answer

    def find(self, name: str = "a.ini", **options: Any) -> Found | Deferred[Found]:
        """
        Where the vassal's door is, with these options.
        """
        settings = EmperorSettings(**options)
        doorways = Doorways(settings, lambda spec: self.written, self.is_cheap, self.ask)
        return doorways.find(make_spec(name, directory=str(self.place)))

    def complaints(self, name: str = "a.ini", **options: Any) -> list[str | None]:
        """
        What is logged when it has no door.
        """
        with capturedLogs() as events:
            self.assertIsNone(self.find(name, **options))
        return [formatEvent(event) for event in events]

    def trouble(self, name: str = "a.ini", **options: Any) -> str:
        """
        Why it is unclear where its door is.
        """
        return str(self.assertRaises(Unclear, self.find, name, **options))

    def side(self, content: bytes) -> None:
        (self.place / "a.ini.socket").write_bytes(content)

    def test_none(self) -> None:
        """
        Without options no vassal has a door.
        """
        self.assertEqual([], self.complaints())

    def test_instance(self) -> None:
        """
        The uWSGI of our own file has its own sockets, whatever the options say.
        """
        settings = EmperorSettings(on_demand_directory="/run")
        doorways = Doorways(settings, lambda spec: self.written, self.is_cheap, self.ask)
        self.assertIsNone(doorways.find(replace(make_spec("instance"), is_instance=True)))

    def test_zerg(self) -> None:
        """
        A zerg has no door, whatever its parent's file and the options say.
        """
        self.written = (Doorway(TcpAddress("", 1)), ())
        doorways = Doorways(EmperorSettings(), lambda spec: self.written, self.is_cheap, self.ask)
        parent = make_spec(directory=str(self.place))
        self.assertIsNotNone(doorways.find(parent))
        self.assertIsNone(doorways.find(replace(parent, parent=parent.id)))

    def test_file_of_its_own(self) -> None:
        """
        What the vassal's file says counts more than any option; if it is wrong,
        no option takes its place.
        """
        doorway = Doorway(TcpAddress("", 1))
        self.written = (doorway, ())
        self.assertEqual(doorway, self.find(on_demand_directory="/run"))
        self.written = (None, (Problem("on-demand: no", Origin("a.ini", 3)),))
        self.assertEqual("a.ini:3: on-demand: no", self.trouble(on_demand_directory="/run"))

    def test_extension(self) -> None:
        """
        The first line of the file beside the vassal's is the address, up to the
        first byte that is no text; the first option that is set decides.
        """
        self.side(b"127.0.0.1:9000 \n/else\n")
        expected = Doorway(TcpAddress("127.0.0.1", 9000), on_demand=True)
        both = {"on_demand_extension": ".socket", "on_demand_directory": "/run"}
        self.assertEqual(expected, self.find(**both))
        self.side(b"/run/x.sock,mode=600\tz")
        expected = Doorway(UnixAddress(b"/run/x.sock"), on_demand=True, mode=0o600)
        self.assertEqual(expected, self.find(**both))
        self.assertIsNone(self.find("b.ini", **both))
        self.side(b"\n")
        self.assertEqual([], self.complaints(on_demand_extension=".socket"))

    def test_extension_in_trouble(self) -> None:
        """
        What is no address, or cannot be read, is told.
        """
        self.side(b"9000")
        self.assertIn("a port is written :9000", self.trouble(on_demand_extension=".socket"))
        (self.place / "a.ini.dir").mkdir()
        self.assertIn("Is a directory", self.trouble(on_demand_extension=".dir"))
        os.mkfifo(self.place / "a.ini.fifo")
        self.assertIn("not a regular file", self.trouble(on_demand_extension=".fifo"))

    def test_extension_of_another_user(self) -> None:
        """
        With C{emperor-tyrant} a link to what the user cannot read leads nowhere.
        """
        if os.geteuid():
            raise SkipTest("only root can read as somebody else")
        self.place.chmod(0o755)
        (self.place / "secret").write_text("hunter2")
        (self.place / "secret").chmod(0o600)
        (self.place / "a.ini.link").symlink_to("secret")
        told = self.trouble(launch=LaunchSettings(tyrant=True), on_demand_extension=".link")
        self.assertIn("Permission denied", told)
        self.assertNotIn("hunter2", told)

    def test_tyrant(self) -> None:
        """
        With C{emperor-tyrant} a user's file gets no socket that only root could
        open, and the administrator's options do.
        """
        launch = LaunchSettings(tyrant=True)
        for address in (UnixAddress(b"/run/x.sock"), TcpAddress("", 1023)):
            self.written = (Doorway(address), ())
            (told,) = self.complaints(launch=launch, on_demand_directory="/run")
            self.assertIn(f"abstract socket, and not {address};", told or "")
        for address in (UnixAddress(b"\0x\0"), TcpAddress("", 1024)):
            self.written = (Doorway(address), ())
            self.assertEqual(Doorway(address), self.find(launch=launch))
        self.written = (None, ())
        self.place.chmod(0o755)
        self.side(b"/run/x.sock,owner=x")
        (told,) = self.complaints(launch=launch, on_demand_extension=".socket")
        self.assertIn("and not /run/x.sock;", told or "")
        expected = Doorway(UnixAddress(b"/run/a.socket"), on_demand=True)
        self.assertEqual(expected, self.find(launch=launch, on_demand_directory="/run"))

    def test_tyrant_without_a_file(self) -> None:
        """
        A vassal that has no file, and so no owner, is never started, and has no door.
        """
        self.written = (Doorway(TcpAddress("", 1024)), ())
        settings = EmperorSettings(launch=LaunchSettings(tyrant=True))
        doorways = Doorways(settings, lambda spec: self.written, self.is_cheap, self.ask)
        spec = make_spec("a.ini", directory=str(self.place))
        self.assertIsNone(doorways.find(replace(spec, config=b"[uwsgi]")))
        found = doorways.find(spec)
        assert isinstance(found, Doorway)
        self.assertEqual(found.file, str(self.place / "a.ini"))

    def test_directory(self) -> None:
        """
        The socket is called like the vassal, without its directory and ending.
        """
        for name in ("a.x.ini", "sites/a.x.ini"):
            expected = Doorway(UnixAddress(b"/run/a.x.socket"), on_demand=True)
            self.assertEqual(expected, self.find(name, on_demand_directory="/run"))
        expected = Doorway(UnixAddress(b"/run/b/b.socket"), on_demand=True)
        self.assertEqual(expected, self.find("b.ini", on_demand_directory="/run/%n"))
        told = self.trouble("x" * 200 + ".ini", on_demand_directory="/run")
        self.assertIn("at most", told)

    def test_command(self) -> None:
        """
        A command is asked with the name, in the vassal's directory.
        """
        found = self.find(on_demand_command="locate -s")
        self.assertEqual([("locate -s", "a.ini", str(self.place))], self.asked)
        assert isinstance(found, Deferred)
        self.assertNoResult(found)
        self.answer.callback(b"run/a.sock\n")
        path = os.fsencode(self.place / "run/a.sock")
        expected = Doorway(UnixAddress(path), on_demand=True)
        self.assertEqual(expected, self.successResultOf(found))

    def test_cheap(self) -> None:
        """
        It is known of each of them whether it starts without workers.
        """
        self.cheap = True
        found = self.find(on_demand_directory="/run")
        assert isinstance(found, Doorway)
        self.assertTrue(found.cheap)
        self.answer.callback(b":9000")
        asked = self.find(on_demand_command="locate")
        assert isinstance(asked, Deferred)
        expected = Doorway(TcpAddress("", 9000), on_demand=True, cheap=True)
        self.assertEqual(expected, self.successResultOf(asked))
        self.assertIsNone(self.find())

    def test_command_in_trouble(self) -> None:
        """
        A command that fails leaves it unclear.
        """
        found = self.find(on_demand_command="locate")
        assert isinstance(found, Deferred)
        self.answer.errback(NoAnswer("exit code 3"))
        error = self.failureResultOf(found, Unclear)
        self.assertIn("locate: exit code 3", str(error.value))
