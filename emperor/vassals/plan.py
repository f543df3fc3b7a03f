"""
What has to be done so that what runs becomes what is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emperor.vassals.spec import VassalId, VassalSpec


@dataclass(frozen=True, slots=True)
class Start:
    """
    A vassal that nobody wanted before.
    """

    spec: VassalSpec


@dataclass(frozen=True, slots=True)
class Reload:
    """
    A vassal whose configuration has changed.
    """

    spec: VassalSpec


@dataclass(frozen=True, slots=True)
class Stop:
    """
    A vassal that nobody wants any more.
    """

    id: VassalId


Step = Start | Reload | Stop


def plan(wanted: Iterable[VassalSpec], kept: Iterable[VassalSpec]) -> list[Step]:
    """
    Find the steps from C{kept}, what was wanted until now, to C{wanted}.

    Stops come first, then the order of C{wanted}.  A stop takes its time, so a
    socket that moves from one vassal to another may still be the old one's when
    the new one binds it: uWSGI replaces the file of a UNIX socket, and one
    that finds its TCP port taken dies and is tried again.  No two specs of
    C{wanted} have the same id.
    """
    before = {spec.id: spec for spec in kept}
    after = {spec.id: spec for spec in wanted}
    stops: list[Step] = [Stop(id) for id in before if id not in after]
    starts: list[Step] = [Start(spec) for spec in after.values() if spec.id not in before]
    reloads: list[Step] = [
        Reload(spec)
        for spec in after.values()
        if spec.id in before and before[spec.id].fingerprint != spec.fingerprint
    ]
    return stops + reloads + starts


def first_of_each(specs: Iterable[VassalSpec]) -> dict[VassalId, VassalSpec]:
    """
    The specs by their id; of two with the same id the first.
    """
    found: dict[VassalId, VassalSpec] = {}
    for spec in specs:
        found.setdefault(spec.id, spec)
    return found
