"""
Listening sockets from a uWSGI instance that gives its own away
(C{zerg-server}), taken as one of its zergs takes them.

The server accepts a connection, sends one message and closes: the text
C{uwsgi-zerg}, the number of sockets as a native C{int}, and so many descriptors.
"""

from __future__ import annotations

import os
import socket
import struct

from emperor.addresses import UnixAddress
from emperor.proxy.inherited import is_listener

#: Seconds that the server has to answer; the program is being started.
PATIENCE = 5.0

#: Descriptors in one message: the kernel's own limit.
MOST = 253

_GREETING = b"uwsgi-zerg"
_COUNT = struct.Struct("=i")


class NoSockets(Exception):
    """
    The server gave no sockets; the message says why.
    """


def take_sockets(server: UnixAddress, patience: float = PATIENCE) -> list[socket.socket]:
    """
    Ask a zerg server for its listening sockets.

    @param patience: seconds until it must have answered.
    @raise NoSockets: it is not there, or does not answer as one.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(server.path)
            size = len(_GREETING) + _COUNT.size
            message, descriptors, flags, _ = socket.recv_fds(connection, size, MOST)
        except TimeoutError as error:
            raise NoSockets(f"it did not answer within {patience:g} s") from error
        except OSError as error:
            raise NoSockets(error.strerror or str(error)) from error
    return _checked(message, flags, _opened(descriptors))


def _opened(descriptors: list[int]) -> list[socket.socket]:
    found: list[socket.socket] = []
    for descriptor in descriptors:
        try:
            found.append(socket.socket(fileno=descriptor))
        except OSError:  # it is no socket
            os.close(descriptor)
        else:
            found[-1].set_inheritable(False)
    return found


def _checked(message: bytes, flags: int, found: list[socket.socket]) -> list[socket.socket]:
    problem = _problem(message, flags, found)
    if problem:
        for each in found:
            each.close()
        raise NoSockets(problem)
    for each in found:
        each.setblocking(False)
    return found


def _problem(message: bytes, flags: int, found: list[socket.socket]) -> str:
    if not message.startswith(_GREETING) or len(message) != len(_GREETING) + _COUNT.size:
        return "its answer is not that of a zerg server"
    (count,) = _COUNT.unpack_from(message, len(_GREETING))
    if flags & socket.MSG_CTRUNC or count != len(found):
        return f"it announced {count} sockets and {len(found)} arrived"
    if not found or not all(map(is_listener, found)):
        return "it has no listening stream sockets, or not only such ones"
    return ""
