"""
Whether a router process is stuck: it reports every second, if it is not.

Time is counted in looks, one a second, and not by a clock: after a machine was
asleep, or its clock was set, everybody would seem to have been silent.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

#: Seconds between two looks.
LOOK = 1.0

#: Looks without a report after which it is worth a line in the log.
NOTICED = 10

#: Looks without a report after which a process is killed.
PATIENCE = 30

#: The same for one that has not reported at all yet.
PATIENCE_AT_START = 60


class Watch:
    """
    Watches one process.
    """

    _log = Logger()

    def __init__(self, name: str, kill: Callable[[], object]) -> None:
        self._name = name
        self._kill = kill
        self._patience = PATIENCE_AT_START
        self._looks = 0

    def heard(self) -> None:
        """
        It has reported.
        """
        if self._looks >= NOTICED:
            self._log.info(
                "{process} reports again, after {seconds} s",
                process=self._name,
                seconds=self._looks,
            )
        self._looks = 0
        self._patience = PATIENCE

    def look(self) -> None:
        """
        Another second has passed.
        """
        self._looks += 1
        if self._looks == NOTICED:
            self._log.warn(
                "{process} has not reported for {seconds} s",
                process=self._name,
                seconds=self._looks,
            )
        elif self._looks == self._patience:
            self._log.error(
                "{process} has not reported for {seconds} s: it is killed",
                process=self._name,
                seconds=self._looks,
            )
            self._kill()
