"""
The process of a vassal that is a child of the keeper.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.process import ProcessReader
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure


class CouldNotBecome(Exception):
    """
    A process ended before it could execute its program; the text says why.
    """


class KeptProcess:
    """
    The transport of a vassal's process.

    @ivar pid: of the first process; L{None} when that has gone.
    """

    def __init__(
        self,
        reactor: Any,
        protocol: ProcessProtocol,
        pid: int,
        outputs: Mapping[int, int],
        kill: Callable[[int], object],
    ) -> None:
        """
        @param outputs: our ends of what it prints to, by its own descriptors.
        @param kill: sends it a signal.
        """
        self.pid: int | None = pid
        self._protocol = protocol
        self._kill = kill
        self._reason: Failure | None = None
        self._is_over = self._has_ended = False
        self._readers = {
            name: ProcessReader(reactor, self, name, fd) for name, fd in outputs.items()
        }
        protocol.makeConnection(self)

    def signalProcess(self, signalID: str | int) -> None:
        """
        Send a signal to the first process; SIGKILL is for all of them.

        @raise ProcessExitedAlready: it has gone.
        """
        if self.pid is None:
            raise ProcessExitedAlready
        number = signal.Signals[f"SIG{signalID}"] if isinstance(signalID, str) else signalID
        self._kill(number)

    def pauseProducing(self) -> None:
        """
        Read its output no more.
        """
        for reader in self._readers.values():
            reader.stopReading()

    def resumeProducing(self) -> None:
        """
        Read its output again.
        """
        for reader in self._readers.values():
            reader.startReading()

    def loseConnection(self) -> None:
        """
        Stop reading its output.
        """
        for reader in list(self._readers.values()):
            reader.loseConnection()

    def childDataReceived(self, name: int, data: bytes) -> None:
        """
        It printed something.
        """
        self._protocol.childDataReceived(name, data)

    def childConnectionLost(self, name: int, reason: Failure) -> None:
        """
        Nobody can print to this output any more, or we do not read it.
        """
        del self._readers[name]
        self._protocol.childConnectionLost(name)
        self._end_if_over()

    def left(self, reason: Failure) -> None:
        """
        The first process has gone.
        """
        self.pid, self._reason = None, reason
        self._protocol.processExited(reason)

    def over(self) -> None:
        """
        So has everything that came from it.
        """
        self._is_over = True
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._has_ended or not self._is_over or self._readers or self._reason is None:
            return
        self._has_ended = True
        self._protocol.processEnded(self._reason)
