"""
What tells the program that it is a vassal: variables that its Emperor has set, and
the descriptor that one of them names.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass

from twisted.logger import Logger

PIPE = "UWSGI_EMPEROR_FD"
CONFIGURATION = "UWSGI_EMPEROR_FD_CONFIG"
PROXY = "UWSGI_EMPEROR_PROXY"

_log = Logger("emperor")


@dataclass(frozen=True, slots=True)
class Summons:
    """
    How the Emperor above can be reached.

    @ivar pipe: to it; L{None}: there is none, or not yet.
    @ivar proxy: the path of a UNIX socket where the pipe can be had; empty: none.
    """

    pipe: socket.socket | None = None
    proxy: str = ""

    def __bool__(self) -> bool:
        """
        Whether there is an Emperor above at all.
        """
        return self.pipe is not None or bool(self.proxy)


def take_summons(environ: MutableMapping[str, str]) -> Summons:
    """
    Take the variables out of an environment, and the descriptors into our own
    hands: no process that we start gets them.

    @param environ: usually C{os.environ}.
    """
    number, configuration = environ.pop(PIPE, ""), environ.pop(CONFIGURATION, "")
    proxy = environ.pop(PROXY, "")
    if configuration:  # A file of ours comes by name.
        with suppress(NoPipe):
            as_pipe(configuration).close()
    if proxy:
        return Summons(proxy=proxy)
    if not number:
        return Summons()
    try:
        return Summons(as_pipe(number))
    except NoPipe as error:
        _log.warn("{variable}: {reason}; the program runs by itself", variable=PIPE, reason=error)
        return Summons()


class NoPipe(Exception):
    """
    A descriptor is no pipe to an Emperor; the message says why.
    """


def as_pipe(text: str) -> socket.socket:
    """
    The pipe with this number, which is ours from now on.

    What this process has opened itself is closed by an exec, and so cannot be it:
    a variable may be older than the process.

    @raise NoPipe: it is something else.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        raise NoPipe(f"{text[:80]!r} is no descriptor")
    number = int(text)
    try:
        if not os.get_inheritable(number):
            raise NoPipe(f"descriptor {number} was not handed over by an Emperor")
        return claim(number)
    except OSError as error:
        raise NoPipe(f"descriptor {number}: {error.strerror}") from error


def claim(number: int) -> socket.socket:
    """
    The pipe that is this descriptor.

    @raise NoPipe: it is something else, and stays open.
    """
    try:
        found = socket.socket(fileno=number)
    except OSError as error:
        raise NoPipe(f"descriptor {number} is no socket: {error.strerror}") from error
    if (found.family, found.type) != (socket.AF_UNIX, socket.SOCK_STREAM) or _listens(found):
        found.detach()
        raise NoPipe(f"descriptor {number} is no connected UNIX stream socket")
    found.set_inheritable(False)
    return found


def _listens(found: socket.socket) -> bool:
    return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
