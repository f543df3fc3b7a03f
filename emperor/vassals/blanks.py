"""
Vassals whose file says nothing, because it was emptied, or is not written yet.

A uWSGI without any option serves errors at the socket that it is given.  So where
the Emperor has the socket, such a file is a reload that fails, and takes no socket
away; elsewhere it is uWSGI's to complain of.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from emperor.config.doorways import Doorway
from emperor.vassals.doors import Blank, Door
from emperor.vassals.launcher import Launched, LaunchFailed
from emperor.vassals.process import Listener
from emperor.vassals.spec import VassalSpec
from emperor.vassals.succession import Find
from emperor.vassals.vassal import Launch

_NOTHING = "there is nothing for uWSGI in its file"

IsBlank = Callable[[VassalSpec], bool]


def knowing_by_file(find: Find, is_blank: IsBlank) -> Find:
    """
    Find the doors of vassals whose file says something.

    @return: raises L{Blank} for the others.
    """

    def careful(spec: VassalSpec) -> Doorway | Deferred[Doorway | None] | None:
        if _has_a_file(spec) and is_blank(spec):
            raise Blank(_NOTHING)
        return find(spec)

    return careful


def needing_a_file(launch: Launch, is_blank: IsBlank) -> Launch:
    """
    Start vassals with a socket of the Emperor's if their file says something.

    @return: raises L{LaunchFailed} for the others.
    """

    def careful(spec: VassalSpec, listener: Listener, door: Door) -> Launched:
        if door.address is not None and _has_a_file(spec) and is_blank(spec):
            raise LaunchFailed(_NOTHING)
        return launch(spec, listener, door)

    return careful


def _has_a_file(spec: VassalSpec) -> bool:
    """
    Whether it is one of its own: a zerg has its parent's.
    """
    return not (spec.is_instance or spec.is_zerg)
