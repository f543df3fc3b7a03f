"""
The base of the monitors that look at files.

A look at everything, every C{emperor-freq} seconds, is the truth; a watch on
the directories concerned only makes the next look come sooner.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from emperor.config.settings import EmperorSettings
from emperor.interfaces import IMonitor, IRealm
from emperor.monitors.fingerprint import Fingerprint, take
from emperor.monitors.inotify import Hear, Watch
from emperor.monitors.noise import BoundedWatch
from emperor.monitors.pace import Pace
from emperor.monitors.settling import Change, Settling
from emperor.monitors.trail import Targets, trail
from emperor.vassals.commandline import EXTENSIONS
from emperor.vassals.spec import VassalId, VassalSpec, shown

#: Bytes of a name; uWSGI has no room for more.
NAME_LIMIT = 254

#: Of a second.
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sight:
    """
    What one look has found.

    @ivar names: those that may be vassals, relative to C{directory}.
    @ivar watched: directories in which an entry with a vassal's name, or a
        directory, may appear.
    """

    directory: str
    names: Iterable[str]
    watched: frozenset[str]


@implementer(IMonitor)
class PollingMonitor(ABC):
    """
    Looks, reports, and waits.
    """

    _log = Logger()

    def __init__(
        self,
        source: str,
        reactor: Any,
        settings: EmperorSettings,
        watch: Callable[[Any, Hear], Watch] = BoundedWatch,
    ) -> None:
        """
        @param reactor: a clock; if it also reads descriptors, changes are
            heard of at once.
        """
        self.source = source
        self._reactor = reactor
        self._frequency = settings.frequency
        self._nofollow = settings.nofollow
        self._magic_exec = settings.launch.magic_exec
        self._extensions = EXTENSIONS + settings.extra_extensions
        self._watch = watch(reactor, self._heard)
        self._settling = Settling()
        self._pace = Pace()
        self._realm: IRealm | None = None
        self._timer: IDelayedCall | None = None
        self._early: IDelayedCall | None = None
        self._seen: dict[str, VassalSpec] = {}
        self._watched: frozenset[str] = frozenset()
        self._entries: frozenset[str] = frozenset()
        self._complaints: dict[str, str] = {}

    def start(self, realm: IRealm) -> None:
        """
        Look for the first time.
        """
        self._realm = realm
        self.rescan()

    def rescan(self) -> None:
        """
        Look now, and report.
        """
        self._rescan(hinted=False)

    def stop(self) -> None:
        """
        Report nothing more.
        """
        self._realm = None
        self._cancel()
        self._watch.close()

    @abstractmethod
    def look(self) -> Sight:
        """
        Find what may be a vassal.

        @raise OSError: the source as a whole cannot be read.
        """

    @abstractmethod
    def doorstep(self) -> str:
        """
        The path without which there is nothing to look at.
        """

    def is_vassal(self, name: str) -> bool:
        """
        Whether a file of that name can be a vassal.
        """
        return name.endswith(self._extensions)

    def _rescan(self, hinted: bool = True) -> None:
        if self._realm is None:
            return
        self._cancel()
        now = self._reactor.seconds()
        self._pace.begin(now, hinted)
        self._pace.come_back(self._settling.look(now))
        try:
            self._report(self.look())
        except OSError as error:
            self._watch_only(self.doorstep())
            self._realm.unavailable(self.source, _why(error))
        finally:
            if self._realm is not None:
                self._timer = self._reactor.callLater(self._frequency, self.rescan)
                self._look_early(self._pace.again)

    def _report(self, sight: Sight) -> None:
        # The watches come first, so that nothing changes between look and watch
        # without being heard.
        links = self._watch_also(sight)
        self._seen = {spec.id.name: spec for spec in self._specs(sight)}
        if not links.issuperset(name for name, spec in self._seen.items() if _is_link(spec)):
            # A file has become a link: what is on its way is not watched yet.
            self._pace.come_back(0)
        self._pace.end(self._reactor.seconds())
        if self._realm is not None:
            self._realm.wanted(self.source, tuple(self._seen.values()))

    def _specs(self, sight: Sight) -> Iterator[VassalSpec]:
        for name in sight.names:
            spec = self._spec(sight.directory, name)
            if spec is not None:
                yield spec

    def _spec(self, directory: str, name: str) -> VassalSpec | None:
        if len(os.fsencode(name)) > NAME_LIMIT:
            self._complain(name, f"its name is longer than {NAME_LIMIT} bytes")
            return None
        path = os.path.join(directory, name)
        try:
            fingerprint = take(path, self._nofollow, self._magic_exec)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(name, _why(error))
            return self._seen.get(name)
        self._complaints.pop(name, None)
        return self._make(directory, name, fingerprint)

    def _make(
        self, directory: str, name: str, fingerprint: Fingerprint | None
    ) -> VassalSpec | None:
        if fingerprint is None:
            return None
        before = self._seen.get(name)
        if before is not None and before.fingerprint == fingerprint:
            return before
        if self._settling.is_in_writing(os.path.join(directory, name)):
            return before
        if not self._pace.may_act(name):
            return before
        modified = fingerprint.content.modified / NANOSECONDS
        return VassalSpec(VassalId(self.source, name), directory, fingerprint, modified=modified)

    def _complain(self, name: str, reason: str) -> None:
        if self._complaints.get(name) != reason:
            self._complaints[name] = reason
            self._log.warn(
                "{source}: {name}: {reason}",
                source=shown(self.source),
                name=shown(name),
                reason=shown(reason),
            )

    def _watch_also(self, sight: Sight) -> set[str]:
        """
        Watch what the look has found.

        @return: the names that are links.
        """
        entries = set(_links(trail(self.doorstep())))
        links = set[str]()
        known: Targets = {}
        if not self._nofollow:
            links = {name for name in sight.names if self._may_be_link(sight.directory, name)}
            for name in links:
                path = os.path.join(sight.directory, name)
                if os.path.islink(path):
                    entries.update(trail(path, known))
        self._watched = sight.watched
        self._listen_to(frozenset(entries))
        return links

    def _may_be_link(self, directory: str, name: str) -> bool:
        """
        Whether it is a link, or was one at the last look: there may be thousands.
        """
        before = self._seen.get(name)
        if before is not None:
            return _is_link(before)
        return os.path.islink(os.path.join(directory, name))

    def _watch_only(self, path: str) -> None:
        self._watched = frozenset()
        self._listen_to(frozenset(trail(path)))

    def _listen_to(self, entries: frozenset[str]) -> None:
        self._entries = entries
        self._watch.directories(self._watched | {os.path.dirname(entry) for entry in entries})

    def _heard(self, path: str, change: Change) -> None:
        if self._realm is None or not self._concerns(path):
            return
        now = self._reactor.seconds()
        self._look_early(min(self._settling.note(path, change, now), self._pace.again))

    def _look_early(self, due: float) -> None:
        if self._early is not None and self._early.active():
            self._early.cancel()
        if due < inf:
            delay = max(0.0, self._pace.not_before(due) - self._reactor.seconds())
            self._early = self._reactor.callLater(delay, self._rescan)

    def _concerns(self, path: str) -> bool:
        if path in self._entries or path in self._watched:
            return True
        inside = os.path.dirname(path) in self._watched
        return inside and (self.is_vassal(path) or os.path.isdir(path))

    def _cancel(self) -> None:
        for timer in (self._timer, self._early):
            if timer is not None and timer.active():
                timer.cancel()


def _is_link(spec: VassalSpec) -> bool:
    fingerprint = spec.fingerprint
    return isinstance(fingerprint, Fingerprint) and fingerprint.link is not None


def _links(entries: Iterable[str]) -> Iterator[str]:
    return (entry for entry in entries if os.path.islink(entry))


def _why(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
