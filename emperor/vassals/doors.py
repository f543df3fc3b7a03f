"""
Sockets that are the Emperor's and not their vassal's.

A door is open before its vassal runs, and stays open when it leaves or dies: who
knocks meanwhile waits in the kernel's queue.  The vassal finds it as its standard
input, as uWSGI expects it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from emperor.addresses import SocketAddress


class Door(Protocol):
    """
    Where the Emperor listens for a vassal.
    """

    @property
    def address(self) -> SocketAddress | None:
        """
        Where; L{None}: nowhere, the vassal does it itself.
        """

    @property
    def on_demand(self) -> bool:
        """
        Whether the vassal is started when somebody knocks.
        """

    def fileno(self) -> int | None:
        """
        The descriptor of the listening socket.
        """

    def watch(self, knocked: Callable[[], object]) -> Callable[[], None]:
        """
        Wait until somebody knocks.

        @param knocked: called once, in a later turn of the reactor.
        @return: waits no more.
        """


class NoDoor:
    """
    The Emperor does not listen; the vassal sleeps until it is woken.
    """

    address = None
    on_demand = False

    def fileno(self) -> int | None:
        """
        There is none.
        """
        return None

    def watch(self, knocked: Callable[[], object]) -> Callable[[], None]:
        """
        Nobody knocks.
        """
        return _nothing


def _nothing() -> None:
    """
    There is nothing to wait for.
    """


#: The door of a vassal that listens itself.
NO_DOOR = NoDoor()
