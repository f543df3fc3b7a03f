"""
Commands that a new process runs before it becomes a vassal.

It waits for them; the keeper does not.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

from emperor.wire.hooks import Command

#: Seconds between two looks whether a command has ended: at first, and at most.
_SHORTEST = 0.001
_LONGEST = 0.05


class HookFailed(Exception):
    """
    A command could not be run, failed, or took too long; the text says which.
    """


def run(command: Command, environ: Mapping[bytes, bytes], limit: float) -> None:
    """
    Run a command to its end.

    @param limit: seconds after which it is killed.
    @raise HookFailed: it did not end well.
    """
    words = [os.fsencode(word) for word in command.argv]
    try:
        # A group of its own, which can be killed without us, and not the vassal's
        # standard input, which may be its listening socket.
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
        pid = os.posix_spawnp(words[0], words, environ, file_actions=[nothing], setpgroup=0)
    except OSError as error:
        raise HookFailed(f"{command.name}: {error.strerror}") from error
    status = _wait(pid, time.monotonic() + limit)
    if status is None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise HookFailed(f"{command.name}: killed, it took longer than {limit:g} s")
    if os.WIFSIGNALED(status):
        raise HookFailed(f"{command.name}: killed by signal {os.WTERMSIG(status)}")
    if os.WEXITSTATUS(status):
        raise HookFailed(f"{command.name}: exit code {os.WEXITSTATUS(status)}")


def _wait(pid: int, end: float) -> int | None:
    pause = _SHORTEST
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        if time.monotonic() >= end:
            return None
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST)
