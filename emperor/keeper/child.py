"""
What a new process does between fork and exec.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from emperor.keeper.family import MARK
from emperor.keeper.groups import Group
from emperor.keeper.kernel import die_with
from emperor.wire.keeping import DESCRIPTORS, Start

#: Bytes of a report of what went wrong.
REPORT_LIMIT = 4096

#: The keeper has its own descriptors below this one.
FIRST = DESCRIPTORS + 1

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

    @param descriptors: its 0 to 3.
    @param report: a pipe that is told why it failed; closed if it did not.
    @param keeper: the parent, with which it dies.
    """
    why = ""
    try:
        report = _take(descriptors, report)
        _prepare(order, keeper, group)
        _execute(order, mark)
    except CannotBecome as error:
        why = str(error)
    except BaseException as error:  # Whatever it is, two keepers must not run on.
        why = f"{type(error).__name__}: {error}"
    finally:
        with suppress(OSError):
            os.write(report, os.fsencode(why)[:REPORT_LIMIT])
        os._exit(FAILED)


def _prepare(order: Start, keeper: int, group: Group | None) -> None:
    if group is not None:
        group.enter()
    os.setsid()
    _hear_signals()
    try:
        os.chdir(os.fsencode(order.directory))
    except OSError as error:
        raise CannotBecome(f"{order.directory}: {error.strerror}") from error
    die_with(keeper)


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
    close all others.  None of these is below L{FIRST}, for there the keeper has
    its own.
    """
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place, inheritable=True)
    report = os.dup2(report, DESCRIPTORS, inheritable=False)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > report:
            with suppress(OSError):
                os.close(descriptor)
    return report


def _execute(order: Start, mark: str) -> NoReturn:
    environ = {os.fsencode(key): os.fsencode(value) for key, value in order.environ}
    environ[MARK.encode()] = mark.encode()
    words = [os.fsencode(word) for word in order.argv]
    trouble = ""
    for program in order.programs:
        path = os.fsencode(program)
        try:
            os.execve(path, [path, *words], environ)
        except OSError as error:
            trouble = trouble or f"{program}: {error.strerror}"
    raise CannotBecome(trouble)
