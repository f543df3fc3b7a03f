"""
What the log says of the vassals.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from emperor.vassals.spec import shown
from emperor.vassals.status import Phase, VassalStatus

_SENTENCES = {
    Phase.STARTING: (LogLevel.info, "Vassal {vassal} starts (pid {pid})"),
    Phase.READY: (LogLevel.debug, "Vassal {vassal} is ready (pid {pid})"),
    Phase.ACCEPTING: (LogLevel.info, "Vassal {vassal} accepts requests (pid {pid}, {seconds} s)"),
    Phase.RELOADING: (LogLevel.info, "Vassal {vassal} reloads (pid {pid})"),
    Phase.STOPPING: (LogLevel.info, "Vassal {vassal} is asked to leave (pid {pid})"),
    Phase.REPLACED: (
        LogLevel.info,
        "Vassal {vassal} is asked to leave for a new start (pid {pid})",
    ),
    Phase.ORPHANED: (LogLevel.debug, "Vassal {vassal} has left: {ending}"),
    Phase.HELD_BACK: (LogLevel.warn, "Vassal {vassal} died: {ending}; next try in {wait} s"),
    Phase.EXILED: (
        LogLevel.warn,
        "Vassal {vassal} left for good, until its file changes: {ending}",
    ),
    Phase.GONE: (LogLevel.info, "Vassal {vassal} is gone"),
}


class Chronicle:
    """
    Writes down what happens to vassals.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._asked_at: dict[object, float] = {}

    def record(self, status: VassalStatus) -> None:
        """
        Log a vassal's new status.
        """
        if status.phase in (Phase.STARTING, Phase.RELOADING):
            self._asked_at[status.id] = status.since
        seconds = status.since - self._asked_at.get(status.id, status.since)
        if status.phase in (Phase.ACCEPTING, Phase.GONE):
            self._asked_at.pop(status.id, None)
        if status.phase in _SENTENCES:
            level, sentence = _SENTENCES[status.phase]
            self._write(level, sentence, status, round(seconds, 3))

    def list(self, statuses: Iterable[VassalStatus]) -> None:
        """
        Log a line for each vassal.
        """
        for status in statuses:
            age = self._clock.seconds() - status.born if status.pid else 0
            self._write(
                LogLevel.info,
                "Vassal {vassal} is {phase} (pid {pid}, age {seconds} s, {starts} starts, "
                "{reloads} reloads, next try in {wait} s)",
                status,
                round(age, 1),
            )

    def _write(self, level: LogLevel, sentence: str, status: VassalStatus, seconds: float) -> None:
        wait = status.retry_at - self._clock.seconds() if status.retry_at else 0
        self._log.emit(
            level,
            sentence,
            vassal=shown(status.id.name),
            monitor=shown(status.id.monitor),
            phase=status.phase.value,
            pid=status.pid,
            seconds=seconds,
            starts=status.starts,
            reloads=status.reloads,
            wait=round(wait, 1) if wait > 0 else 0,
            ending=status.ending,
        )
