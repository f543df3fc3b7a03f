"""
Who is at the other end of a connection to a node.

Whoever may say where a node listens, and is not the administrator, could name the
socket of somebody else: the router may connect where he may not.  So such a node
has an owner, as whom it must listen.  Each new connection is looked at, for a path
can lead to another socket at any time.  Of TCP nothing is known, and nothing need
be: every user of the machine may connect there.
"""

from __future__ import annotations

import socket
import struct

from twisted.internet.error import ConnectError

from emperor.addresses import ANYBODY

#: C{struct ucred} (C{man 7 unix}).
_CREDENTIALS = struct.Struct("=iII")


class CannotReach(ConnectError):
    """
    A node has no address, or is not who it should be; the text says which.
    """


class Stranger(CannotReach):
    """
    Somebody else than the owner of the node listens at its UNIX socket.

    @ivar owner: who should.
    @ivar found: who does.
    """

    def __init__(self, owner: int, found: int) -> None:
        super().__init__(string="another user listens at its socket")  # type: ignore[no-untyped-call]
        self.owner = owner
        self.found = found


def find_stranger(connection: socket.SocketType, owner: int) -> Stranger | None:
    """
    See who listens at the other end of a connection.

    @return: L{None}: C{owner}, or whoever may, or it is no UNIX socket.
    """
    if owner == ANYBODY or connection.family != socket.AF_UNIX:
        return None
    answer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    found = _CREDENTIALS.unpack(answer)[1]
    return None if found == owner else Stranger(owner, found)
