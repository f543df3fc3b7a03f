"""
What is known of a vassal at one moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emperor.vassals.spec import VassalId

#: Seconds that who knocks at the door of a vassal that died is kept waiting.
SHORT_WAIT = 5.0


class Rest(Enum):
    """
    Why a vassal that nobody has in a process does not start by itself.
    """

    #: It has nothing to rest for.
    NONE = "none"
    #: It waits for its first command, or for a request.
    COMMAND = "waits for a command"
    #: A command has stopped it, and only another one starts it.
    STOPPED = "was stopped by a command"


class Phase(Enum):
    """
    Where a vassal is in its life.
    """

    #: Nothing of it runs and nobody wants it.
    GONE = "gone"
    #: It waits for its turn to be started.
    QUEUED = "queued"
    #: Nothing of it runs until somebody asks for it.
    ASLEEP = "asleep"
    #: Its process was started and has said nothing yet.
    STARTING = "starting"
    #: It is initialised.
    READY = "ready"
    #: It accepts requests.
    ACCEPTING = "accepting"
    #: It was asked to read its configuration again.
    RELOADING = "reloading"
    #: It accepts requests, and its next generation comes up beside it.
    RENEWING = "renewing"
    #: It had nothing to do and was asked to leave until somebody asks for it.
    RETIRING = "retiring"
    #: It was asked to leave.
    STOPPING = "stopping"
    #: It was asked to leave and will be started again.
    REPLACED = "replaced"
    #: Its first process has left, others hold on and are being killed.
    ORPHANED = "orphaned"
    #: It died and waits until it may try again.
    HELD_BACK = "held back"
    #: It asked not to be started again until its configuration changes.
    EXILED = "exiled"


@dataclass(frozen=True, slots=True)
class VassalStatus:
    """
    A vassal at one moment; times are those of the reactor's clock, seconds.

    @ivar pid: of its first process; 0 if it has none.
    @ivar since: when it came into this phase.
    @ivar born: when its process was started; 0 if it has none.
    @ivar starts: how often it was started.
    @ivar reloads: how often it was asked to reload.
    @ivar failures: deaths in a row.
    @ivar failed_reloads: reloads from which it did not come back.
    @ivar accepted_at: when it said the last time that it accepts; 0 for never.
    @ivar loyal_at: when its process has answered a request; 0 if it has not.
    @ivar retry_at: when it will be started again; 0 if it is not held back.
    @ivar ending: how it died the last time; empty if it never did.
    @ivar trouble: what is wrong with it although it may run; empty for nothing.
    @ivar said: what it printed last before its trouble or its end.
    @ivar held: its socket is the Emperor's, and stays when it leaves.
    @ivar successor: the first process of its next generation; 0 for none.
    @ivar rest: what keeps it asleep, or will, besides its own wish.
    @ivar woken: it slept, and comes because somebody asked for it.
    @ivar zerg: it only helps another vassal.
    """

    id: VassalId
    phase: Phase
    since: float = 0
    pid: int = 0
    born: float = 0
    starts: int = 0
    reloads: int = 0
    failures: int = 0
    failed_reloads: int = 0
    accepted_at: float = 0
    loyal_at: float = 0
    retry_at: float = 0
    ending: str = ""
    trouble: str = ""
    said: tuple[str, ...] = ()
    held: bool = False
    successor: int = 0
    zerg: bool = False
    rest: Rest = Rest.NONE
    woken: bool = False

    @property
    def may_be_woken(self) -> bool:
        """
        Whether it sleeps, or is about to, until somebody asks for it.
        """
        asleep = self.phase in (Phase.ASLEEP, Phase.RETIRING)
        return asleep and self.rest is not Rest.STOPPED

    @property
    def is_coming(self) -> bool:
        """
        Whether it slept and is on its way.
        """
        return self.woken and self.phase in _COMING

    @property
    def returns(self) -> bool:
        """
        Whether it died, has served before and is started again in a moment: its
        socket may still be sent requests if that stays, for they wait there.
        """
        waits = self.retry_at - self.since
        return self.phase is Phase.HELD_BACK and self.accepted_at > 0 and waits <= SHORT_WAIT


#: Phases that a vassal that was woken goes through until it accepts.
_COMING = frozenset({Phase.RETIRING, Phase.QUEUED, Phase.STARTING, Phase.READY, Phase.REPLACED})
