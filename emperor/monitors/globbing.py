"""
C{glob://PATTERN}: every configuration file that a pattern matches is a vassal.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import glob, has_magic
from typing import Any

from emperor.config.settings import EmperorSettings
from emperor.monitors.polling import PollingMonitor, Sight


class GlobMonitor(PollingMonitor):
    """
    Wants the configuration files that a shell pattern matches.

    A vassal's name is its path as the pattern matched it, and it starts in
    the directory that relative patterns are relative to.
    """

    def __init__(
        self,
        pattern: str,
        reactor: Any,
        settings: EmperorSettings,
        directory: str = "",
        **options: Any,
    ) -> None:
        """
        @param directory: what a relative pattern is relative to; empty for
            the directory we run in.
        """
        self._pattern = pattern
        self._directory = os.path.abspath(directory)
        super().__init__(f"glob://{pattern}", reactor, settings, **options)

    def look(self) -> Sight:
        """
        Match the pattern.  A directory that matched before and cannot be read
        now has not lost its vassals.
        """
        with os.scandir(self.doorstep()):
            pass
        names = {name for name in self._match(self._pattern) if self.is_vassal(name)}
        names.update(name for name in self._seen if self._is_hidden(name))
        watched = {os.path.realpath(os.path.join(self._directory, path)) for path in self._ways()}
        return Sight(self._directory, sorted(names), frozenset(watched))

    def doorstep(self) -> str:
        """
        The directory before the first wildcard.
        """
        parts = os.path.dirname(self._pattern).split("/")
        literal = "/".join(parts[: next(_magic(parts), len(parts))])
        if self._pattern.startswith("/") and not literal:
            return "/"
        return os.path.join(self._directory, literal)

    def _ways(self) -> Iterator[str]:
        """
        The directories in which a match may appear, and those on the way.
        """
        parts = os.path.dirname(self._pattern).split("/")
        yield self.doorstep()
        for end in range(next(_magic(parts), len(parts)) + 1, len(parts) + 1):
            yield from self._match("/".join(parts[:end]) + "/")

    def _match(self, pattern: str) -> list[str]:
        return glob(pattern, root_dir=self._directory)

    def _is_hidden(self, name: str) -> bool:
        try:
            os.lstat(os.path.join(self._directory, name))
            with os.scandir(os.path.join(self._directory, os.path.dirname(name))):
                return False
        except FileNotFoundError:
            return False
        except OSError:
            return True


def _magic(parts: list[str]) -> Iterator[int]:
    return (index for index, part in enumerate(parts) if has_magic(part))
