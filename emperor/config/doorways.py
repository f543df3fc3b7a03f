"""
Where the Emperor listens for a vassal: what its file, and the options, say.

In the section C{[emperor]} of the vassal's file::

    hold-socket = /run/a.sock
    on-demand = 127.0.0.1:9000

The vassal finds the socket as its standard input and must not open it itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emperor.addresses import BadAddress, SocketAddress, TcpAddress, UnixAddress
from emperor.config.attributes import section_pairs
from emperor.config.errors import Problem
from emperor.config.loading import COMMAND_LINE
from emperor.config.settings import EmperorSettings
from emperor.config.surroundings import Surroundings
from emperor.config.values import BadValue, address, mode
from emperor.config.vassalfile import UNRESOLVED, Config

FORM = "ADDRESS[,mode=OCTAL][,owner=USER[:GROUP]]"

#: The attributes, and whether the vassal sleeps until somebody connects.
ATTRIBUTES = {"hold-socket": False, "on-demand": True}

#: uWSGI gives every on-demand socket this mode.
EVERYBODY = 0o666

#: Characters of an address, so that nobody makes us keep more.
_LENGTH_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Doorway:
    """
    Where the Emperor listens for a vassal, and how.

    @ivar on_demand: the vassal is started by the first connection.
    @ivar mode: of a UNIX socket's file.
    @ivar owner: of that file, C{USER} or C{USER:GROUP}; empty: who we are.
    @ivar cheap: the vassal has no workers before its first request, and so does not
        say before that it accepts.
    @ivar file: the vassal's; that it is another one makes no other door.
    """

    address: SocketAddress
    on_demand: bool = False
    mode: int = EVERYBODY
    owner: str = ""
    cheap: bool = False
    file: str = field(default="", compare=False)


def attribute(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> tuple[Doorway | None, tuple[Problem, ...]]:
    """
    What a vassal's file says; the last line that says it counts.

    The parameters are as for L{emperor.config.attributes.attributes}.

    @return: and what is wrong in it.
    """
    pairs, unread = section_pairs(path, cwd, settings, surroundings, config)
    found: Doorway | None = None
    problems: list[Problem] = []
    for pair in pairs:
        if pair.key in ATTRIBUTES and pair.origin != COMMAND_LINE:
            try:
                found = parse_doorway(pair.value, cwd, on_demand=ATTRIBUTES[pair.key])
            except (BadValue, BadAddress) as error:
                problems.append(Problem(f"{pair.key}: {error}", pair.origin))
    # What could not be read may be why.
    return found, (*unread, *problems) if problems else ()


def parse_doorway(text: str, cwd: str, *, on_demand: bool) -> Doorway:
    """
    Read a text of the form L{FORM}.

    @param cwd: what a path is relative to.
    @raise BadValue: it has another form.
    @raise BadAddress: it has no address.
    """
    if len(text) > _LENGTH_LIMIT or any(sign in text for sign in UNRESOLVED):
        raise BadValue(f"{text[:100]!r} has a reference or a * that leads nowhere, or is too long")
    place, *rest = (part.strip() for part in text.split(","))
    words: dict[str, Any] = {}
    for part in rest:
        word, _, value = part.partition("=")
        if word not in _WORDS or not value or word in words:
            raise BadValue(f"{part!r} in {text!r} is nothing known; accepted: {FORM}")
        words[word] = _WORDS[word](value)
    found = _absolute(address(place), cwd)
    if isinstance(found, TcpAddress) and (words or not found.port):
        raise BadValue(f"{text!r}: a TCP socket has a port, and neither mode nor owner")
    return Doorway(found, on_demand, **words)


def _absolute(found: SocketAddress, cwd: str) -> SocketAddress:
    if isinstance(found, UnixAddress) and not found.is_abstract:
        return UnixAddress(os.path.join(os.fsencode(cwd), found.path))
    return found


_WORDS: dict[str, Callable[[str], Any]] = {"mode": mode, "owner": str}
