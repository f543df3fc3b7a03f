"""
A directory, a clock and a realm for the tests of monitors.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import EmperorSettings
from emperor.monitors.inotify import Hear
from emperor.monitors.settling import Change
from emperor.testing.vassals import MemoryRealm


class MemoryWatch:
    """
    A watch that a test rings.

    @ivar wanted: the directories it was told to watch.
    """

    def __init__(self, reactor: object, hear: Hear) -> None:
        self.hear = hear
        self.wanted: frozenset[str] = frozenset()
        self.closed = False

    def directories(self, wanted: frozenset[str]) -> None:
        """
        Note the wish.
        """
        self.wanted = wanted

    def close(self) -> None:
        """
        Note the end.
        """
        self.closed = True


class MonitorTestCase(SynchronousTestCase):
    """
    Files in a directory of the test, without links on the way to it.
    """

    settings = EmperorSettings(frequency=3)

    def setUp(self) -> None:
        self.root = os.path.realpath(self.mktemp())
        self.directory = os.path.join(self.root, "v")
        os.makedirs(self.directory)
        self.clock = Clock()
        self.realm = MemoryRealm()
        self.watches: list[MemoryWatch] = []

    def make_watch(self, reactor: Any, hear: Hear) -> MemoryWatch:
        """
        Remember the watch of a monitor.
        """
        self.watches.append(MemoryWatch(reactor, hear))
        return self.watches[-1]

    @property
    def watch(self) -> MemoryWatch:
        """
        The watch of the last monitor.
        """
        return self.watches[-1]

    def write(self, name: str, text: str = "[uwsgi]", time_ns: int | None = None) -> str:
        """
        Write a file below the root.
        """
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        if time_ns is not None:
            os.utime(path, ns=(time_ns, time_ns))
        return path

    def ring(self, path: str, change: Change = Change.COMPLETE) -> None:
        """
        Let the monitor hear of a change.
        """
        self.watch.hear(path, change)

    def fingerprints(self, name: str) -> list[object]:
        """
        The fingerprints that one vassal had, one per report.
        """
        return [
            spec.fingerprint
            for report in self.realm.reports
            for spec in report
            if spec.id.name == name
        ]
