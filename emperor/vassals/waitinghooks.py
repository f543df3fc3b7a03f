"""
Commands that the Emperor runs when a vassal begins to wait until it is asked for,
and when the file of one that waits has changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from emperor.config.launchsettings import LaunchSettings
from emperor.vassals.hooks import IHooks
from emperor.vassals.recipe import occasion
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.tyrant import NoOwner, owner_of
from emperor.wire.hooks import Command
from emperor.wire.rights import User


class WaitingHooks:
    """
    Follows the vassals of an Emperor.
    """

    def __init__(
        self, launch: LaunchSettings, hooks: IHooks, spec: Callable[[VassalId], VassalSpec]
    ) -> None:
        """
        @param hooks: runs the commands.
        @param spec: what a vassal is.
        """
        self._launch = launch
        self._hooks = hooks
        self._spec = spec
        # Since when those wait that do.
        self._waiting: dict[VassalId, float] = {}

    def saw(self, status: VassalStatus) -> None:
        """
        A vassal has a new status.
        """
        if status.phase is not Phase.ASLEEP or status.rest is Rest.STOPPED:
            self._waiting.pop(status.id, None)
            return
        since = self._waiting.get(status.id)
        self._waiting[status.id] = status.since
        if since is None:
            self._run(self._launch.on_demand, status.id)
        elif since != status.since:  # It lay down again, with another file.
            self._run(self._launch.on_config, status.id)

    def _run(self, commands: Sequence[Command], id: VassalId) -> None:
        if commands:
            spec = self._spec(id)
            self._hooks.run(commands, replace(occasion(spec, self._user(spec)), context=id.name))

    def _user(self, spec: VassalSpec) -> User | None:
        """
        Whose a vassal is; L{None}: it is not known, or ours.
        """
        if not self._launch.tyrant:
            return None
        path = os.path.join(spec.directory, spec.id.name)
        try:
            owner = owner_of(path, nofollow=self._launch.tyrant_nofollow)
        except (NoOwner, OSError):  # Its start will complain.
            return None
        return User(owner.uid, owner.gid)
