"""
What a monitor says of one vassal.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from socket import socket

#: What a zerg's command line adds to the name of the file: the section to read.
ZERG = ":zerg"


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
    @ivar modified: when its configuration was changed the last time, in seconds
        of the epoch; 0: nobody knows.  It is only shown.
    @ivar parent: of a zerg (L{emperor.vassals.broodlord}): whose file it has.
    @ivar number: of a zerg: the how many-th of the Emperor it is; 0: it is none.
    """

    id: VassalId
    directory: str
    fingerprint: Hashable
    arguments: tuple[str, ...] = ()
    sockets: tuple[socket, ...] = ()
    modified: float = 0
    parent: VassalId | None = None
    number: int = 0

    @property
    def is_zerg(self) -> bool:
        """
        Whether it only helps another vassal.
        """
        return self.parent is not None

    @property
    def file(self) -> str:
        """
        The name of its file.
        """
        return self.id.name if self.parent is None else self.parent.name

    @property
    def section(self) -> str:
        """
        What follows the name of its file on its command line.
        """
        return ZERG if self.is_zerg else ""

    @property
    def word(self) -> str:
        """
        What its command line and its hooks call it.
        """
        return self.file + self.section
