"""
Socket files that programs left behind.
"""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from errno import ECONNREFUSED


def remove_stale_socket(path: bytes, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    """
    Remove the file of a UNIX socket that nobody listens on.

    A socket that somebody listens on stays, and so does a file of another
    kind: it may be precious.  What cannot be told, for want of a descriptor or
    because no socket's path is that long, stays as well.

    @param kind: of the socket that the file may be; a live one of another kind
        stays.
    """
    with suppress(OSError, ValueError):
        if stat.S_ISSOCK(os.lstat(path).st_mode) and _is_refused(path, kind):
            os.unlink(path)


def _is_refused(path: bytes, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.setblocking(False)
        return probe.connect_ex(path) == ECONNREFUSED


def leave_socket(path: bytes) -> None:
    """
    Remove nothing, where others say what is to be removed.
    """
