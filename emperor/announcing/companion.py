"""
A program whose node is announced while it runs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.error import ConnectingCancelledError, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.announcing.service import Announcer
from emperor.announcing.waiting import until_accepting


class _Child(ProcessProtocol):
    """
    The running program.

    @ivar ended: fires with its status, as a shell has it.
    """

    def __init__(self) -> None:
        self.ended: Deferred[int] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        """
        It has gone.
        """
        ending: Any = reason.value
        self.ended.callback(128 + ending.signal if ending.signal else ending.exitCode or 0)


class Companion:
    """
    Starts a program, announces its node when it accepts, and leaves first when
    both are to end.
    """

    _log = Logger()

    def __init__(self, reactor: Any, announcer: Announcer) -> None:
        self._reactor = reactor
        self._announcer = announcer
        self._stopping = False

    async def run(self, program: Sequence[str], address: str) -> int:
        """
        @param address: where the node accepts connections.
        @return: the status of the program; 0 if it was asked to end.
        """
        child = _Child()
        descriptors = {0: 0, 1: 1, 2: 2}
        process = self._reactor.spawnProcess(
            child, program[0], program, env=os.environ, childFDs=descriptors
        )
        gone: Deferred[None] = Deferred()
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop, process, gone)
        waiting = ensureDeferred(self._announce(address))
        waiting.addErrback(lambda failure: self._log.failure("Cannot wait for it", failure))
        status = await child.ended
        waiting.cancel()
        if self._announcer.running:
            await self._announcer.stopService()
        gone.callback(None)
        return 0 if self._stopping else status

    async def _announce(self, address: str) -> None:
        try:
            await until_accepting(self._reactor, address)
        except (CancelledError, ConnectingCancelledError):
            return
        if not self._stopping:
            self._announcer.startService()

    async def _leave(self, process: Any) -> None:
        if self._announcer.running:
            await self._announcer.stopService()
        try:
            process.signalProcess("TERM")
        except ProcessExitedAlready:
            self._log.debug("The program has ended by itself")

    def _stop(self, process: Any, gone: Deferred[None]) -> Deferred[None]:
        self._stopping = True
        return ensureDeferred(self._leave(process)).addCallback(lambda _: gone)
