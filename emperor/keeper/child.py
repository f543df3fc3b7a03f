"""
What a new process does between fork and exec.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from emperor.identity import groups_of
from emperor.keeper.family import MARK
from emperor.keeper.groups import Group
from emperor.keeper.hooks import HookFailed, run
from emperor.keeper.kernel import bound_capabilities, die_with
from emperor.wire.hooks import Command
from emperor.wire.keeping import PIPE, Start
from emperor.wire.rights import ResourceLimit, Rights, User

#: Bytes of a report of what went wrong.
REPORT_LIMIT = 4096

#: The exit code of a process that could not execute its program.
FAILED = 1


class CannotBecome(Exception):
    """
    The process cannot become a vassal; the text says why.
    """


def become(
    order: Start,
    descriptors: Sequence[int],
    report: int,
    *,
    keeper: int,
    mark: str,
    group: Group | None,
) -> NoReturn:
    """
    Become a vassal's first process.

    @param descriptors: its own, from 0 on.
    @param report: a pipe that is told why it failed; closed if it did not.
    @param keeper: the parent, with which it dies.
    """
    why = ""
    try:
        report = _take(descriptors, report)
        _prepare(order, range(PIPE, len(descriptors)), keeper, mark, group)
        _execute(order, mark)
    except CannotBecome as error:
        why = str(error)
    except BaseException as error:  # Whatever it is, two keepers must not run on.
        why = f"{type(error).__name__}: {error}"
    finally:
        with suppress(OSError):
            os.write(report, os.fsencode(why)[:REPORT_LIMIT])
        os._exit(FAILED)


def _prepare(
    order: Start, private: Sequence[int], keeper: int, mark: str, group: Group | None
) -> None:
    if group is not None:
        group.enter()
    os.setsid()
    _hear_signals()
    die_with(keeper)
    _try(order.directory, os.chdir, os.fsencode(order.directory))
    _run(order, order.hooks.before, mark, private)
    _take_rights(order.rights)
    die_with(keeper)
    _run(order, order.hooks.after, mark, private)
    if order.chdir:
        _try(order.chdir, os.chdir, os.fsencode(order.chdir))


def _run(order: Start, commands: Sequence[Command], mark: str, private: Sequence[int]) -> None:
    """
    Run hooks; they get neither the pipes to the program nor sockets.
    """
    if not commands:
        return
    for descriptor in private:
        os.set_inheritable(descriptor, False)
    environ = _encoded((*order.environ, *order.hooks.environ, (MARK, mark)))
    for command in commands:
        try:
            run(command, environ, order.hooks.limit)
        except HookFailed as error:
            if command.fatal:
                raise CannotBecome(str(error)) from error
            print(error, file=sys.stderr, flush=True)
    for descriptor in private:
        os.set_inheritable(descriptor, True)


def _encoded(environ: Sequence[tuple[str, str]]) -> dict[bytes, bytes]:
    return {os.fsencode(key): os.fsencode(value) for key, value in environ}


def _take_rights(rights: Rights) -> None:
    """
    Become who it is to be.  Limits come last: a user cannot raise them, and
    root may.
    """
    if rights.capabilities is not None:
        _try("emperor-cap", bound_capabilities, rights.capabilities.numbers)
    if rights.user is not None:
        _try(f"cannot become user {rights.user.uid}", _become_user, rights.user)
    for limit in rights.resources:
        _try(f"rlimit-{limit.name}", _limit, limit, rights.user is not None)


def _try(what: str, call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except (OSError, ValueError) as error:
        raise CannotBecome(f"{what}: {getattr(error, 'strerror', '') or error}") from error


def _become_user(user: User) -> None:
    os.setgroups(groups_of(user))
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)


def _limit(limit: ResourceLimit, only_lower: bool) -> None:
    number = getattr(resource, f"RLIMIT_{limit.name.upper()}")
    value = limit.value
    if only_lower:
        highest = resource.getrlimit(number)[1]
        value = min((value, highest), key=_size)
    resource.setrlimit(number, (value, value))


def _size(value: int) -> float:
    return float("inf") if value == resource.RLIM_INFINITY else value


def _hear_signals() -> None:
    """
    Undo what the keeper, and Python, do not want to hear; a signal that came
    meanwhile acts now.
    """
    for number in signal.valid_signals():
        if signal.getsignal(number) is not signal.SIG_DFL:
            with suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _take(descriptors: Sequence[int], report: int) -> int:
    """
    Make these the descriptors from 0 on, the report the one after them, and
    close all others.
    """
    end = len(descriptors)
    # First out of the way: one may have the number that another one is to get.
    high = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, end + 1) for each in descriptors]
    report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, end + 1)
    for place, descriptor in enumerate(high):
        os.dup2(descriptor, place, inheritable=True)
    report = os.dup2(report, end, inheritable=False)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > report:
            with suppress(OSError):
                os.close(descriptor)
    return report


def _execute(order: Start, mark: str) -> NoReturn:
    environ = _encoded((*order.environ, (MARK, mark)))
    if order.listens:  # Only now there is the process whose number it is.
        environ[b"LISTEN_PID"] = b"%d" % os.getpid()
    words = [os.fsencode(word) for word in order.argv]
    trouble = ""
    for program in order.programs:
        path = os.fsencode(program)
        try:
            os.execvpe(path, [path, *words], environ)
        except OSError as error:
            trouble = trouble or f"{program}: {error.strerror}"
    raise CannotBecome(trouble)
