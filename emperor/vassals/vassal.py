"""
One vassal: its machine, and what the machine hears from its process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from twisted.logger import Logger

from emperor.vassals.core import Core, Court
from emperor.vassals.doors import NO_DOOR, Door
from emperor.vassals.events import Inputs
from emperor.vassals.launcher import Launched
from emperor.vassals.machine import VassalMachine
from emperor.vassals.moment import Moment
from emperor.vassals.process import Ending, Listener
from emperor.vassals.spec import VassalSpec, shown
from emperor.vassals.status import Phase, VassalStatus
from emperor.wire.vassal import Said

Observe = Callable[["Vassal", VassalStatus], object]
Launch = Callable[[VassalSpec, Listener, Door], Launched]
Words = Mapping[Said, Callable[[], object]]

#: Phases in which a vassal can reload, or waits after its death.
_RELOADABLE = frozenset({Phase.READY, Phase.ACCEPTING, Phase.RELOADING, Phase.HELD_BACK})

#: What the machine hears of what a process says.
_HEARD: Mapping[Said, Callable[[Inputs], object]] = {
    Said.READY: lambda inputs: inputs.became_ready(),
    Said.ACCEPTING: lambda inputs: inputs.accepted(),
    Said.LOYAL: lambda inputs: inputs.proved_loyal(),
    Said.ALIVE: lambda inputs: inputs.beat(),
    Said.IDLE: lambda inputs: inputs.fell_idle(),
}


class Ear:
    """
    Turns what a process says and does into the machine's inputs.
    """

    _log = Logger()

    def __init__(self, name: str, inputs: Inputs, words: Words) -> None:
        """
        @param words: what somebody else than the machine does with these words.
        """
        self._name = shown(name)
        self._inputs = inputs
        self._words = words

    def said(self, word: Said) -> None:
        """
        It said something; what needs no answer is only logged.
        """
        if word in self._words:
            self._words[word]()
        elif word in _HEARD:
            _HEARD[word](self._inputs)
        else:
            self._log.debug("Vassal {vassal} said {word}", vassal=self._name, word=word.name)

    def exited(self, ending: Ending) -> None:
        """
        Its first process has left.
        """
        self._inputs.exited(ending)

    def over(self, ending: Ending) -> None:
        """
        Nothing of it is left.
        """
        if ending.is_exile:
            self._inputs.over_in_exile(ending)
        else:
            self._inputs.over(ending)


def heard_by_machine(
    launch: Launch, words: Callable[[VassalSpec], Words] = lambda spec: {}
) -> Callable[[VassalSpec, Inputs, Door], Launched]:
    """
    Make C{launch} report to a machine.

    @param words: the words of a vassal that are for somebody else.
    """
    return lambda spec, inputs, door: launch(spec, Ear(spec.id.name, inputs, words(spec)), door)


class Vassal:
    """
    One generation of a vassal.
    """

    def __init__(
        self,
        spec: VassalSpec,
        court: Court,
        door: Door = NO_DOOR,
        observe: Observe | None = None,
        renew: Callable[[Vassal], bool] = lambda generation: False,
    ) -> None:
        """
        @param door: its listening socket, if it does not open it itself.
        @param observe: is told its statuses, instead of the court.
        @param renew: asked before it is to reload: whether the next generation
            comes instead.
        """
        self._renew = renew
        self._told = court.observe if observe is None else partial(observe, self)
        self._moment = Moment(court.clock, court.settling, self._change)
        self._core = Core(spec, court, self._saw, door)
        self._machine = VassalMachine(self._core)

    @property
    def door(self) -> Door:
        """
        Its listening socket.
        """
        return self._core.door

    @property
    def spec(self) -> VassalSpec:
        """
        The configuration that it has, or will have when it is started.
        """
        return self._moment.kept or self._core.spec

    @property
    def status(self) -> VassalStatus:
        """
        How it is now.
        """
        return self._core.status

    @property
    def beat_at(self) -> float:
        """
        When it said the last time that it lives; 0 if it never did.
        """
        return self._core.heart.beat_at

    def wanted(self, spec: VassalSpec) -> None:
        """
        Start it, or make it read its changed configuration when it can.
        """
        self._moment.change(spec, self.status)

    def unwanted(self, gently: bool = False) -> None:
        """
        Stop it; C{gently}: when its requests are answered.
        """
        self._moment.cancel()
        self._core.gently = gently
        self._machine.unwanted()

    def reload(self) -> None:
        """
        Make it read its configuration again when it has its turn, or try then
        if it is held back.
        """
        if self.status.phase in _RELOADABLE:
            self._core.queue(self._reload_now)

    def _reload_now(self) -> None:
        if self.status.phase in _RELOADABLE:
            self.wanted(self.spec)

    def pardon(self) -> None:
        """
        Forget its earlier deaths: it waits no more.
        """
        self._core.failures = 0
        if self.status.phase is Phase.HELD_BACK:
            self._machine.wanted(self.spec)

    def retry(self) -> None:
        """
        Start it if it does not run, for whatever reason that is.
        """
        if self.status.phase in (Phase.HELD_BACK, Phase.EXILED):
            self._machine.wanted(self.spec)
        self.wake()

    def wake(self) -> None:
        """
        Start it if it sleeps.
        """
        if self.status.phase is Phase.ASLEEP:
            self._core.rouse(self._machine)

    def _change(self, spec: VassalSpec) -> None:
        if not self._renew(self):
            self._machine.wanted(spec)

    def _saw(self, status: VassalStatus) -> None:
        self._moment.saw(status)
        self._told(status)

    def kill(self) -> None:
        """
        End its processes, whatever its state is.
        """
        self._core.process.kill()
