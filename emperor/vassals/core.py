"""
What a vassal has in every state, and what can be done with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from emperor.vassals.backoff import BackOff, Life, Sentence
from emperor.vassals.events import Inputs
from emperor.vassals.launcher import Launched, LaunchFailed
from emperor.vassals.process import Ending
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase, VassalStatus


class Turns(Protocol):
    """
    Where vassals wait for their start.
    """

    def enter(self, turn_came: Callable[[], None]) -> Callable[[], None]:
        """
        Join the queue.

        @return: call it to leave the queue.
        """


class NoProcess:
    """
    The process of a vassal that has none.
    """

    pid = 0
    silent = True

    def reload(self) -> bool:
        """
        Nobody can hear it.
        """
        return False

    def stop(self) -> None:
        """
        There is nothing to stop.
        """

    def kill(self) -> None:
        """
        There is nothing to kill.
        """


@dataclass(frozen=True, slots=True)
class Court:
    """
    What the vassals of one Emperor share.

    @ivar launch: starts a process that reports to the machine.
    @ivar tolerance: seconds from being asked to leave to SIGKILL.
    @ivar observe: is told each new status of each vassal.
    """

    clock: IReactorTime
    turns: Turns
    launch: Callable[[VassalSpec, Inputs], Launched]
    backoff: BackOff
    tolerance: float
    observe: Callable[[VassalStatus], object]


_log = Logger()


@dataclass
class Core:
    """
    One vassal behind its machine.

    @ivar failures: deaths in a row.
    @ivar served_since: when it began to accept; negative if it does not.
    @ivar loyal: whether it has answered a request.
    @ivar asked: whether it was asked to reload and has not accepted since.
    @ivar stop_by: when the process is killed that was asked to leave; 0 if
        it was not asked.
    """

    spec: VassalSpec
    court: Court
    status: VassalStatus = field(init=False)
    process: Launched = field(default_factory=NoProcess)
    failures: int = 0
    served_since: float = -1
    loyal: bool = False
    asked: bool = False
    stop_by: float = 0

    @property
    def now(self) -> float:
        """
        Seconds, by the reactor's clock.
        """
        return self.court.clock.seconds()

    def __post_init__(self) -> None:
        self.status = VassalStatus(self.spec.id, Phase.GONE)

    def enter(self, phase: Phase, **changes: float | str) -> None:
        """
        Tell the observer that the vassal came into C{phase}.
        """
        self.status = replace(self.status, phase=phase, since=self.now, retry_at=0)
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        self.court.observe(self.status)

    def adopt(self, spec: VassalSpec) -> None:
        """
        Take a new configuration, with which earlier failures say nothing.
        """
        self.spec = spec
        self.failures = 0

    def start(self, inputs: Inputs) -> None:
        """
        Start the process; a failure is a death like any other.
        """
        self.served_since, self.loyal, self.asked = -1, False, False
        now = self.now
        try:
            self.process = self.court.launch(self.spec, inputs)
        except LaunchFailed as error:
            inputs.over(Ending(trouble=str(error)))
        except Exception as error:  # The machine must come into a state all the same.
            _log.failure("The start of a vassal failed")
            inputs.over(Ending(trouble=str(error)))
        starts = self.status.starts + 1
        self.enter(Phase.STARTING, pid=self.process.pid, born=now, starts=starts)

    def serve(self) -> None:
        """
        It accepts from now on.
        """
        self.served_since, self.asked = self.now, False
        self.enter(Phase.ACCEPTING)

    def reload(self, inputs: Inputs, spec: VassalSpec) -> None:
        """
        Make it read its configuration again.
        """
        self.adopt(spec)
        self.served_since, self.loyal, self.asked = -1, False, True
        if not self.process.reload():
            inputs.heard_nothing()
        self.enter(Phase.RELOADING, reloads=self.status.reloads + 1)

    def hold_back(self, ending: Ending) -> float:
        """
        Decide when it may start again.  One that was asked to reload and left
        in peace did as it was told: C{exit-on-reload}.

        @return: seconds until then.
        """
        obeyed = self.asked and ending == Ending()
        life = self.bury()
        sentence = Sentence(0, 0) if obeyed else self.court.backoff.judge(life, self.failures)
        self.failures = sentence.failures
        retry_at = self.now + sentence.delay
        self.enter(Phase.HELD_BACK, ending=str(ending), retry_at=retry_at)
        return sentence.delay

    def dismiss(self) -> float:
        """
        Ask the process to leave.

        @return: seconds until it has to be killed.
        """
        now = self.now
        if not self.stop_by:
            self.stop_by = now + self.court.tolerance
            self.process.stop()
        return max(0.0, self.stop_by - now)

    def bury(self) -> Life:
        """
        Forget the process.

        @return: how it did.
        """
        now = self.now
        served = now - self.served_since if self.served_since >= 0 else 0.0
        life = Life(now - self.status.born, served, self.loyal, self.process.silent)
        self.process, self.stop_by = NoProcess(), 0
        self.status = replace(self.status, pid=0, born=0)
        return life
