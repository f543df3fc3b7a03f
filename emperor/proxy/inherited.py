"""
Listening sockets that were open when the program was started, by systemd
(C{LISTEN_FDS}, C{man 3 sd_listen_fds}) or by another supervisor.

Whoever opened them keeps them: their files stay, and they are not given to any
process that we start, but for the router processes that listen on them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress

from emperor.addresses import (
    BorrowedSocket,
    ListenAddress,
    PassedSocket,
    SocketAddress,
    TcpAddress,
    UnixAddress,
)

#: The number of the first descriptor of C{LISTEN_FDS}.
FIRST = 3

#: More of them are an error of whoever starts us.
MOST = 1024

#: The name of a socket that the program has bound itself, before it executed itself
#: again: its file is ours.
KEPT = "txemperor"

#: Where a socket listens, and whose it is.
Place = SocketAddress | BorrowedSocket


class NotPassed(Exception):
    """
    A descriptor is no listening socket, or nobody passed it; the message says
    which ones there are.
    """


class PassedSockets:
    """
    The sockets that were passed, until somebody takes them.
    """

    def __init__(self, names: Mapping[int, str] | None = None) -> None:
        """
        @param names: descriptors and their names; those that are no listening
            stream sockets are left alone.
        """
        self._names: dict[int, str] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._taken: set[int] = set()
        for number, name in (names or {}).items():
            with suppress(NotPassed):
                self._adopt(number, name)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str], pid: int) -> PassedSockets:
        """
        Those that systemd has passed to the process with this number.
        """
        return cls(_names(environ, pid))

    def claim(self, addresses: Iterable[ListenAddress]) -> None:
        """
        Keep the descriptors that these addresses name, before anything else is
        opened that could get such a number.

        @raise NotPassed: a descriptor is no listening socket.
        """
        for address in addresses:
            if isinstance(address, PassedSocket) and address.name.isdecimal():
                number = int(address.name)
                if number not in self._sockets:
                    self._adopt(number, "")

    def named(self, address: PassedSocket) -> tuple[BorrowedSocket, socket.socket]:
        """
        The socket of C{fd://N}, claimed before, or of C{fd://NAME}.

        @return: where it listens, and a copy of it.
        @raise NotPassed: there is none.
        """
        wanted = address.name
        for number, name in self._names.items():
            if wanted in (str(number), name):
                return self._copy(number)
        raise NotPassed(f"no socket was passed as {address}; {self._inventory()}")

    def bound_to(self, address: SocketAddress) -> tuple[Place, socket.socket] | None:
        """
        The socket that listens at an address already.

        @return: as L{named}, or where it was bound by us; L{None} if there is none.
        """
        for number, listener in self._sockets.items():
            is_ours = self._names[number] == KEPT
            if _is_same(where(listener), address, is_ours):
                place, copy = self._copy(number)
                return address if is_ours else place, copy
        return None

    def idle(self) -> list[str]:
        """
        What was passed and is not used.
        """
        rest = [number for number in self._idle() if self._names[number] != KEPT]
        return [f"fd://{number} ({where(self._sockets[number])})" for number in rest]

    def close(self) -> None:
        """
        Close them all; the copies stay.  A file of ours that is not used goes.
        """
        for number in self._idle():
            place = where(self._sockets[number])
            if self._names[number] == KEPT and isinstance(place, UnixAddress):
                with suppress(OSError, ValueError):  # An abstract one has no file.
                    os.unlink(place.path)
        for listener in self._sockets.values():
            listener.close()
        self._sockets.clear()
        self._names.clear()

    def _idle(self) -> list[int]:
        return [number for number in self._sockets if number not in self._taken]

    def _adopt(self, number: int, name: str) -> None:
        self._sockets[number] = _listener(number)
        self._names[number] = name

    def _copy(self, number: int) -> tuple[BorrowedSocket, socket.socket]:
        self._taken.add(number)
        listener = self._sockets[number].dup()
        name = self._names[number] or number
        return BorrowedSocket(where(listener), f"fd://{name}"), listener

    def _inventory(self) -> str:
        if not self._sockets:
            return "none was passed at all"
        return "there are " + ", ".join(
            f"fd://{number}" + (f" or fd://{name}" if name else "")
            for number, name in self._names.items()
        )


def has_returned(environ: Mapping[str, str], pid: int) -> bool:
    """
    Whether the program has executed itself, and left itself its sockets.
    """
    return KEPT in _names(environ, pid).values()


def _names(environ: Mapping[str, str], pid: int) -> dict[int, str]:
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(pid) or not (count.isascii() and count.isdecimal()):
        return {}
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    numbers = range(FIRST, FIRST + min(int(count[:9]), MOST))
    names += [""] * (len(numbers) - len(names))
    return dict(zip(numbers, names, strict=False))


def initial_environment(path: str = "/proc/self/environ") -> dict[str, str]:
    """
    The variables that this process was started with.  In C{os.environ} those of
    systemd are missing: Twisted takes them out when its endpoints are imported.

    @param path: where the kernel shows them.
    """
    try:
        with open(path, "rb") as file:
            pairs = file.read().split(b"\0")
    except OSError:  # no /proc here
        return dict(os.environ)
    split = (os.fsdecode(pair).partition("=") for pair in pairs)
    return {name: value for name, separator, value in split if separator}


def where(listener: socket.socket) -> SocketAddress:
    """
    Where a socket listens.
    """
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return UnixAddress(name if isinstance(name, bytes) else os.fsencode(name))
    return TcpAddress("" if name[0] == "0.0.0.0" else name[0], name[1])


def is_listener(found: socket.socket) -> bool:
    """
    Whether streams can be accepted from a socket.
    """
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
    return (
        found.family in families
        and found.type == socket.SOCK_STREAM
        and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    )


def _listener(number: int) -> socket.socket:
    """
    The listening socket with this number, which is ours from now on.
    """
    try:
        found = socket.socket(fileno=number)
    except OSError as error:
        raise NotPassed(f"fd://{number} is no listening socket: {error.strerror}") from error
    if not is_listener(found):
        found.detach()
        raise NotPassed(f"fd://{number} is no listening socket")
    found.set_inheritable(False)
    found.setblocking(False)
    return found


def _is_same(place: SocketAddress, wanted: SocketAddress, is_ours: bool) -> bool:
    """
    Whether who asks for C{wanted} means the socket at C{place}.

    Systemd opens one socket for IPv4 and IPv6 where only a port is given, and
    an abstract name of its has no NUL at the end.
    """
    if isinstance(place, TcpAddress) and isinstance(wanted, TcpAddress):
        every = ("",) if is_ours else ("", "::")
        hosts = every if wanted.host in ("", "0.0.0.0") else (wanted.host,)
        return place.port == wanted.port and place.host in hosts
    if isinstance(place, UnixAddress) and isinstance(wanted, UnixAddress):
        return _spelled(place) == _spelled(wanted)
    return False


def _spelled(address: UnixAddress) -> bytes:
    if address.is_abstract:
        return address.path.rstrip(b"\0")
    return os.path.abspath(address.path)
