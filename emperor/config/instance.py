"""
The uWSGI that our own file describes beside routers and vassals.

uWSGI is one program: a file may have a router and an application in it, which then
can share sockets.  Such a file starts a uWSGI here too, with those of its options
that are not ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from emperor.config.names import APPLICATIONS, SOCKETS
from emperor.config.pairs import Pair
from emperor.config.settings import InstanceSettings

#: Options of ours that count for such a uWSGI as well.
SHARED = frozenset({"chmod-socket", "chown-socket", "heartbeat", "listen", "reload-mercy"})

_NUMBER = re.compile(r"=([0-9]{1,4})$")


def has_instance(pairs: Iterable[Pair]) -> bool:
    """
    Whether a uWSGI is described: an application and a socket for it.
    """
    keys = {pair.key for pair in pairs}
    return not (keys.isdisjoint(APPLICATIONS) or keys.isdisjoint(SOCKETS))


def build_instance(pairs: Sequence[Pair]) -> InstanceSettings:
    """
    The uWSGI that gets these.
    """
    numbers = [shared_number(pair.key, pair.value) for pair in pairs]
    return InstanceSettings(
        options=tuple((pair.key, pair.value) for pair in pairs),
        shared=tuple(dict.fromkeys(number for number in numbers if number is not None)),
    )


def shared_number(key: str, value: str) -> int | None:
    """
    Which of the shared sockets is meant, as in C{socket = =0}.

    @return: L{None}: none.
    """
    found = _NUMBER.fullmatch(value) if key in SOCKETS else None
    return int(found[1]) if found else None
