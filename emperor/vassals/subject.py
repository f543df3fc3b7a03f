"""
A vassal that obeys commands: it can be told to start, to leave and to stay away.

One that rests has no process and no door.  What its monitor says of it meanwhile
is kept for its start.  It rests for one of two reasons (L{Rest}): it waits for its
first command, and a request for it is as good as one; or it was stopped by a
command, and then nothing but another one starts it.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.addresses import SocketAddress
from emperor.config.doorways import Doorway
from emperor.vassals.core import Court
from emperor.vassals.doubt import complain
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.succession import Find, OpenDoor, Succession

#: Phases in which a vassal that was woken comes no more, or has come.
_SETTLED = frozenset(
    {
        Phase.ACCEPTING,
        Phase.RETIRING,
        Phase.HELD_BACK,
        Phase.EXILED,
        Phase.STOPPING,
        Phase.GONE,
    }
)

#: Phases of a vassal that runs, or is about to.
_RUNNING = frozenset(
    {
        Phase.QUEUED,
        Phase.STARTING,
        Phase.READY,
        Phase.ACCEPTING,
        Phase.RELOADING,
        Phase.RENEWING,
        Phase.REPLACED,
    }
)


class Subject:
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
        rest: Rest = Rest.NONE,
    ) -> None:
        """
        @param find: see L{Succession}; so C{open_door}.
        @param rest: whether it waits for a command from the beginning.
        """
        self.spec = spec
        self._court = court
        self._find = find
        self._life = Succession(spec, court, find, open_door, self._saw)
        self._rest = self._first = rest
        self._forsaken = False
        # How it is while it rests and nothing of it is left.
        self._lying: VassalStatus | None = None
        self._place: Doorway | None = None
        self._placing: Deferred[Doorway | None] | None = None
        # It was asked for, and must not fall asleep before it has been there.
        self._woken = False

    @property
    def doorway(self) -> Doorway | None:
        """
        Where the Emperor listens for it, or will when it does not rest any more.
        """
        return self._place if self._lying is not None else self._life.door.doorway

    @property
    def address(self) -> SocketAddress | None:
        """
        The same without its other words.
        """
        return self.doorway.address if self.doorway is not None else None

    @property
    def status(self) -> VassalStatus:
        """
        How it is now.
        """
        if self._lying is not None:
            return self._lying
        return self._marked(self._life.status)

    @property
    def beat_at(self) -> float:
        """
        When it said the last time that it lives; 0 if it never did.
        """
        return self._life.beat_at

    def wanted(self, spec: VassalSpec) -> None:
        """
        Start it, or make it follow its changed configuration; one that rests only
        keeps it.
        """
        self.spec = spec
        if self._forsaken:
            self._forsaken, self._rest = False, self._first
        if self._rest is Rest.NONE:
            self._life.wanted(spec)
        elif self._life.status.phase is Phase.GONE:
            self._lie_down()

    def unwanted(self) -> None:
        """
        Stop all of it, for good.
        """
        self._rise()
        self._forsaken, self._rest = True, Rest.NONE
        self._life.unwanted()

    def stop(self) -> None:
        """
        Stop all of it until it is told to start.
        """
        if self._forsaken:
            return
        was_resting = self._rest is not Rest.NONE
        self._rest, self._woken = Rest.STOPPED, False
        if self._lying is not None:
            self._lie_down()
        elif not was_resting:
            self._life.unwanted()

    def retry(self) -> None:
        """
        Start it if it does not run, for whatever reason that is.
        """
        if self._forsaken or (self._rest is Rest.NONE and self.status.phase in _RUNNING):
            return
        self._woken = True
        if self._rest is Rest.NONE:
            self._life.retry()
        else:
            self._rise()
            self._rest = Rest.NONE
            self._life.wanted(self.spec)

    def wake(self) -> None:
        """
        Start it if it sleeps, unless a command has stopped it.
        """
        if not self.status.may_be_woken:
            return
        if self._rest is Rest.NONE:
            self._woken = True
            self._life.wake()
        else:
            self.retry()

    def respawn(self) -> None:
        """
        Make it read its configuration again, or start it if it does not run.
        """
        if self._rest is Rest.NONE and self.status.phase in _RUNNING:
            self._life.reload()
        else:
            self.retry()

    def reload(self) -> None:
        """
        Make it read its configuration again, or try at once if it is held back;
        one that rests goes on.
        """
        self._life.reload()

    def pardon(self) -> None:
        """
        Forget its earlier deaths: it waits no more.
        """
        self._life.pardon()

    def kill(self) -> None:
        """
        End all its processes.
        """
        self._life.kill()

    def _saw(self, status: VassalStatus) -> None:
        """
        It has a new status, except that of one that rests.
        """
        phase = status.phase
        if phase is Phase.GONE and self._rest is not Rest.NONE:
            self._lie_down()
        elif phase is Phase.ASLEEP and self._woken:
            self._life.wake()
        else:
            if phase in _SETTLED:
                self._woken = False
            self._court.observe(self._marked(status))

    def _marked(self, status: VassalStatus) -> VassalStatus:
        if not self._woken and self._rest is Rest.NONE:
            return status
        return replace(status, woken=self._woken, rest=self._rest)

    def _lie_down(self) -> None:
        """
        Nothing of it is left; it rests, with what is known of it now.
        """
        told = self._life.status
        self._lying = replace(
            told,
            phase=Phase.ASLEEP,
            since=self._court.clock.seconds(),
            rest=self._rest,
            held=False,
        )
        self._look_for_place()
        self._court.observe(self._lying)

    def _rise(self) -> None:
        self._lying = self._place = None
        placing, self._placing = self._placing, None
        if placing is not None:
            placing.cancel()

    # Requests that come to its door's address shall find it although it is closed,
    # also while its file is broken.

    def _look_for_place(self) -> None:
        lying, place = self._lying, self._place
        self._rise()
        self._lying, self._place = lying, place
        try:
            found = self._find(self.spec)
        except Exception:
            self._not_placed(Failure())
            return
        if isinstance(found, Deferred):
            self._placing = found
            found.addCallbacks(self._placed, self._not_placed)
        else:
            self._place = found

    def _placed(self, found: Doorway | None) -> None:
        before, self._placing, self._place = self._place, None, found
        if self._lying is not None and found != before:
            self._court.observe(self._lying)

    def _not_placed(self, failure: Failure) -> None:
        self._placing = None
        if not failure.check(CancelledError):
            complain(self._log, self.spec, failure)
