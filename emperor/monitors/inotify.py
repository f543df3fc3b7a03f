"""
Hears from the kernel that something happened in a directory.

What it says is a hint and never the truth: events are lost when there are too
many, and network file systems send none.  So a monitor looks for itself, and
looks every few seconds even if nothing is heard.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from stat import S_ISREG
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger
from twisted.python.filepath import FilePath

from emperor.monitors.settling import Change

try:
    from twisted.internet import inotify
except ImportError:  # Not Linux.
    inotify = None  # type: ignore[assignment]

Hear = Callable[[str, Change], object]


class Watch(Protocol):
    """
    Somebody who tells of changes in directories.
    """

    def directories(self, wanted: frozenset[str]) -> None:
        """
        Watch exactly these from now on, as far as they exist.
        """

    def close(self) -> None:
        """
        Watch nothing any more.
        """


class NoWatch:
    """
    Tells nothing; the schedule has to do.
    """

    def directories(self, wanted: frozenset[str]) -> None:
        """
        Ignore the wish.
        """

    def close(self) -> None:
        """
        There is nothing to close.
        """


def make_watch(reactor: Any, hear: Hear) -> Watch:
    """
    The best watch that there is here.
    """
    if inotify is None or not IReactorFDSet.providedBy(reactor):
        return NoWatch()
    return DirectoryWatch(reactor, hear)


class DirectoryWatch:
    """
    Watches directories through inotify.

    Twisted's C{INotify} closes itself when a watched directory is deleted;
    the next call of L{directories} opens another one.
    """

    _log = Logger()

    def __init__(self, reactor: Any, hear: Hear) -> None:
        self._reactor = reactor
        self._hear = hear
        self._notifier: Any = None
        self._watched: dict[str, tuple[int, int]] = {}
        self._complained = False

    def directories(self, wanted: frozenset[str]) -> None:
        """
        Watch exactly these from now on.
        """
        try:
            self._update(wanted)
        except inotify.INotifyError as error:
            if not self._complained:
                self._complained = True
                self._log.warn(
                    "No notice of file changes ({error}): they are seen at the next look",
                    error=str(error),
                )

    def close(self) -> None:
        """
        Watch nothing any more.
        """
        notifier, self._notifier = self._notifier, None
        self._watched.clear()
        if notifier is not None:
            notifier.loseConnection()

    def _update(self, wanted: frozenset[str]) -> None:
        if self._notifier is None:
            self._open()
        for path in [path for path in self._watched if path not in wanted]:
            self._ignore(path)
        for path in wanted:
            identity = _identity(path)
            if identity != self._watched.get(path):
                self._ignore(path)
                self._add(path, identity)

    def _open(self) -> None:
        self._watched.clear()
        self._notifier = inotify.INotify(self._reactor)
        self._notifier.startReading()

    def _ignore(self, path: str) -> None:
        if self._watched.pop(path, None) is not None:
            with suppress(KeyError):  # The kernel may have told that it is gone.
                self._notifier.ignore(FilePath(path))

    def _add(self, path: str, identity: tuple[int, int] | None) -> None:
        if identity is not None and os.access(path, os.R_OK):
            mask = inotify.IN_WATCH_MASK | inotify.IN_CLOSE_WRITE | inotify.IN_ONLYDIR
            self._notifier.watch(FilePath(path), mask, callbacks=[self._notice])
            self._watched[path] = identity

    def _notice(self, watch: object, path: FilePath[bytes], mask: int) -> None:
        if mask & inotify.IN_DELETE_SELF:
            self._notifier = None
        self._hear(os.fsdecode(path.path), _change(os.fsdecode(path.path), mask))


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _change(path: str, mask: int) -> Change:
    if mask & (inotify.IN_CLOSE_WRITE | inotify.IN_MOVED_TO):
        return Change.COMPLETE
    if mask & (inotify.IN_DELETE | inotify.IN_MOVED_FROM):
        return Change.VANISHED
    if mask & inotify.IN_MODIFY or (mask & inotify.IN_CREATE and _is_being_written(path)):
        return Change.WRITTEN
    return Change.OTHER


def _is_being_written(path: str) -> bool:
    """
    Whether a new entry is a file that its writer will close, and no link.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return S_ISREG(found.st_mode) and found.st_nlink == 1
