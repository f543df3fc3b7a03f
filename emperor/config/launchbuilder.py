"""
The settings about the processes of vassals.
"""

from __future__ import annotations

from emperor.config.launchsettings import LaunchSettings
from emperor.config.launchvalues import capabilities, namespaces
from emperor.config.taking import Taker


def build_launch(taker: Taker) -> LaunchSettings:
    """
    Take them out of the options; worthless if the taker finds problems.
    """
    return LaunchSettings(
        tyrant=taker.flag("emperor-tyrant"),
        tyrant_nofollow=taker.flag("emperor-tyrant-nofollow"),
        tyrant_groups=taker.flag("emperor-tyrant-initgroups"),
        capabilities=taker.one("emperor-cap", capabilities, ()),
        namespaces=taker.one("emperor-use-clone", namespaces, ()),
    )
