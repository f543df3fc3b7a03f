"""
Our ends of the pipes to vassals.

They are UNIX sockets, over which a vassal can send descriptors.  Twisted's transport
for UNIX sockets takes them, into our own table, and writes a line about each into the
log: so many lines, without the vassal's name, as it sends bytes.  Here bytes are read
and nothing else, so that the kernel lets go of descriptors before they are ours.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection


class Pipe(Connection):
    """
    A transport that reads with C{recv}, as those of TCP do.
    """

    def __init__(self, reactor: Any, end: socket.socket, protocol: Protocol) -> None:
        """
        @param end: connected; it is ours now.
        """
        super().__init__(end, protocol, reactor)
        self.logstr = type(protocol).__name__
        self.connected = 1

    def begin(self) -> None:
        """
        Read, and connect the protocol.
        """
        self.startReading()
        self.protocol.makeConnection(self)


def adopt(reactor: Any, end: socket.socket, protocol: Protocol) -> None:
    """
    Connect C{protocol} to a pipe.

    @param end: stays the caller's.
    """
    Pipe(reactor, end.dup(), protocol).begin()
