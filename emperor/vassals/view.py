"""
A vassal as somebody sees it who only looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.addresses import Address
from emperor.config.doorways import Doorway
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import VassalStatus


@dataclass(frozen=True, slots=True)
class VassalView:
    """
    All that the Emperor knows of one vassal at one moment.

    @ivar spec: what it is, or will be when it is started.
    @ivar doorway: where the Emperor listens for it; L{None}: it does it itself.
    @ivar beat_at: when it said the last time that it lives; 0 if it never did.
    @ivar addresses: where it listens, as far as is known.
    """

    status: VassalStatus
    spec: VassalSpec
    doorway: Doorway | None
    beat_at: float
    addresses: frozenset[Address]


@dataclass(frozen=True, slots=True)
class SourceView:
    """
    A monitor.

    @ivar source: as L{emperor.vassals.spec.VassalId} has it.
    @ivar vassals: how many it wants.
    @ivar trouble: why it cannot look at the moment; empty: it can.
    """

    source: str
    vassals: int
    trouble: str
