"""
C{dir://PATH}: every configuration file in a directory is a vassal.
"""

from __future__ import annotations

import os
from typing import Any

from emperor.config.settings import EmperorSettings
from emperor.monitors.polling import PollingMonitor, Sight


class DirectoryMonitor(PollingMonitor):
    """
    Wants the configuration files of one directory, not of those in it.

    A vassal's name is its file's name, and it starts in the directory.
    """

    def __init__(self, path: str, reactor: Any, settings: EmperorSettings, **options: Any) -> None:
        """
        @param path: absolute, or relative to the directory we run in.
        """
        self._path = os.path.abspath(path)
        super().__init__(f"dir://{self._path}", reactor, settings, **options)

    def look(self) -> Sight:
        """
        List the directory.
        """
        names = sorted(name for name in os.listdir(self._path) if self.is_vassal(name))
        return Sight(self._path, names, frozenset({os.path.realpath(self._path)}))

    def doorstep(self) -> str:
        """
        The directory itself.
        """
        return self._path
