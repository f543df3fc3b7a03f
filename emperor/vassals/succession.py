"""
One vassal through its generations.

A vassal that opens its socket itself has one generation at a time: it reloads in
its own process, and if that fails it is down.

Where the socket is the Emperor's (L{emperor.vassals.doors}) there can be two.  A
reload starts the next generation beside the current one, on the same socket; the
current one is asked to leave when the next one accepts, and answers its requests
first.  If the next one dies, or takes too long, the current one serves on.

Rules:

  - Only a vassal that has said that it accepts is renewed in this way: of a
    program that never says so nobody would know when it is up.  Such a one is
    stopped first, and who knocks waits.  One that starts without workers says
    that it is ready, and that has to do.

  - There is one next generation at most; one that is not needed any more is
    stopped.

  - A vassal whose file takes a door away, or adds one, is stopped first: the old
    and the new generation may want the same address.  A file that is broken takes
    none away.

  - One that has no generation, and of which it is unclear where to listen for it,
    waits and is asked again (L{emperor.vassals.doubt}).

To the outside this is one vassal: it has the phase of its current generation, the
sum of all counts, and is gone when all generations are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.config.doorways import Doorway
from emperor.vassals.core import Court
from emperor.vassals.doors import NO_DOOR, Blank, Door, Unclear
from emperor.vassals.doubt import Doubt, complain
from emperor.vassals.record import Record
from emperor.vassals.spec import VassalId, VassalSpec, shown
from emperor.vassals.status import Phase, VassalStatus
from emperor.vassals.vassal import Vassal

Find = Callable[[VassalSpec], Doorway | Deferred[Doorway | None] | None]
OpenDoor = Callable[[VassalId, Doorway], Door]

#: Phases in which a generation has ended without having served.
_FAILED = frozenset({Phase.HELD_BACK, Phase.EXILED})


class Succession:
    """
    A vassal as the Emperor holds it.

    @ivar spec: the configuration that is wanted.
    """

    _log = Logger()

    def __init__(
        self,
        spec: VassalSpec,
        court: Court,
        find: Find,
        open_door: OpenDoor,
        observe: Callable[[VassalStatus], object] | None = None,
    ) -> None:
        """
        @param find: where the Emperor listens for a vassal, if it does.
        @param observe: is told each new status, instead of the court.
        """
        self.spec = spec
        self._record = Record(spec.id, observe or court.observe)
        self._court = court
        self._find = find
        self._open_door = open_door
        self._door: Door = NO_DOOR
        self._finding: Deferred[Doorway | None] | None = None
        self._doubt = Doubt(spec.id, court, self._search)
        self._current: Vassal | None = None
        self._next: Vassal | None = None
        self._leaving: list[Vassal] = []
        # Called when all generations are gone.
        self._afterwards: Callable[[], None] | None = None

    @property
    def door(self) -> Door:
        """
        Where the Emperor listens for it.
        """
        return self._door

    @property
    def status(self) -> VassalStatus:
        """
        How it is now.
        """
        if self._current is None or self._current.status.pid != self._record.told.pid:
            return self._record.told
        now = self._current.status
        return replace(self._record.told, loyal_at=now.loyal_at, failures=now.failures)

    @property
    def beat_at(self) -> float:
        """
        When it said the last time that it lives; 0 if it never did.
        """
        return self._current.beat_at if self._current is not None else 0

    def wanted(self, spec: VassalSpec) -> None:
        """
        Start it, or make it follow its changed configuration.
        """
        self.spec = spec
        self._cancel_finding()
        self._search()

    def _search(self) -> None:
        try:
            found = self._find(self.spec)
        except Exception:
            self._not_found(Failure())
            return
        if not isinstance(found, Deferred):
            self._place(found)
            return
        self._finding = found
        if self._current is None:
            now = self._court.clock.seconds()
            self._publish(VassalStatus(self.spec.id, Phase.QUEUED, since=now))
        found.addCallbacks(self._place, self._not_found)

    def unwanted(self) -> None:
        """
        Stop all of it.
        """
        self._cancel_finding()
        self._afterwards = None
        if self._next is not None:
            self._drop_next()
        if self._current is not None:
            self._current.unwanted()
        else:
            self._end_if_over()

    def reload(self) -> None:
        """
        Make it read its configuration again, or try at once if it is held back.
        """
        if self._current is None:
            self._doubt.hurry()
        elif self._is_renewable(self._current):
            self._renew()
        else:
            self._current.reload()

    def pardon(self) -> None:
        """
        Forget its earlier deaths: it waits no more.
        """
        self._doubt.failures = 0
        self._doubt.hurry()
        if self._current is not None:
            self._current.pardon()

    def retry(self) -> None:
        """
        Start it if it does not run, for whatever reason that is.
        """
        self._doubt.hurry()
        if self._current is not None:
            self._current.retry()

    def wake(self) -> None:
        """
        Start it if it sleeps.
        """
        if self._current is not None:
            self._current.wake()

    def kill(self) -> None:
        """
        End all its processes.
        """
        for each in self._all():
            each.kill()

    # Where its door is:

    def _not_found(self, failure: Failure) -> None:
        self._finding = None
        nowhere = self._current is None and self._door is NO_DOOR
        if nowhere and failure.check(Unclear) and not failure.check(Blank):
            self._publish(self._doubt.begin(str(failure.value)))
        elif not failure.check(CancelledError):
            complain(self._log, self.spec, failure)
            self._place(self._door.doorway)

    def _cancel_finding(self) -> None:
        self._doubt.end()
        finding, self._finding = self._finding, None
        if finding is not None:
            finding.cancel()

    def _place(self, doorway: Doorway | None) -> None:
        self._finding = self._afterwards = None
        self._doubt.end()
        before, current = self._door.doorway, self._current
        if current is None:
            self._move(doorway)
            self._begin()
        elif doorway == before:
            current.wanted(self.spec)
        elif doorway is None or before is None:
            self._start_over(doorway)
        elif doorway == replace(before, on_demand=doorway.on_demand, cheap=doorway.cheap):
            self._door.change(doorway)
            current.wanted(self.spec)
        elif doorway.address != before.address:
            self._change_address(current, doorway)
        else:
            self._start_over(doorway)

    def _move(self, doorway: Doorway | None) -> None:
        """
        Have this door from now on; perhaps a generation that leaves has it yet.
        """
        before = self._door
        if doorway is None:
            self._door = NO_DOOR
        elif doorway != before.doorway:
            doors = (each.door for each in self._all() if each.door.doorway == doorway)
            self._door = next(doors, None) or self._open_door(self.spec.id, doorway)
        self._close_unused(before)

    def _begin(self) -> None:
        self._current = self._generation()
        self._current.wanted(self.spec)

    def _renew_instead(self, generation: Vassal) -> bool:
        if generation is not self._current or not self._is_renewable(generation):
            return False
        self._renew()
        return True

    def _change_address(self, current: Vassal, doorway: Doorway) -> None:
        """
        The next generation has a socket of its own, and the current one its own.
        """
        renewable = self._is_renewable(current)
        self._move(doorway)
        if renewable:
            self._renew()
        else:
            self._begin()  # First, for without any generation it would be gone.
            self._retire(current)

    def _start_over(self, doorway: Doorway | None) -> None:
        def begin() -> None:
            self._move(doorway)
            self._begin()

        self._afterwards = begin
        if self._next is not None:
            self._drop_next()
        if self._current is not None:
            self._current.unwanted()

    # Generations:

    @staticmethod
    def _serves(generation: Vassal, status: VassalStatus) -> bool:
        """
        Whether it takes requests, as far as it can say.
        """
        doorway = generation.door.doorway
        cheap = doorway is not None and doorway.cheap
        return status.phase is Phase.ACCEPTING or (cheap and status.phase is Phase.READY)

    def _is_renewable(self, current: Vassal) -> bool:
        return current.door is not NO_DOOR and self._serves(current, current.status)

    def _all(self) -> list[Vassal]:
        first = [each for each in (self._current, self._next) if each is not None]
        return first + self._leaving

    def _generation(self) -> Vassal:
        return Vassal(self.spec, self._court, self._door, self._saw, self._renew_instead)

    def _renew(self) -> None:
        if self._next is not None:
            self._drop_next()
        self._record.forgive()
        self._next = generation = self._generation()
        generation.wanted(self.spec)
        generation.wake()  # It must show that it works, whoever knocks.

    def _drop_next(self) -> None:
        generation, self._next = self._next, None
        if generation is not None:
            self._record.count_start(generation.status)
            self._leaving.append(generation)
            generation.unwanted()

    def _retire(self, generation: Vassal) -> None:
        self._leaving.append(generation)
        generation.unwanted(gently=True)

    def _saw(self, generation: Vassal, status: VassalStatus) -> None:
        """
        A generation has a new status.
        """
        if generation is self._next:
            self._saw_next(generation, status)
        elif generation is self._current:
            self._saw_current(generation, status)
        elif status.phase is Phase.GONE:
            self._bury(generation)

    def _saw_current(self, generation: Vassal, status: VassalStatus) -> None:
        if status.phase is Phase.GONE:
            self._record.inherit(status)
            self._current = None
            self._bury(generation)
        elif self._next is None or not self._serves(generation, status):
            if status.accepted_at > self._record.told.accepted_at:
                self._record.forgive()
            self._publish(status)

    def _saw_next(self, generation: Vassal, status: VassalStatus) -> None:
        if self._serves(generation, status):
            self._take_over(generation)
        elif status.phase in _FAILED:
            self._fail(f"its reload failed: {status.ending}", status)
        elif status.trouble:
            self._fail(f"its reload failed: {status.trouble}", status)
        elif status.phase is Phase.STARTING and self._current is not None:
            before = self._current.status
            if self._serves(self._current, before):
                renewing = replace(before, phase=Phase.RENEWING, successor=status.pid)
                self._publish(replace(renewing, since=status.since))

    def _take_over(self, generation: Vassal) -> None:
        before, self._current, self._next = self._current, generation, None
        self._record.count_reload()
        if before is not None:
            self._record.inherit(before.status)
        # Whoever reads its file when it reloads does it now, as it has been read.
        self._publish(replace(generation.status, phase=Phase.RELOADING))
        self._publish(generation.status)
        if before is not None:
            self._log.info(
                "The old generation of vassal {vassal} may leave (pid {pid})",
                vassal=shown(self.spec.id.name),
                pid=before.status.pid,
            )
            self._retire(before)

    def _fail(self, trouble: str, status: VassalStatus) -> None:
        """
        The next generation does not come; the current one serves on.
        """
        self._record.fail(f"{trouble}; the generation before serves on", status.said)
        self._drop_next()
        if self._current is not None:
            self._publish(self._current.status)

    def _bury(self, generation: Vassal) -> None:
        if generation in self._leaving:
            self._leaving.remove(generation)
        self._close_unused(generation.door)
        self._end_if_over()

    def _close_unused(self, door: Door) -> None:
        if all(door is not other for other in (self._door, *(each.door for each in self._all()))):
            door.close()

    def _end_if_over(self) -> None:
        if self._all():
            return
        afterwards, self._afterwards = self._afterwards, None
        self._door.close()
        self._door = NO_DOOR
        if afterwards is not None:
            afterwards()
        elif self._finding is None and not self._doubt.holds:
            self._publish(VassalStatus(self.spec.id, Phase.GONE, since=self._court.clock.seconds()))

    def _publish(self, status: VassalStatus) -> None:
        if status.phase is Phase.STOPPING and self._afterwards is not None:
            status = replace(status, phase=Phase.REPLACED)
        self._record.tell(status)
