"""
What the log says of the vassals.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from emperor.vassals.spec import shown
from emperor.vassals.status import Phase, Rest, VassalStatus

_SENTENCES = {
    Phase.STARTING: (LogLevel.info, "Vassal {vassal} starts (pid {pid})"),
    Phase.READY: (LogLevel.debug, "Vassal {vassal} is ready (pid {pid})"),
    Phase.ACCEPTING: (LogLevel.info, "Vassal {vassal} accepts requests (pid {pid}, {seconds} s)"),
    Phase.RELOADING: (LogLevel.info, "Vassal {vassal} reloads (pid {pid})"),
    Phase.RENEWING: (
        LogLevel.info,
        "Vassal {vassal} (pid {pid}) is renewed: its next generation starts (pid {successor})",
    ),
    Phase.RETIRING: (LogLevel.info, "Vassal {vassal} has nothing to do and may go (pid {pid})"),
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

_ASLEEP = (LogLevel.info, "Vassal {vassal} sleeps until somebody connects")
_ASLEEP_FOR_LONG = (
    LogLevel.info,
    "Vassal {vassal} sleeps, as it wished, until a router has a request for it or its file "
    "changes; with on-demand = ADDRESS in its section [emperor] any connection would wake it",
)
_RESTING = {
    Rest.COMMAND: (LogLevel.info, "Vassal {vassal} waits for a command, or for a request"),
    Rest.STOPPED: (LogLevel.info, "Vassal {vassal} is stopped until a command starts it"),
}

_DEAD_ZERG = (LogLevel.warn, "Vassal {vassal} died: {ending}")


class Chronicle:
    """
    Writes down what happens to vassals.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._asked_at: dict[object, float] = {}
        self._seen: dict[object, VassalStatus] = {}

    def record(self, status: VassalStatus) -> None:
        """
        Log a vassal's new status.
        """
        before = self._seen.pop(status.id, None)
        if status.phase is not Phase.GONE:
            self._seen[status.id] = status
        if before is None or (before.phase, before.since) != (status.phase, status.since):
            self._record_phase(status, before)
        if status.trouble and (before is None or before.trouble != status.trouble):
            self._record_trouble(status)

    def _record_phase(self, status: VassalStatus, before: VassalStatus | None) -> None:
        if before is not None and before.phase is Phase.RENEWING and before.pid == status.pid:
            self._asked_at.pop(status.id, None)
            if status.phase is Phase.ACCEPTING:  # As it did before.
                return
        if status.phase in (Phase.STARTING, Phase.RENEWING):
            self._asked_at[status.id] = status.since
        if status.phase is Phase.RELOADING:  # Renewed, it has been asked before.
            self._asked_at.setdefault(status.id, status.since)
        seconds = status.since - self._asked_at.get(status.id, status.since)
        if status.phase in (Phase.ACCEPTING, Phase.GONE):
            self._asked_at.pop(status.id, None)
        if status.phase is Phase.ASLEEP:
            own_wish = _ASLEEP if status.held else _ASLEEP_FOR_LONG
            self._write(*_RESTING.get(status.rest, own_wish), status, 0)
        elif status.zerg and status.phase in (Phase.HELD_BACK, Phase.EXILED):
            self._write(*_DEAD_ZERG, status, 0)
        elif status.phase in _SENTENCES and not _is_refused(status):
            self._write(*_SENTENCES[status.phase], status, round(seconds, 3))

    def _record_trouble(self, status: VassalStatus) -> None:
        """
        Say what is wrong together with what the vassal said, which may stand far
        above in the log.
        """
        self._log.error(
            "Vassal {vassal}: {trouble} ({failed} failed reloads); it said last: {said}",
            vassal=shown(status.id.name),
            trouble=shown(status.trouble),
            failed=status.failed_reloads,
            said="".join(f"\n    {shown(line)}" for line in status.said) or "nothing",
        )

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
            successor=status.successor,
            wait=round(wait, 1) if wait > 0 else 0,
            ending=status.ending,
        )


def _is_refused(status: VassalStatus) -> bool:
    """
    Whether it could not be started: its end comes at once, with the reason.
    """
    if status.phase is Phase.STARTING:
        return not status.pid
    return status.phase is Phase.RENEWING and not status.successor
