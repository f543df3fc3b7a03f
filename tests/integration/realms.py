"""
A directory of real vassals and an Emperor with the real reactor.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor  # noqa: TID251
from twisted.internet.defer import Deferred

from emperor.addresses import Address, UnixAddress
from emperor.config.settings import EmperorSettings
from emperor.interfaces import IMonitor
from emperor.keeper.processes import holders
from emperor.monitors.directory import DirectoryMonitor
from emperor.monitors.globbing import GlobMonitor
from emperor.vassals.doors import Door
from emperor.vassals.emperor import Emperor
from emperor.vassals.keeping import Keeper
from emperor.vassals.launcher import Launcher
from emperor.vassals.process import Listener, VassalProcess
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, VassalStatus

reactor: Any = the_reactor

DEBIAN = "/usr/bin/uwsgi"
APPLICATION = """\
def application(environ, start_response):
    import uwsgi
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [uwsgi.opt["answer"]]
"""

VASSAL = """\
[uwsgi]
{plugin}
http-socket = {socket}
wsgi-file = {application}
need-app = true
processes = 2
worker-reload-mercy = 1
disable-logging = true
answer = {answer}
"""

Test = Callable[[VassalStatus], bool]


class Realm:
    """
    A directory of vassals, and an Emperor with the real reactor.
    """

    def __init__(self, directory: Path, binary: str, pattern: str = "", **options: float) -> None:
        self.directory = directory
        self.vassals = directory / "v"
        self.vassals.mkdir()
        (directory / "app.py").write_text(APPLICATION)
        self.plugin = "plugin = python3" if binary == DEBIAN else ""
        settings = self.settings = EmperorSettings(
            binary=binary,
            frequency=options.get("frequency", 3600),
            throttle=options.get("throttle", 0.2),
            max_throttle=10,
            curse_tolerance=10,
        )
        self.monitor: IMonitor = (
            GlobMonitor(pattern, reactor, settings, str(directory))
            if pattern
            else DirectoryMonitor(str(self.vassals), reactor, settings)
        )
        self.keeper = Keeper(reactor, os.environ)
        self.launcher = Launcher(reactor, settings, os.environ, self.keeper)
        self.emperor = Emperor(
            reactor,
            [self.monitor],
            self._launch,
            settings=settings,
            listening=self._listening,
        )
        self.inodes: list[int] = []
        self.history: list[VassalStatus] = []
        self._awaited: list[tuple[Test, Deferred[VassalStatus]]] = []
        self.emperor.watch(self._record)

    def socket_of(self, name: str) -> str:
        """
        Where the vassal listens.
        """
        return str(self.directory / Path(name).stem) + ".sock"

    def text(self, name: str, answer: str) -> str:
        """
        The configuration of a vassal that answers so.
        """
        return VASSAL.format(
            plugin=self.plugin,
            socket=self.socket_of(name),
            application=self.directory / "app.py",
            answer=answer,
        )

    def write(self, name: str, answer: str, *, time: float | None = None) -> None:
        """
        Write a vassal's file in place.
        """
        path = self.vassals / name
        path.write_text(self.text(name, answer))
        if time is not None:
            os.utime(path, (time, time))

    def ask(self, name: str) -> str:
        """
        One request to a vassal.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.socket_of(name))
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return answer.partition(b"\r\n\r\n")[2].decode()

    def reach(self, name: str, *phases: Phase, times: int = 1) -> Deferred[VassalStatus]:
        """
        Fires when the vassal of that name comes into one of the phases from
        now on, for the C{times}th time.
        """
        found: list[VassalStatus] = []

        def matches(status: VassalStatus) -> bool:
            if status.id.name.endswith(name) and status.phase in phases:
                found.append(status)
            return len(found) >= times

        waiting: Deferred[VassalStatus] = Deferred()
        self._awaited.append((matches, waiting))
        waiting.addTimeout(30, reactor)
        return waiting

    def phases(self, name: str) -> list[Phase]:
        """
        Through what a vassal went.
        """
        return [status.phase for status in self.history if status.id.name.endswith(name)]

    def survivors(self) -> list[int]:
        """
        All processes that belong to some vassal.
        """
        return [pid for inode in self.inodes for pid in holders(inode)]

    def _launch(self, spec: VassalSpec, listener: Listener, door: Door) -> VassalProcess:
        process = self.launcher.launch(spec, listener, door)
        self.inodes.append(process.inode)
        return process

    def _listening(self, spec: VassalSpec) -> frozenset[Address]:
        return frozenset({UnixAddress(os.fsencode(self.socket_of(spec.id.name)))})

    def _record(self, status: VassalStatus) -> None:
        self.history.append(status)
        for entry in list(self._awaited):
            matches, waiting = entry
            if matches(status):
                self._awaited.remove(entry)
                # In a later turn: the test may look at what this one changes.
                reactor.callLater(0, waiting.callback, status)
