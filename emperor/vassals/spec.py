"""
What a monitor says of one vassal.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from socket import socket


def shown(text: str) -> str:
    """
    A name as a log, an answer or a terminal can bear it: what cannot be printed,
    such as a line end, an escape or a byte that is no text, is spelled out.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


@dataclass(frozen=True, slots=True)
class VassalId:
    """
    Which vassal: two monitors may each know one of the same name.

    @ivar monitor: the monitor's source, for example C{dir:///etc/vassals}.
    @ivar name: the name as uWSGI shows it: a file name relative to the
        directory, or the path as a pattern matched it.
    """

    monitor: str
    name: str


@dataclass(frozen=True, slots=True)
class VassalSpec:
    """
    A vassal somebody wants to run.

    @ivar directory: the absolute directory it starts in; C{name} is relative
        to it or absolute.
    @ivar fingerprint: equal as long as its configuration is the same; a new
        one means: reload.
    @ivar arguments: its command line, if it has no file.
    @ivar sockets: listening ones that it inherits.
    """

    id: VassalId
    directory: str
    fingerprint: Hashable
    arguments: tuple[str, ...] = ()
    sockets: tuple[socket, ...] = ()
