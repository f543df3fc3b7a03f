"""
What is remembered of vassals only to be shown: nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emperor.config.attributes import Attributes
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.status import Phase, VassalStatus
from emperor.wire.rights import User

#: Whose the process of a vassal is that was never started.
NOBODY = User(-1, -1)


@dataclass(slots=True)
class Memoir:
    """
    One vassal; times are those of the reactor's clock, 0 for never.

    @ivar user: whose its process is, or was.
    @ivar modified: when the configuration of its first start had been changed.
    @ivar first_run: when it was started for the first time.
    @ivar last_run: when it was started, or asked to reload, the last time.
    @ivar ready_at: when it was initialised.
    @ivar first_death: of those in a row; so C{last_death}.
    @ivar wait: seconds that it was held back after the last one.
    @ivar collected: what its file says under the keys of C{emperor-collect-attr}.
    @ivar domains: the keys of the pools that its file names.
    """

    user: User = NOBODY
    modified: float = 0
    first_run: float = 0
    last_run: float = 0
    ready_at: float = 0
    first_death: float = 0
    last_death: float = 0
    wait: float = 0
    collected: Sequence[tuple[str, str]] = ()
    domains: Sequence[str] = ()

    def saw(self, status: VassalStatus) -> None:
        """
        It has this status now.
        """
        if status.phase in (Phase.STARTING, Phase.RENEWING, Phase.RELOADING):
            if status.pid:  # Or it could not be started.
                self._begins(status)
        elif status.phase is Phase.READY:
            self.ready_at = status.since
        elif status.phase is Phase.ACCEPTING and self.ready_at < status.born:
            self.ready_at = status.accepted_at
        elif status.phase is Phase.HELD_BACK:
            self._dies(status)
        if not status.failures:
            self.first_death = self.last_death = self.wait = 0

    def _begins(self, status: VassalStatus) -> None:
        is_new = status.phase is not Phase.RENEWING and status.born > self.last_run
        self.last_run = status.born if is_new else status.since
        self.first_run = self.first_run or self.last_run

    def _dies(self, status: VassalStatus) -> None:
        self.first_death = self.first_death or status.since
        self.last_death = status.since
        self.wait = status.retry_at - status.since


class Memoirs:
    """
    Those of all vassals that there are.
    """

    def __init__(self) -> None:
        self._of: dict[VassalId, Memoir] = {}

    def __getitem__(self, id: VassalId) -> Memoir:
        """
        Of one vassal; empty if nothing has happened to it.
        """
        return self._of.get(id) or Memoir()

    def saw(self, status: VassalStatus) -> None:
        """
        A vassal has this status now.
        """
        if status.phase is Phase.GONE:
            self._of.pop(status.id, None)
        else:
            self._memoir(status.id).saw(status)

    def has_read(self, spec: VassalSpec, attributes: Attributes) -> None:
        """
        A vassal's file says this to the Emperor.
        """
        memoir = self._memoir(spec.id)
        memoir.collected = attributes.collected
        # What a zerg's file names is its parent's.
        domains = () if spec.is_zerg else attributes.domains
        memoir.domains = tuple(domain.key for domain in domains)

    def has_started(self, spec: VassalSpec, user: User) -> None:
        """
        A vassal's process was made, with these rights.
        """
        memoir = self._memoir(spec.id)
        memoir.user = user
        memoir.modified = memoir.modified or spec.modified

    def _memoir(self, id: VassalId) -> Memoir:
        return self._of.setdefault(id, Memoir())
