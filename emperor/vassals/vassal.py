"""
One vassal: its machine, and what the machine hears from its process.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from emperor.vassals.core import Core, Court
from emperor.vassals.events import Inputs
from emperor.vassals.launcher import Launched
from emperor.vassals.machine import VassalMachine
from emperor.vassals.process import Ending, Listener
from emperor.vassals.spec import VassalSpec, shown
from emperor.vassals.status import VassalStatus
from emperor.wire.vassal import Said

Launch = Callable[[VassalSpec, Listener], Launched]


class Ear:
    """
    Turns what a process says and does into the machine's inputs.
    """

    _log = Logger()

    def __init__(self, name: str, inputs: Inputs) -> None:
        self._name = shown(name)
        self._inputs = inputs
        self._words = {
            Said.READY: inputs.became_ready,
            Said.ACCEPTING: inputs.accepted,
            Said.LOYAL: inputs.proved_loyal,
        }

    def said(self, word: Said) -> None:
        """
        It said something; what needs no answer is only logged.
        """
        if word in self._words:
            self._words[word]()
        elif word is not Said.ALIVE:
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


def heard_by_machine(launch: Launch) -> Callable[[VassalSpec, Inputs], Launched]:
    """
    Make C{launch} report to a machine.
    """
    return lambda spec, inputs: launch(spec, Ear(spec.id.name, inputs))


class Vassal:
    """
    A vassal as the Emperor holds it.
    """

    def __init__(self, spec: VassalSpec, court: Court) -> None:
        self._core = Core(spec, court)
        self._machine = VassalMachine(self._core)

    @property
    def spec(self) -> VassalSpec:
        """
        The configuration that it has, or will have when it is started.
        """
        return self._core.spec

    @property
    def status(self) -> VassalStatus:
        """
        How it is now.
        """
        return self._core.status

    def wanted(self, spec: VassalSpec) -> None:
        """
        Start it, or make it read its changed configuration.
        """
        self._machine.wanted(spec)

    def unwanted(self) -> None:
        """
        Stop it.
        """
        self._machine.unwanted()

    def kill(self) -> None:
        """
        End its processes, whatever its state is.
        """
        self._core.process.kill()
