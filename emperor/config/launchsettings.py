"""
How the processes of vassals are started.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSettings:
    """
    What all vassals share.

    @ivar tyrant: C{emperor-tyrant}: a vassal runs as the owner of its file.
    @ivar tyrant_nofollow: a link's own owner counts.
    @ivar tyrant_groups: C{emperor-tyrant-initgroups}.
    @ivar capabilities: C{emperor-cap}: their numbers; empty: as they are.
    @ivar namespaces: C{emperor-use-clone}: see L{emperor.wire.rights.Rights}.
    """

    tyrant: bool = False
    tyrant_nofollow: bool = False
    tyrant_groups: bool = False
    capabilities: tuple[int, ...] = ()
    namespaces: tuple[str, ...] = ()
