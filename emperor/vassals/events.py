"""
What can happen to a vassal.
"""

from __future__ import annotations

from typing import Protocol

from emperor.vassals.process import Ending
from emperor.vassals.spec import VassalSpec


class Inputs(Protocol):
    """
    The inputs of the machine: from the Emperor, the process and the clock.
    """

    def wanted(self, spec: VassalSpec) -> None:
        """
        A monitor wants it to run with this configuration.
        """

    def unwanted(self) -> None:
        """
        No monitor wants it any more.
        """

    def turn_came(self) -> None:
        """
        It may be started now.
        """

    def became_ready(self) -> None:
        """
        It said that it is initialised.
        """

    def accepted(self) -> None:
        """
        It said that it accepts requests.
        """

    def seemed_up(self) -> None:
        """
        It never says that it accepts, but has said something that means it.
        """

    def proved_loyal(self) -> None:
        """
        It said that it answered a request.
        """

    def beat(self) -> None:
        """
        It said that it lives.
        """

    def fell_silent(self) -> None:
        """
        It does not say any more that it lives.
        """

    def fell_idle(self) -> None:
        """
        It said that it has nothing to do and would rather leave.
        """

    def fell_asleep(self) -> None:
        """
        It need not run until somebody asks for it.
        """

    def woken(self) -> None:
        """
        Somebody asks for it.
        """

    def overdue(self) -> None:
        """
        It should accept requests by now.
        """

    def heard_nothing(self) -> None:
        """
        It cannot have heard that it should reload.
        """

    def exited(self, ending: Ending) -> None:
        """
        Its first process has left.
        """

    def over(self, ending: Ending) -> None:
        """
        Nothing of it is left, or it could not be started.
        """

    def over_in_exile(self, ending: Ending) -> None:
        """
        Nothing of it is left, and it asked not to be started again.
        """

    def retry_due(self) -> None:
        """
        It was held back for long enough.
        """

    def tolerance_over(self) -> None:
        """
        It was asked to leave and took too long.
        """
