"""
What a vassal has in every state, and what can be done with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from emperor.vassals.backoff import BackOff, Life, Sentence
from emperor.vassals.doors import NO_DOOR, Door
from emperor.vassals.events import Inputs
from emperor.vassals.heartbeat import Heart
from emperor.vassals.launcher import Launched, LaunchFailed
from emperor.vassals.process import Ending
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, VassalStatus

#: Seconds between two SIGKILLs, if C{emperor-curse-tolerance} is shorter.
SHORTEST_TOLERANCE = 1.0

#: Phases in which something is expected of a vassal within a time.
_COMING_UP = frozenset({Phase.STARTING, Phase.READY, Phase.RELOADING})


class Turns(Protocol):
    """
    Where vassals wait for their start.
    """

    def enter(self, turn_came: Callable[[], None], ahead: bool = False) -> Callable[[], None]:
        """
        Join the queue; C{ahead}: before those that have never served.

        @return: call it to leave the queue, or to say that the vassal is up.
        """


class NoProcess:
    """
    The process of a vassal that has none.
    """

    pid = 0
    silent = True
    last_lines = ()

    def reload(self, spec: VassalSpec) -> bool:
        """
        Nobody can hear it.
        """
        return False

    def stop(self, gently: bool = False) -> None:
        """
        There is nothing to stop.
        """

    def kill(self) -> None:
        """
        There is nothing to kill.
        """


def _nobody_waits() -> None:
    """
    There is no queue to leave.
    """


def _no_vacancy(spec: VassalSpec, free: Callable[[], object]) -> Callable[[], None]:
    """
    No vassal needs what another one has.
    """
    free()
    return _nobody_waits


@dataclass(slots=True)
class Court:
    """
    What the vassals of one Emperor share.

    @ivar launch: starts a process that reports to the machine.
    @ivar tolerance: seconds from being asked to leave to SIGKILL.
    @ivar observe: is told each new status of each vassal.
    @ivar await_vacancy: see L{emperor.vassals.vacancies.Vacancies.wait}.
    @ivar heartbeat: seconds between two beats of a vassal that has a heart.
    @ivar patience: seconds from a start, or the order to reload, until the
        vassal must accept; 0: for ever.
    @ivar gently: whether vassals are to answer their requests before they leave.
    @ivar settling: seconds from when a vassal accepts until it can be told to
        reload.
    """

    clock: IReactorTime
    turns: Turns
    launch: Callable[[VassalSpec, Inputs, Door], Launched]
    backoff: BackOff
    tolerance: float
    observe: Callable[[VassalStatus], object]
    await_vacancy: Callable[[VassalSpec, Callable[[], object]], Callable[[], None]] = _no_vacancy
    heartbeat: float = 30
    patience: float = 0
    gently: bool = False
    settling: float = 0


_log = Logger()


@dataclass
class Core:
    """
    One vassal behind its machine.

    @ivar observe: is told each new status.
    @ivar door: where the Emperor listens for it.
    @ivar failures: deaths in a row.
    @ivar served_since: when it began to accept; negative if it does not.
    @ivar loyal: whether it has answered a request.
    @ivar asked: whether it was asked to reload and has not accepted since.
    @ivar drowsy: whether it waits for a request, not only for its turn.
    @ivar gently: whether it has to answer its requests before it leaves.
    @ivar outspoken: whether it has said itself that it accepts.
    @ivar talks: whether it has said earlier that it accepts.
    @ivar late: whether its start, or its reload, takes too long.
    @ivar condemned: whether its heart stands still: it must come back soon.
    @ivar merit: seconds that it served until its heart stood still.
    @ivar stop_by: when the process is killed that was asked to leave; 0 if
        it was not asked.
    """

    spec: VassalSpec
    court: Court
    observe: Callable[[VassalStatus], object]
    door: Door = NO_DOOR
    status: VassalStatus = field(init=False)
    heart: Heart = field(init=False)
    process: Launched = field(default_factory=NoProcess)
    failures: int = 0
    served_since: float = -1
    loyal: bool = False
    asked: bool = False
    drowsy: bool = field(init=False)
    gently: bool = False
    outspoken: bool = False
    talks: bool = False
    late: bool = False
    condemned: bool = False
    merit: float = 0
    stop_by: float = 0
    _leave_queue: Callable[[], None] = _nobody_waits
    _limit: IDelayedCall | None = None

    @property
    def now(self) -> float:
        """
        Seconds, by the reactor's clock.
        """
        return self.court.clock.seconds()

    def __post_init__(self) -> None:
        self.status = VassalStatus(self.spec.id, Phase.GONE, held=self.door.address is not None)
        self.heart = Heart(self.court.clock, self.court.heartbeat)
        self.drowsy = self.door.on_demand

    def enter(self, phase: Phase, **changes: Any) -> None:
        """
        Tell the observer that the vassal came into C{phase}.
        """
        if phase not in _COMING_UP:
            self._expect_nothing()
        entered = {
            "phase": phase,
            "since": self.now,
            "retry_at": 0,
            "failures": self.failures,
            "zerg": self.spec.is_zerg,
        }
        self.tell(**{**entered, **changes})

    def tell(self, **changes: Any) -> None:
        """
        Tell the observer what is new.
        """
        self.status = replace(self.status, **changes)
        self.observe(self.status)

    def adopt(self, spec: VassalSpec) -> None:
        """
        Take a new configuration, with which earlier failures say nothing.
        """
        self.spec = spec
        self.failures = 0
        self.drowsy = self.door.on_demand

    def queue(self, turn_came: Callable[[], None]) -> None:
        """
        Wait for a turn.
        """
        self._leave()
        self._leave_queue = self.court.turns.enter(turn_came, self.status.accepted_at > 0)

    def queue_start(self, turn_came: Callable[[], None]) -> Callable[[], None]:
        """
        Wait until its address is free, and then for a turn.

        @return: waits no more.
        """
        self._leave()
        leave = self.court.await_vacancy(self.spec, lambda: self.queue(turn_came))
        if self._leave_queue is _nobody_waits:
            self._leave_queue = leave
        return self._leave

    def _leave(self) -> None:
        leave, self._leave_queue = self._leave_queue, _nobody_waits
        leave()

    def rouse(self, inputs: Inputs) -> None:
        """
        Somebody asks for it: the next turn is a start.
        """
        self.drowsy = False
        inputs.woken()

    def start(self, inputs: Inputs) -> None:
        """
        Start the process; a failure is a death like any other.
        """
        self._forget_service()
        self.asked, self.condemned, self.drowsy = False, False, self.door.on_demand
        self.merit = 0
        now = self.now
        try:
            self.process = self.court.launch(self.spec, inputs, self.door)
        except LaunchFailed as error:
            inputs.over(Ending(trouble=str(error)))
        except Exception as error:  # The machine must come into a state all the same.
            _log.failure("The start of a vassal failed")
            inputs.over(Ending(trouble=str(error)))
        starts = self.status.starts + 1
        self._expect(inputs, self.court.patience)
        self.enter(Phase.STARTING, pid=self.process.pid, born=now, starts=starts, loyal_at=0)

    def serve(self) -> None:
        """
        It accepts from now on.
        """
        self._leave()
        self.served_since, self.asked, self.condemned, self.talks = self.now, False, False, True
        self.merit = 0
        self.enter(Phase.ACCEPTING, accepted_at=self.now, trouble="", said=())

    def trust(self) -> None:
        """
        It has answered a request: earlier deaths make no wait grow.
        """
        if not self.loyal:
            self.loyal, self.failures = True, min(self.failures, 1)
            # It is nothing that anybody waits for: whoever looks sees it.
            self.status = replace(self.status, loyal_at=self.now, failures=self.failures)

    def reload(self, inputs: Inputs) -> None:
        """
        Make it read its configuration again.
        """
        self.heart.rest()
        self._forget_service()
        self.asked = True
        if not self.process.reload(self.spec):
            inputs.heard_nothing()
        self._expect(inputs, self.court.tolerance if self.condemned else self.court.patience)
        self.enter(Phase.RELOADING, reloads=self.status.reloads + 1, loyal_at=0)

    def condemn(self) -> None:
        """
        Its heart stands still: a reload is its last chance.
        """
        self.condemned = True
        if self.served_since >= 0:
            self.merit = max(0.0, self.heart.beat_at - self.served_since)
        self.complain(f"its heart has not beaten for {self.court.heartbeat:g} s")

    def overdue(self, inputs: Inputs) -> None:
        """
        It should accept by now.  One that has never said so may be one that
        never does; any other is killed, and starts again as after any death.
        """
        what = "reload" if self.asked else "start"
        seconds = self.court.tolerance if self.condemned else self.court.patience
        if not self.late:
            self.late = True
            self._count_reload()
            self.complain(f"its {what} is not over after {seconds:g} s")
        if self.talks or self.condemned:
            self.process.kill()
            self._expect(inputs, max(self.court.tolerance, SHORTEST_TOLERANCE))

    def complain(self, trouble: str) -> None:
        """
        Tell what is wrong with it although it runs.
        """
        self.tell(trouble=trouble, said=self.process.last_lines)

    def hold_back(self, ending: Ending) -> float:
        """
        Decide when it may start again.  One that was asked to reload and left
        in peace did as it was told: C{exit-on-reload}.

        @return: seconds until then.
        """
        obeyed = self.asked and ending == Ending()
        if not obeyed:
            self.note_end(ending)
        life = self.bury()
        sentence = Sentence(0, 0) if obeyed else self.court.backoff.judge(life, self.failures)
        self.failures = sentence.failures
        retry_at = self.now + sentence.delay
        self.enter(Phase.HELD_BACK, ending=str(ending), retry_at=retry_at)
        return sentence.delay

    def note_end(self, ending: Ending) -> None:
        """
        Keep what is known of its end: its last words, and whether it was a
        reload that killed it.
        """
        self.status = replace(self.status, said=self.process.last_lines)
        if self.asked and not self.late:
            self._count_reload()
            self.status = replace(self.status, trouble=f"its reload failed: {ending}")

    def dismiss(self) -> float:
        """
        Ask the process to leave.

        @return: seconds until it has to be killed.
        """
        now = self.now
        self.heart.rest()
        self._leave()
        if not self.stop_by:
            self.stop_by = now + self.court.tolerance
            self.process.stop(self.gently or self.court.gently or self.spec.is_zerg)
        return max(0.0, self.stop_by - now)

    def bury(self) -> Life:
        """
        Forget the process.

        @return: how it did.
        """
        now = self.now
        self.heart.rest()
        self._leave()
        self._expect_nothing()
        served = now - self.served_since if self.served_since >= 0 else self.merit
        life = Life(now - self.status.born, served, self.loyal, self.process.silent)
        self.process, self.stop_by = NoProcess(), 0
        self.status = replace(self.status, pid=0, born=0)
        return life

    def vanish(self) -> None:
        """
        There is nothing of it any more.
        """
        self._leave()
        self.enter(Phase.GONE)

    def _forget_service(self) -> None:
        self.served_since, self.loyal, self.late = -1, False, False

    def _count_reload(self) -> None:
        if self.asked:
            failed = self.status.failed_reloads + 1
            self.status = replace(self.status, failed_reloads=failed)

    def _expect(self, inputs: Inputs, seconds: float) -> None:
        self._expect_nothing()
        if seconds:
            self._limit = self.court.clock.callLater(seconds, inputs.overdue)

    def _expect_nothing(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = None
