"""
The Emperor: makes what runs equal to what is wanted.

What each monitor wants is kept here, apart from what runs: a vassal that dies
is started again from what is kept, whatever its monitor is doing, and a
monitor that cannot look changes nothing.  One report that is suddenly empty
right after the source was away is not believed; the next one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import random

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from emperor.addresses import Address
from emperor.config.settings import EmperorSettings
from emperor.interfaces import IMonitor, IRealm
from emperor.stale import remove_stale_socket
from emperor.vassals.backoff import BackOff
from emperor.vassals.broodlord import Broodlord
from emperor.vassals.chronicle import Chronicle
from emperor.vassals.core import Court
from emperor.vassals.directory import Directory
from emperor.vassals.doors import NO_DOOR
from emperor.vassals.farewell import LAST_GRACE, Farewell
from emperor.vassals.moment import SETTLING
from emperor.vassals.ownership import Ownership
from emperor.vassals.plan import Start, Step, Stop, first_of_each, plan
from emperor.vassals.sockets import Sockets
from emperor.vassals.spec import VassalId, VassalSpec, shown
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.subject import Subject
from emperor.vassals.succession import Find, OpenDoor
from emperor.vassals.turns import StartQueue
from emperor.vassals.vacancies import Vacancies
from emperor.vassals.vassal import Launch, heard_by_machine
from emperor.vassals.view import SourceView, VassalView

#: Phases in which a vassal has read its file, or has none of its own process.
_READING = frozenset({Phase.ASLEEP, Phase.STARTING, Phase.RELOADING})

Listening = Callable[[VassalSpec], frozenset[Address]]
Watcher = Callable[[VassalStatus], object]


@implementer(IRealm)
class Emperor(Service, Directory):
    """
    Runs the vassals that its monitors want.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        monitors: Sequence[IMonitor],
        launch: Launch,
        *,
        settings: EmperorSettings,
        listening: Listening,
        find_door: Find = lambda spec: None,
        open_door: OpenDoor = lambda id, doorway: NO_DOOR,
        random: Callable[[], float] = random,
        remove_socket: Callable[[bytes], object] = remove_stale_socket,
    ) -> None:
        """
        @param launch: usually L{emperor.vassals.launcher.Launcher.launch}.
        @param listening: at which addresses a vassal listens, from its
            configuration; asked at each start and reload.
        @param find_door: where the Emperor listens for a vassal, if it does;
            asked when it comes and when its file changes.
        @param open_door: listens there.
        @param random: from 0 to 1, for the waits of vassals that died.
        @param remove_socket: called with the path of each UNIX socket of a
            vassal that is gone.
        """
        Directory.__init__(self, clock)
        self._monitors = tuple(monitors)
        self._listening = listening
        self._find = find_door
        self._open_door = open_door
        self._sockets = Sockets(self._whereabouts, remove_socket)
        self._vassals: dict[VassalId, Subject] = {}
        backoff = BackOff(settings.throttle, settings.max_throttle, random, settings.waits)
        self._brood = Broodlord(clock, settings.broodlord, backoff, self._vassals, self._add)
        limit = settings.curse_tolerance + LAST_GRACE
        self._vacancies = Vacancies(clock, limit, self._is_taken)
        self._court = Court(
            clock=clock,
            turns=StartQueue(clock, settings.spawn_rate),
            launch=heard_by_machine(launch, self._brood.words),
            backoff=backoff,
            tolerance=settings.curse_tolerance,
            observe=self._observe,
            heartbeat=settings.heartbeat,
            patience=settings.start_tolerance,
            gently=settings.graceful,
            settling=SETTLING,
            await_vacancy=self._vacancies.wait,
        )
        self._commands = settings.commands
        self._mercy = settings.reload_mercy
        self._kept: dict[str, dict[VassalId, VassalSpec]] = {}
        self._ownership = Ownership()
        self._away: dict[str, str] = {}
        # What those need who have asked whether it is taken.
        self._needs: dict[VassalId, tuple[VassalSpec, frozenset[Address]]] = {}
        self._watchers: list[Watcher] = [Chronicle(clock).record, self._brood.saw]
        self._farewell = Farewell(clock, settings.reload_mercy, self._vassals.values)

    def startService(self) -> None:
        """
        Let every monitor look, and start what they want.
        """
        super().startService()  # type: ignore[no-untyped-call]
        for monitor in self._monitors:
            monitor.start(self)

    def stopService(self) -> Deferred[None]:
        """
        Stop every vassal; those that take too long are killed.

        @return: fires when nothing of any vassal is left, or if that cannot be
            reached.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for monitor in self._monitors:
            monitor.stop()
        self._kept.clear()
        self._court.tolerance = self._mercy
        for id in list(self._vassals):
            if id in self._vassals:  # One that goes takes its zergs with it.
                self._guarded(self._vassals[id].unwanted)
        return self._farewell.wait()

    def watch(self, watcher: Watcher) -> None:
        """
        Call C{watcher} with each new status of each vassal.
        """
        self._watchers.append(watcher)

    def wanted(self, source: str, specs: Iterable[VassalSpec]) -> None:
        """
        Make what runs for C{source} equal to C{specs}.
        """
        after = first_of_each(specs)
        before = self._kept.get(source, {})
        was_away = self._away.pop(source, "")
        if was_away:
            self._log.info("Monitor {source} is back", source=shown(source))
        if not self.running or (was_away and before and not after):
            return
        after = self._kept[source] = self._ownership.admit(source, after)
        for step in plan(after.values(), before.values()):
            self._guarded(self._do, step)

    def unavailable(self, source: str, reason: str) -> None:
        """
        Keep what C{source} wanted until it can be read again.
        """
        if self._away.get(source) != reason:
            self._away[source] = reason
            self._log.warn(
                "Monitor {source} is not available: {reason}; its {count} vassals stay",
                source=shown(source),
                reason=shown(reason),
                count=len(self._kept.get(source, {})),
            )

    def accepts(self, address: Address) -> bool:
        """
        Whether a vassal that accepts requests listens at C{address}.
        """
        id = self._whereabouts.listener(address)
        vassal = self._vassals.get(id) if id is not None else None
        return vassal is not None and vassal.status.phase in (Phase.ACCEPTING, Phase.RENEWING)

    def addresses(self, id: VassalId) -> frozenset[Address]:
        """
        Where a vassal listens, as far as its configuration tells.
        """
        return self._whereabouts.addresses(id)

    def former(self, id: VassalId) -> tuple[Address, ...]:
        """
        Those where it listened before its configuration changed, and perhaps does.
        """
        return self._whereabouts.former(id)

    def door(self, id: VassalId) -> Address | None:
        """
        Where the Emperor listens for a vassal.

        @raise KeyError: there is no such vassal.
        """
        return self._vassals[id].address

    def spec(self, id: VassalId) -> VassalSpec:
        """
        What a vassal is, or will be when it is started.

        @raise KeyError: there is no such vassal.
        """
        return self._vassals[id].spec

    def status(self, id: VassalId) -> VassalStatus | None:
        """
        How a vassal is now; L{None}: there is none.
        """
        return self._known(id)

    def states(self) -> tuple[VassalStatus, ...]:
        """
        Every vassal as it is now, in the order in which they came.
        """
        return tuple(vassal.status for vassal in self._vassals.values())

    def views(self) -> Iterator[VassalView]:
        """
        Every vassal that there is now, each as it is when it is read.
        """
        for vassal in list(self._vassals.values()):
            status = vassal.status
            if status.phase is not Phase.GONE:
                addresses = self._whereabouts.places(status.id)
                doorway = vassal.doorway
                yield VassalView(status, vassal.spec, doorway, vassal.beat_at, addresses)

    def sources(self) -> tuple[SourceView, ...]:
        """
        The monitors, in their order.
        """
        sources = [monitor.source for monitor in self._monitors]
        return tuple(
            SourceView(source, len(self._kept.get(source, ())), self._away.get(source, ""))
            for source in sources
        )

    def rescan(self) -> None:
        """
        Let every monitor look now (SIGWINCH).
        """
        for monitor in self._monitors:
            monitor.rescan()

    def reload_all(self) -> None:
        """
        Reload every vassal, and retry those that are held back (SIGHUP); zergs
        follow their parents.
        """
        self._brood.pardon()
        for vassal in list(self._vassals.values()):
            if not vassal.spec.is_zerg:
                self._guarded(vassal.reload)

    def pardon_all(self) -> None:
        """
        Forget the deaths of all vassals, and start those that are held back
        (SIGURG).
        """
        self._brood.pardon()
        for vassal in list(self._vassals.values()):
            self._guarded(vassal.pardon)

    def retry(self, id: VassalId) -> None:
        """
        Start a vassal that is held back, in exile or asleep.

        @raise KeyError: there is no such vassal.
        """
        self._vassals[id].retry()

    def wake(self, id: VassalId) -> None:
        """
        Start a vassal if it sleeps, unless a command has stopped it.

        @raise KeyError: there is no such vassal.
        """
        self._vassals[id].wake()

    def respawn(self, id: VassalId) -> None:
        """
        Make a vassal read its configuration again, or start it.

        @raise KeyError: there is no such vassal.
        """
        self._vassals[id].respawn()

    def stop(self, id: VassalId) -> None:
        """
        Stop a vassal until L{retry} or L{respawn}.

        @raise KeyError: there is no such vassal.
        """
        self._vassals[id].stop()

    def log_state(self) -> None:
        """
        Write a line per vassal into the log (SIGUSR1).
        """
        Chronicle(self._clock).list(self.states())

    def _known(self, id: VassalId) -> VassalStatus | None:
        vassal = self._vassals.get(id)
        return vassal.status if vassal is not None else None

    def _start_sleeper(self, id: VassalId) -> None:
        self._guarded(self._vassals[id].wake)

    def _do(self, step: Step) -> None:
        if isinstance(step, Stop):
            self._vassals[step.id].unwanted()
            return
        if isinstance(step, Start):
            self._brood.evict(step.spec.id)
        if step.spec.id in self._vassals:
            self._vassals[step.spec.id].wanted(step.spec)
        else:
            self._add(step.spec)

    def _add(self, spec: VassalSpec) -> None:
        rest = Rest.COMMAND if self._waits(spec) else Rest.NONE
        vassal = Subject(spec, self._court, self._find, self._open_door, rest)
        self._vassals[spec.id] = vassal
        vassal.wanted(spec)

    def _waits(self, spec: VassalSpec) -> bool:
        # The uWSGI of our own file is no vassal that anybody would command, and a zerg
        # comes when its parent calls.
        return not (spec.is_instance or spec.is_zerg) and self._commands.waits(spec.id.name)

    def _observe(self, status: VassalStatus) -> None:
        if status.phase in _READING:
            self._sockets.read(status.id, self._read_addresses(status.id))
        elif status.phase is Phase.ACCEPTING:
            self._sockets.arrived(status.id)
        closed = status.held and not status.returns
        if self._whereabouts.note(status.id, status.phase, closed):
            self._vacancies.look()
        for watcher in self._watchers:
            self._guarded(watcher, status)
        if status.phase is Phase.ACCEPTING:
            for greeter in self._greeters:
                self._guarded(greeter, self.addresses(status.id))
        if status.phase is Phase.GONE:
            self._remove(status.id)

    def _read_addresses(self, id: VassalId) -> frozenset[Address]:
        vassal = self._vassals[id]
        held = vassal.address
        try:
            found = self._listening(vassal.spec)
            return found if held is None else found | {held}
        except Exception:
            self._log.failure("The sockets of vassal {vassal} are unknown", vassal=shown(id.name))
            return frozenset()

    def _remove(self, id: VassalId) -> None:
        del self._vassals[id]
        self._needs.pop(id, None)
        self._sockets.left(id)
        self._farewell.one_is_gone()

    def _is_taken(self, spec: VassalSpec) -> bool:
        """
        Whether another vassal, which is about to go, has a port that this one
        needs.
        """
        if not self._whereabouts.is_somebody_going:
            return False
        known, needs = self._needs.get(spec.id, (None, frozenset()))
        if known is not spec:  # It is asked again for each of many who go.
            needs = self._read_addresses(spec.id)
            self._needs[spec.id] = spec, needs
        return self._whereabouts.is_taken(spec.id, needs)

    def _guarded(self, call: Callable[..., object], *arguments: object) -> None:
        """
        Call something whose failure must not keep what comes after it.
        """
        try:
            call(*arguments)
        except Exception:
            self._log.failure("{call} failed", call=call)
