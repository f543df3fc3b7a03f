"""
Socket files that programs left behind.
"""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from errno import ECONNREFUSED


def remove_stale_socket(path: bytes) -> None:
    """
    Remove the file of a UNIX socket that nobody listens on.

    A socket that somebody listens on stays, and so does a file of another
    kind: it may be precious.
    """
    if not _is_socket(path):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        result = probe.connect_ex(path)
    if result == ECONNREFUSED:
        with suppress(FileNotFoundError, PermissionError):
            os.unlink(path)


def _is_socket(path: bytes) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False
