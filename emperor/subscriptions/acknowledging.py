"""
Acknowledgements: who subscribes may name a UNIX socket and is told there that
his node is new.  uWSGI's instances write that into their log.

The name of the socket comes from outside.  So what is sent there is one line,
whose beginning is always the same, whoever reads it; and nobody is waited for.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from emperor.routing.outcomes import Expiry, Result
from emperor.subscriptions.ledger import Arrival
from emperor.vassals.spec import shown

_NEW = frozenset({Result.NEW_POOL, Result.NEW_NODE})


class Acknowledger:
    """
    Follows one router's ledger.
    """

    def __init__(self, make_socket: Callable[[], socket.socket] | None = None) -> None:
        """
        @param make_socket: gives a socket for datagrams that does not block;
            usually one of the system's.
        """
        self._make_socket = make_socket or _make_socket
        self._socket: socket.socket | None = None

    def arrived(self, arrival: Arrival) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.arrived}.
        """
        announcement = arrival.announcement
        # A name of NUL and something would not be a file's.
        if (
            arrival.outcome.result in _NEW
            and announcement.notify
            and "\0" not in announcement.notify
        ):
            key, address = shown(announcement.key), shown(announcement.address)
            self._send(f"[subscription ack] {key} => new node: {address}", announcement.notify)

    def expired(self, expiries: Sequence[Expiry]) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.expired}.
        """

    def stop(self) -> None:
        """
        Give the socket back.
        """
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str, path: str) -> None:
        # Who does not listen, or does not keep up, misses it.
        with suppress(OSError, ValueError):
            if self._socket is None:
                self._socket = self._make_socket()
            self._socket.sendto(text.encode("utf-8"), path)


def _make_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
