"""
Starts the process of a vassal exactly as a uWSGI Emperor would.

The vassal finds: C{/dev/null} as its standard input, or the socket where the
Emperor listens for it (L{emperor.vassals.doors}), our log as its output, its end of
the pipe as descriptor L{PIPE}, what it inherits from L{SOCKETS} on, then the pipe with
its configuration if it has no file, and nothing else open; the directory of its
monitor as working directory; argv and environment as L{emperor.vassals.commandline}
has them.

If it asks for C{listen-fds}, the listening socket is descriptor L{PIPE}, as systemd
would have it, and what follows moves on by one.

It leads a session of its own: Ctrl-C in a terminal goes to every process of the
foreground group, and would end vassals whose requests are still in flight.  The
keeper makes its process (L{emperor.vassals.keeping}), and sees to its end.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Protocol as Interface

from twisted.internet.interfaces import IReactorProcess, IReactorSocket, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.logger import Logger

from emperor.config.settings import EmperorSettings
from emperor.descriptors import NoRoom, check_room
from emperor.vassals.commandline import Program
from emperor.vassals.configpipe import ConfigPipe
from emperor.vassals.doors import NO_DOOR, Closed, Door
from emperor.vassals.hooks import NO_HOOKS, IHooks
from emperor.vassals.keeping import Starter
from emperor.vassals.process import Ending, Listener, VassalProcess
from emperor.vassals.program import find_program
from emperor.vassals.recipe import LaunchFailed, Read, Recipes, no_attributes, occasion
from emperor.vassals.spec import VassalSpec, shown
from emperor.wire.hooks import Command
from emperor.wire.keeping import PIPE, Start
from emperor.wire.rights import User

__all__ = ["PIPE", "SOCKETS", "LaunchFailed", "Launched", "Launcher", "Spawner"]

#: The first one of the sockets that a vassal inherits, in their order.
SOCKETS = PIPE + 1


class Spawner(IReactorProcess, IReactorSocket, IReactorTime):
    """
    What is needed of a reactor.
    """


class PipeStarter(Starter, Interface):
    """
    Who makes processes that we have pipes to.
    """

    def adopt(self, end: socket.socket, protocol: Protocol) -> None:
        """
        Connect C{protocol} to our end of a pipe, which stays the caller's to close.
        """


class Launched(Interface):
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

    def reload(self, spec: VassalSpec) -> bool:
        """
        Ask for a reload, to be as C{spec} says; L{False} if it cannot have heard, or
        that is not enough.
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


class _Told:
    """
    Hears of a process what somebody else hears, and does something at its end.
    """

    def __init__(self, listener: Listener, has_gone: Callable[[], object]) -> None:
        self.said = listener.said
        self.exited = listener.exited
        self._over = listener.over
        self._has_gone = has_gone

    def over(self, ending: Ending) -> None:
        """
        Nothing of it is left.
        """
        self._has_gone()
        self._over(ending)


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
        starter: PipeStarter,
        *,
        find: Callable[[str], Program] = find_program,
        read: Read = no_attributes,
        hooks: IHooks = NO_HOOKS,
        is_proxy: Callable[[VassalSpec], bool] = lambda spec: False,
        told: Callable[[VassalSpec, User], object] = lambda spec, user: None,
    ) -> None:
        """
        @param environ: what vassals inherit; usually C{os.environ}.
        @param find: from C{binary-path} to the program; it is asked at every
            start, so that an upgrade needs no restart of ours.
        @param starter: makes the processes; usually a
            L{emperor.vassals.keeping.Keeper}.
        @param read: what a vassal's file says to the Emperor.
        @param hooks: runs the Emperor's commands.
        @param is_proxy: whether a vassal's file says that it hands its pipe on.
        @param told: hears of each process that is started, and whose it is.
        """
        self._reactor = reactor
        self._starter = starter
        self._launch = settings.launch
        self._recipes = Recipes(settings, environ, find, read)
        self._hooks = hooks
        self._is_proxy = is_proxy
        self._told = told

    def launch(self, spec: VassalSpec, listener: Listener, door: Door = NO_DOOR) -> VassalProcess:
        """
        Start the process of a vassal.

        @param door: its standard input, where the Emperor listens for it.
        @raise LaunchFailed: there is no program or no directory, it must not
            be started, or the system has no room for another process.
        """
        held = door.address is not None
        order = self._recipes.make(spec, held)
        listening = self._listening(door)
        body = spec.config
        config = ConfigPipe(self._reactor, body) if body is not None else None
        with ExitStack() as ends, open(os.devnull, "r+b", buffering=0) as nothing:
            ours, theirs = self._pipe(ends)
            process = VassalProcess(
                self._reactor,
                self._at_its_end(listener, spec, order.rights.user),
                partial(self._log_line, shown(spec.id.name)),
                os.fstat(theirs.fileno()).st_ino,
                # Not the order itself: its environment alone would take 8 kB for each.
                is_same=partial(self._is_same, hash(order), held),
                config=config,
                is_proxy=self._is_proxy(spec),
            )
            try:
                self._starter.adopt(ours, process.link)
                given = [theirs.fileno(), *(each.fileno() for each in spec.sockets)]
                if config is not None:
                    given.append(self._lend(ends, config))
                first = _first(nothing.fileno(), listening, order.listens)
                self._starter.start(process, order, [*first, *given])
            except Exception as error:  # Also what is no OSError must not stop the others.
                process.close()
                why = getattr(error, "strerror", None) or str(error)
                raise LaunchFailed(f"{order.programs[0]}: {why}") from error
        self._has_started(spec, order, process.pid)
        return process

    def _has_started(self, spec: VassalSpec, order: Start, pid: int) -> None:
        self._told(spec, order.rights.user or User(os.geteuid(), os.getegid()))
        if not spec.is_instance:
            self._hooks.run(self._launch.as_emperor, occasion(spec, order.rights.user, pid))

    def _at_its_end(self, listener: Listener, spec: VassalSpec, user: User | None) -> Listener:
        """
        Who hears of its process, and runs the hook for its end if there is one.
        """
        if not self._launch.stop_hook or spec.is_instance:
            return listener
        return _Told(listener, partial(self._has_gone, spec, user))

    def _has_gone(self, spec: VassalSpec, user: User | None) -> None:
        command = Command("vassals-stop-hook", (self._launch.stop_hook, spec.word))
        self._hooks.run([command], occasion(spec, user))

    def _listening(self, door: Door) -> int | None:
        try:
            return door.listening()
        except Closed as error:
            raise LaunchFailed(str(error)) from error

    def _pipe(self, ends: ExitStack) -> tuple[socket.socket, socket.socket]:
        try:
            check_room()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        except NoRoom as error:
            raise LaunchFailed(str(error)) from error
        except OSError as error:
            raise LaunchFailed(f"no pipe to it: {error.strerror}") from error
        ours.setblocking(False)
        return ends.enter_context(ours), ends.enter_context(theirs)

    def _lend(self, ends: ExitStack, end: Protocol) -> int:
        """
        A further pipe, one of whose ends is C{end}.

        @return: the descriptor of the other one.
        """
        ours, theirs = self._pipe(ends)
        self._starter.adopt(ours, end)
        return theirs.fileno()

    def _log_line(self, name: str, line: str) -> None:
        self._log.info("{vassal}: {line}", vassal=name, line=line)

    def _is_same(self, before: int, held: bool, now: VassalSpec) -> bool:
        """
        Whether a vassal as it is now would be started by the order with that hash.
        """
        if now.is_zerg:  # uWSGI gets its parent's sockets at a start only.
            return False
        try:
            return hash(self._recipes.make(now, held)) == before
        except LaunchFailed:
            return False


def _first(nothing: int, listening: int | None, listens: bool) -> list[int]:
    """
    A vassal's standard input and what comes before its pipe.  The socket is only one
    of both: who knows either way would listen twice.
    """
    if listening is None:
        return [nothing]
    return [nothing, listening] if listens else [listening]
