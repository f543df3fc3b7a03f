"""
Starts the process of a vassal exactly as a uWSGI Emperor would.

The vassal finds: C{/dev/null} as its standard input, or the socket where the
Emperor listens for it (L{emperor.vassals.doors}), our log as its output, its end of
the pipe as descriptor L{PIPE}, what it inherits from L{SOCKETS} on, and nothing else
open; the directory of its monitor as working directory; argv and environment as
L{emperor.vassals.commandline} has them.

It leads a session of its own: Ctrl-C in a terminal goes to every process of the
foreground group, and would end vassals whose requests are still in flight.
The program C{setsid} of util-linux makes the session and then executes the
vassal in its place, so that pid and argv stay what they are.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.internet.interfaces import IAddress, IReactorProcess, IReactorSocket, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from emperor.config.settings import EmperorSettings
from emperor.vassals.commandline import Program, argv, environment
from emperor.vassals.doors import NO_DOOR, Closed, Door
from emperor.vassals.link import Link
from emperor.vassals.process import Listener, VassalProcess
from emperor.vassals.program import NoProgram, find_program
from emperor.vassals.spec import VassalSpec, shown
from emperor.vassals.survivors import kill_group, kill_holders

#: The vassal's descriptor of the pipe.
PIPE = 3

#: The first one of the sockets that it inherits, in their order.
SOCKETS = 4


class LaunchFailed(Exception):
    """
    The process could not be started; the text says why.
    """


class Spawner(IReactorProcess, IReactorSocket, IReactorTime):
    """
    What is needed of a reactor.
    """


class Launched(Protocol):
    """
    A vassal's process as the one who controls it sees it.
    """

    @property
    def pid(self) -> int:
        """
        Of its first process.
        """

    @property
    def silent(self) -> bool:
        """
        Whether it never said a word.
        """

    def reload(self) -> bool:
        """
        Ask for a reload; L{False} if it cannot have heard.
        """

    @property
    def last_lines(self) -> tuple[str, ...]:
        """
        What it printed last.
        """

    def stop(self, gently: bool = False) -> None:
        """
        Ask it to leave; C{gently}: after the requests in flight.
        """

    def kill(self) -> None:
        """
        End it now.
        """


class _PipeFactory(ServerFactory):
    """
    Gives the pipe of one vassal its protocol.
    """

    noisy = False

    def __init__(self, link: Link) -> None:
        self._link = link

    def buildProtocol(self, addr: IAddress | None) -> Link:
        """
        The other end is known already.
        """
        return self._link


class Launcher:
    """
    Starts vassals with the settings they share.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Spawner,
        settings: EmperorSettings,
        environ: Mapping[str, str],
        *,
        find: Callable[[str], Program] = find_program,
        kill_holders: Callable[[int], object] = kill_holders,
        kill_group: Callable[[int], object] = kill_group,
    ) -> None:
        """
        @param environ: what vassals inherit; usually C{os.environ}.
        @param find: from C{binary-path} to the program; it is asked at every
            start, so that an upgrade needs no restart of ours.
        """
        self._reactor = reactor
        self._settings = settings
        self._environ = environ
        self._find = find
        self._kill_holders = kill_holders
        self._kill_group = kill_group
        self._setsid = shutil.which("setsid", path=environ.get("PATH"))

    def launch(self, spec: VassalSpec, listener: Listener, door: Door = NO_DOOR) -> VassalProcess:
        """
        Start the process of a vassal.

        @param door: its standard input, where the Emperor listens for it.
        @raise LaunchFailed: there is no program or no directory, or the
            system has no room for another process.
        """
        program = self._program(spec)
        listening = self._listening(door)
        ours, theirs = self._pipe()
        with ours, theirs:
            process = self._process(spec, listener, os.fstat(theirs.fileno()).st_ino)
            try:
                self._reactor.adoptStreamConnection(
                    ours.fileno(), socket.AF_UNIX, _PipeFactory(process.link)
                )
                self._spawn(spec, program, process, theirs.fileno(), listening)
            except Exception as error:  # Also what is no OSError must not stop the others.
                process.link.close()
                why = getattr(error, "strerror", None) or str(error)
                raise LaunchFailed(f"{program.path}: {why}") from error
        return process

    def _program(self, spec: VassalSpec) -> Program:
        try:
            os.stat(os.path.join(spec.directory, "."))
            return self._find(self._settings.binary)
        except NoProgram as error:
            raise LaunchFailed(str(error)) from error
        except OSError as error:
            raise LaunchFailed(f"{spec.directory}: {error.strerror}") from error

    def _listening(self, door: Door) -> int | None:
        try:
            return door.listening()
        except Closed as error:
            raise LaunchFailed(str(error)) from error

    def _pipe(self) -> tuple[socket.socket, socket.socket]:
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError as error:
            raise LaunchFailed(f"no pipe to it: {error.strerror}") from error
        ours.setblocking(False)
        return ours, theirs

    def _process(self, spec: VassalSpec, listener: Listener, inode: int) -> VassalProcess:
        name = shown(spec.id.name)

        def log_line(line: str) -> None:
            self._log.info("{vassal}: {line}", vassal=name, line=line)

        return VassalProcess(
            self._reactor,
            listener,
            log_line,
            kill_holders=self._kill_holders,
            kill_group=self._kill_group,
            inode=inode,
        )

    def _spawn(
        self,
        spec: VassalSpec,
        program: Program,
        process: VassalProcess,
        pipe: int,
        listening: int | None,
    ) -> None:
        words = argv(program, spec.id.name, self._settings)
        if spec.arguments:
            words = [program.path, *program.arguments, *spec.arguments]
        executable = program.path
        if self._setsid is not None:
            executable, words = self._setsid, [self._setsid, *words]
        variables = environment(self._environ, PIPE)
        sockets = {number: each.fileno() for number, each in enumerate(spec.sockets, SOCKETS)}
        with open(os.devnull, "r+b", buffering=0) as nothing:
            stdin = nothing.fileno() if listening is None else listening
            self._reactor.spawnProcess(
                process,
                os.fsencode(executable),
                [os.fsencode(word) for word in words],
                {os.fsencode(key): os.fsencode(value) for key, value in variables.items()},
                os.fsencode(spec.directory),
                childFDs={0: stdin, 1: "r", 2: "r", PIPE: pipe, **sockets},
            )
