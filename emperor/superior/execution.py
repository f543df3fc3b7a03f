"""
The program executes itself again: the same command, in the same process.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from emperor.proxy.inherited import FIRST
from emperor.superior.heritage import Passed
from emperor.superior.summons import PIPE

#: Seconds that the command has to read the configuration.
PATIENCE = 60.0

#: Bytes of what it says when it fails.
LAST_WORDS = 2000


@dataclass(frozen=True)
class Command:
    """
    How the program was started.

    @ivar directory: where relative names began.
    """

    directory: str
    program: str = sys.executable
    arguments: tuple[str, ...] = field(default_factory=lambda: tuple(sys.orig_argv[1:]))


class CannotStart(Exception):
    """
    The command would not start the program; the message says why.
    """


def attempt(command: Command, patience: float = PATIENCE) -> None:
    """
    Let the command read the configuration, and no more: whatever has been
    installed or removed since the program was started, it works.

    @param patience: seconds that it may take.
    @raise CannotStart: it does not.
    """
    try:
        done = subprocess.run(
            [command.program, *command.arguments, "--check"],
            cwd=command.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotStart(f"{command.program} --check took more than {patience:g} s") from None
    except OSError as error:
        raise CannotStart(f"{command.program} cannot be executed: {error.strerror}") from error
    if done.returncode:
        last = done.stderr[-LAST_WORDS:].decode("utf-8", "replace").strip()
        raise CannotStart(f"{command.program} --check: exit code {done.returncode}: {last}")


def again(
    command: Command,
    pipe: int,
    passed: Sequence[Passed],
    execute: Callable[..., object] = os.execve,
) -> NoReturn:
    """
    Be replaced by the next program.  Nothing of this one may run any more: its
    descriptors make room for those that are passed.

    @param pipe: the descriptor of the pipe to the Emperor above.
    @param execute: as L{os.execve}.
    """
    try:
        sys.stdout.flush()
        os.chdir(command.directory)
        numbers = {each.number: each.socket.fileno() for each in passed}
        end = max((FIRST - 1, *numbers)) + 1
        move({**numbers, end: pipe})
        environ = environment(os.environ, end, passed)
        execute(command.program, [command.program, *command.arguments], environ)
    except OSError as error:
        with suppress(OSError):
            print(f"{command.program} cannot be executed: {error.strerror}", file=sys.stderr)
            sys.stderr.flush()
    os._exit(1)


def environment(
    inherited: Mapping[str, str], pipe: int, passed: Sequence[Passed]
) -> dict[str, str]:
    """
    What the next program finds: the pipe, and its sockets as systemd passes them.
    """
    names = {each.number: each.name for each in passed if each.number >= FIRST}
    count = max(names, default=FIRST - 1) - FIRST + 1
    found = {**inherited, PIPE: str(pipe)}
    if count:
        found["LISTEN_PID"] = str(os.getpid())
        found["LISTEN_FDS"] = str(count)
        found["LISTEN_FDNAMES"] = ":".join(names.get(FIRST + place, "") for place in range(count))
    return found


def move(descriptors: Mapping[int, int]) -> None:
    """
    Give descriptors new numbers, under which an exec leaves them open.

    @param descriptors: from the new number to the present one.
    """
    # First out of the way: one may have the number that another one is to get.
    high = max(descriptors, default=0) + 1
    found = {
        number: fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, high)
        for number, descriptor in descriptors.items()
    }
    for number, descriptor in found.items():
        os.dup2(descriptor, number, inheritable=True)
