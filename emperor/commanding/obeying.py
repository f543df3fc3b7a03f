"""
What is done with a command.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from emperor.vassals.emperor import Emperor
from emperor.vassals.spec import VassalId, shown
from emperor.wire.commands import CommandReply, VassalCommand, Verb

#: Characters of a message that are logged.
TEXT_LIMIT = 1024

#: Vassals that an answer names.
NAMED = 8


class Obedience:
    """
    Lets the Emperor do what it is told.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, emperor: Emperor) -> None:
        self._clock = clock
        self._emperor = emperor
        self._looking: IDelayedCall | None = None

    def stop(self) -> None:
        """
        Do nothing any more.
        """
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def obey(self, command: VassalCommand) -> CommandReply:
        """
        Do what is asked for.
        """
        if not self._emperor.running:
            return CommandReply(False, "the program stops")
        if command.verb is Verb.LOG:
            return self._write(command.text)
        if command.verb is Verb.RESCAN:
            return self._rescan()
        ids = [id for id in self._emperor.named(command.vassal) if self._is_meant(id, command)]
        if not ids:
            return CommandReply(False, self._unknown(command))
        do = self._action(command)
        for id in ids:
            do(id)
        return CommandReply(True, self._done(command, ids))

    def _is_meant(self, id: VassalId, command: VassalCommand) -> bool:
        # A zerg goes by its parent.
        return _is_of(command.monitor, id) and not self._emperor.spec(id).is_zerg

    def _action(self, command: VassalCommand) -> Callable[[VassalId], object]:
        emperor = self._emperor
        if command.verb is Verb.SPAWN:
            return emperor.wake if command.by_request else emperor.retry
        return emperor.stop if command.verb is Verb.STOP else emperor.respawn

    def _write(self, text: str) -> CommandReply:
        cut = text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}…"
        self._log.info("{text}", text=shown(cut))
        return CommandReply(True, "logged")

    def _rescan(self) -> CommandReply:
        if self._looking is None:  # However many ask in one turn of the reactor.
            self._looking = self._clock.callLater(0, self._look)
        return CommandReply(True, "every monitor looks")

    def _look(self) -> None:
        self._looking = None
        self._emperor.rescan()

    @staticmethod
    def _unknown(command: VassalCommand) -> str:
        whose = f" of the monitor {shown(command.monitor)}" if command.monitor else ""
        return (
            f"there is no vassal {shown(command.vassal)}{whose}; accepted: its name as the log "
            "and the statistics show it"
        )

    @staticmethod
    def _done(command: VassalCommand, ids: list[VassalId]) -> str:
        monitors = ", ".join(shown(id.monitor) for id in ids[:NAMED])
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        return f"{command.verb.value} {shown(command.vassal)} of {monitors}{more}"


def _is_of(monitor: str, id: VassalId) -> bool:
    """
    @param monitor: its source, with or without the scheme; empty: any.
    """
    return not monitor or monitor in (id.monitor, id.monitor.partition("://")[2])
