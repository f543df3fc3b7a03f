"""
Fakes for what surrounds the Emperor: a monitor, a realm, and a reactor whose
processes exist in memory only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from socket import socket
from typing import Any, cast

from twisted.internet.error import (
    ConnectionDone,
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.interfaces import (
    IAddress,
    IProcessProtocol,
    IProcessTransport,
)
from twisted.internet.protocol import ProcessProtocol, Protocol, ServerFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.addresses import SocketAddress
from emperor.config.doorways import Doorway
from emperor.interfaces import IMonitor, IRealm
from emperor.vassals.doors import Closed
from emperor.vassals.launcher import Spawner
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.wire.keeping import PIPE, Start
from emperor.wire.vassal import Said, parse_configuration


def make_spec(
    name: str = "hello.ini",
    fingerprint: object = 1,
    monitor: str = "dir:///v",
    directory: str = "/",
    modified: float = 0,
) -> VassalSpec:
    """
    A vassal that somebody could want.
    """
    return VassalSpec(VassalId(monitor, name), directory, fingerprint, modified=modified)


@implementer(IMonitor)
class MemoryMonitor:
    """
    A monitor that wants what a test tells it to.

    @ivar rescans: how often it was told to look.
    """

    def __init__(self, source: str = "dir:///v", specs: Iterable[VassalSpec] = ()) -> None:
        self.source = source
        self.specs = tuple(specs)
        self.rescans = 0
        self.realm: IRealm | None = None

    def start(self, realm: IRealm) -> None:
        """
        Report what is wanted from the start.
        """
        self.realm = realm
        self.want(*self.specs)

    def rescan(self) -> None:
        """
        Report again.
        """
        self.rescans += 1
        self.want(*self.specs)

    def stop(self) -> None:
        """
        Report nothing more.
        """
        self.realm = None

    def want(self, *specs: VassalSpec) -> None:
        """
        Want these from now on.
        """
        self.specs = specs
        if self.realm is not None:
            self.realm.wanted(self.source, specs)

    def break_down(self, reason: str = "it is broken") -> None:
        """
        Be unreadable.
        """
        if self.realm is not None:
            self.realm.unavailable(self.source, reason)


@implementer(IRealm)
class MemoryRealm:
    """
    A realm that writes down what monitors report.

    @ivar reports: for each call of C{wanted} the specs.
    @ivar troubles: for each call of C{unavailable} the reason.
    """

    def __init__(self) -> None:
        self.reports: list[tuple[VassalSpec, ...]] = []
        self.troubles: list[str] = []

    def wanted(self, source: str, specs: Iterable[VassalSpec]) -> None:
        """
        Keep a report.
        """
        self.reports.append(tuple(specs))

    def unavailable(self, source: str, reason: str) -> None:
        """
        Keep a reason.
        """
        self.troubles.append(reason)

    @property
    def names(self) -> list[str]:
        """
        The names in the last report, sorted.
        """
        return sorted(spec.id.name for spec in self.reports[-1])


@implementer(IProcessTransport)
@dataclass(eq=False)
class MemoryProcess:
    """
    A vassal's process as the test drives it.

    @ivar signals: those it received.
    @ivar link: our end of its pipe.
    @ivar transport: what was written to it.
    @ivar paused: whether its output is not read at the moment.
    @ivar order: what a keeper would have been told; L{None} if there was none.
    @ivar config: what was written to its second pipe; L{None} if it has none.
    """

    protocol: IProcessProtocol
    pid: int
    argv: list[str]
    env: dict[str, str]
    directory: str
    fds: dict[int, Any]
    link: Any
    transport: StringTransport
    signals: list[str] = field(default_factory=list)
    paused: bool = False
    gone: bool = False
    order: Start | None = None
    config: StringTransport | None = None

    @property
    def configurations(self) -> list[bytes]:
        """
        What was sent as its configuration, each time.
        """
        assert self.config is not None
        found, rest = [], self.config.value()
        while (parsed := parse_configuration(rest)) is not None:
            body, rest = parsed
            found.append(body)
        return found

    @property
    def orders(self) -> list[int]:
        """
        The bytes that the Emperor sent.
        """
        return list(self.transport.value())

    def says(self, *words: Said) -> None:
        """
        Write into the pipe.
        """
        self.link.dataReceived(bytes(words))

    def prints(self, data: bytes, fd: int = 1) -> None:
        """
        Print something.
        """
        self.protocol.childDataReceived(fd, data)

    def hangs_up(self) -> None:
        """
        Close the pipe.
        """
        self.link.connectionLost(Failure(ConnectionDone()))

    def leaves(self, code: int = 0, signal: int | None = None) -> None:
        """
        Exit, while somebody else may hold the pipe and the output.
        """
        self.gone, self.pid = True, 0
        self.protocol.processExited(self._reason(code, signal))

    def ends(self, code: int = 0, signal: int | None = None) -> None:
        """
        Exit, and all that belongs to it with it.
        """
        self.leaves(code, signal)
        self.hangs_up()
        self.protocol.childConnectionLost(1)
        self.protocol.childConnectionLost(2)
        self.protocol.processEnded(self._reason(code, signal))

    def signalProcess(self, signalID: str | int) -> None:
        """
        Note a signal; nothing dies of it by itself.
        """
        if self.gone:
            raise ProcessExitedAlready()
        self.signals.append(str(signalID))

    def pauseProducing(self) -> None:
        """
        Read its output no more.
        """
        self.paused = True

    def resumeProducing(self) -> None:
        """
        Read its output again.
        """
        self.paused = False

    def loseConnection(self) -> None:
        """
        Stop reading its output.
        """
        if self.gone:
            self.protocol.processEnded(self._reason(0, None))

    def closeStdin(self) -> None:
        """
        There is none.
        """

    def closeStdout(self) -> None:
        """
        Nobody reads it.
        """

    def closeStderr(self) -> None:
        """
        Nobody reads it.
        """

    def closeChildFD(self, descriptor: int) -> None:
        """
        Nobody reads it.
        """

    def write(self, data: bytes) -> None:
        """
        Its standard input is not ours.
        """

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        Its standard input is not ours.
        """

    def getHost(self) -> IAddress:
        """
        A process has none.
        """
        raise NotImplementedError

    def getPeer(self) -> IAddress:
        """
        A process has none.
        """
        raise NotImplementedError

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """
        There is no such pipe.
        """

    @staticmethod
    def _reason(code: int, signal: int | None) -> Failure:
        if code == 0 and signal is None:
            return Failure(ProcessDone(0))
        return Failure(ProcessTerminated(None if signal else code, signal))


class MemoryDoor:
    """
    A door at which a test knocks.

    @ivar fault: why the socket cannot be opened; empty: it can.
    @ivar closed: whether it is closed for good.
    """

    def __init__(self, doorway: Doorway, fault: str = "") -> None:
        self.doorway = doorway
        self.fault = fault
        self.closed = False
        self._knocked: Callable[[], object] | None = None

    @property
    def address(self) -> SocketAddress:
        """
        Where it is.
        """
        return self.doorway.address

    @property
    def on_demand(self) -> bool:
        """
        Whether the vassal may sleep.
        """
        return self.doorway.on_demand and not self.fault

    @property
    def watched(self) -> bool:
        """
        Whether somebody waits for a knock.
        """
        return self._knocked is not None

    def listening(self) -> int:
        """
        A descriptor that nobody looks at.
        """
        if self.fault:
            raise Closed(self.fault)
        return 77

    def watch(self, knocked: Callable[[], object]) -> Callable[[], None]:
        """
        Wait for L{knock}.
        """
        self._knocked = knocked
        return self._rest

    def change(self, doorway: Doorway) -> None:
        """
        Be on demand, or not.
        """
        self.doorway = doorway

    def close(self) -> None:
        """
        Be closed.
        """
        self.closed = True
        self._rest()

    def knock(self) -> None:
        """
        Somebody connects.
        """
        knocked, self._knocked = self._knocked, None
        if knocked is not None:
            knocked()

    def _rest(self) -> None:
        self._knocked = None


@implementer(Spawner)
class MemorySpawner(Clock):
    """
    A reactor with a clock, whose processes exist in memory only.

    @ivar processes: all that were ever spawned.
    @ivar fault: raised by the next attempts, to play an exhausted system.
    @ivar pipe_fault: raised when the next pipes are adopted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[MemoryProcess] = []
        self.fault: Exception | None = None
        self.pipe_fault: Exception | None = None
        self._adopted: list[tuple[Any, StringTransport]] = []

    @property
    def last(self) -> MemoryProcess:
        """
        The process spawned last.
        """
        return self.processes[-1]

    def named(self, name: str) -> MemoryProcess:
        """
        The last process of the vassal called C{name}.
        """
        return next(process for process in reversed(self.processes) if name in process.argv)

    def spawnProcess(  # noqa: PLR0917
        self,
        processProtocol: IProcessProtocol,
        executable: bytes | str,
        args: Sequence[bytes | str] = (),
        env: Mapping[Any, Any] | None = None,
        path: bytes | str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | tuple[int, int, str] = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> IProcessTransport:
        """
        Note everything; the pipe is the connection adopted before.
        """
        return self._add(
            processProtocol,
            [os.fsdecode(word) for word in args],
            {os.fsdecode(key): os.fsdecode(value) for key, value in (env or {}).items()},
            os.fsdecode(path or ""),
            dict(childFDs or {}),
        )

    def start(self, process: ProcessProtocol, order: Start, descriptors: Sequence[int]) -> None:
        """
        Note everything as well: see L{emperor.vassals.keeping.Starter}.
        """
        argv = [order.programs[0], *order.argv]
        stdin, *others = descriptors
        fds: dict[int, Any] = {0: stdin, 1: "r", 2: "r", **dict(enumerate(others, PIPE))}
        self._add(process, argv, dict(order.environ), order.directory, fds).order = order

    def _add(
        self,
        protocol: IProcessProtocol,
        argv: list[str],
        env: dict[str, str],
        directory: str,
        fds: dict[int, Any],
    ) -> MemoryProcess:
        adopted, self._adopted = self._adopted or [(None, StringTransport())], []
        if self.fault is not None:
            raise self.fault
        pid = 1000 + len(self.processes)
        process = MemoryProcess(protocol, pid, argv, env, directory, fds, *adopted[0])
        if adopted[1:]:
            process.config = adopted[1][1]
        self.processes.append(process)
        protocol.makeConnection(process)
        return process

    def adopt(self, end: socket, protocol: Protocol) -> None:
        """
        Connect a protocol to memory: of a vassal the pipe, then the second one.
        """
        if self.pipe_fault is not None:
            raise self.pipe_fault
        transport = StringTransport()
        protocol.makeConnection(transport)
        self._adopted.append((protocol, transport))

    def adoptStreamConnection(
        self, fileDescriptor: int, addressFamily: int, factory: ServerFactory
    ) -> None:
        """
        Connect to memory what a process of another kind is told.
        """
        protocol = factory.buildProtocol(None)
        assert protocol is not None
        with socket() as end:
            self.adopt(end, cast(Protocol, protocol))

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """
        Not needed by anything that starts vassals.
        """
        raise NotImplementedError

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Any:
        """
        Not needed by anything that starts vassals.
        """
        raise NotImplementedError
