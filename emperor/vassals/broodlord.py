"""
Zergs: a vassal that has too much to do calls for help, and gets further instances.

A zerg runs its parent's file, but the section C{[zerg]} of it, and takes its
requests from sockets that the parent hands it (C{zerg-server}, C{zerg}).  So it is
nothing without its parent, and to the outside it is no site: it has no door, no
domain and no address of its own.

Rules:

  - A call brings one zerg, and as long as that one comes up further calls mean
    nothing: a vassal may call every second, or all the time.

  - There are so many zergs as C{emperor-broodlord} says, of all vassals together.

  - A zerg that has nothing to do may leave, and is forgotten.  So is one that
    dies: the next call brings another one.  But its parent waits for that as
    every vassal waits for its next start (L{emperor.vassals.backoff}); a zerg that
    leaves as soon as it has come is no better than one that dies.

  - One that asks not to be started again (exit code 26) keeps all others away until
    the file changes.

  - When the parent has reloaded, its zergs do; before that it could not hand them
    its sockets.  They ask for these at a start only, so they are started again.
    When the parent goes, dies or is started again, they leave: the sockets that
    they have are nobody's then.

  - A zerg always answers its requests before it leaves: it goes because of what
    happens to others, and somebody may just have sent one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from emperor.vassals.backoff import BackOff, Life
from emperor.vassals.spec import ZERG, VassalId, VassalSpec, shown
from emperor.vassals.status import Phase, VassalStatus
from emperor.vassals.subject import Subject
from emperor.vassals.vassal import Words
from emperor.wire.vassal import Said

#: Phases of a parent in which its calls are heard.
_CALLING = frozenset({Phase.READY, Phase.ACCEPTING, Phase.RENEWING})

#: Phases of a parent in which its zergs have its sockets.
_KEEPING = frozenset({*_CALLING, Phase.RELOADING})

#: Phases of a zerg that will help soon.
_COMING = frozenset({Phase.QUEUED, Phase.STARTING, Phase.READY, Phase.RELOADING})

#: Phases of a zerg that follows its parent's reload.
_FOLLOWING = frozenset({*_COMING, Phase.ACCEPTING, Phase.REPLACED})

#: Phases of a zerg that may know that it has nothing to do.
_WORKING = frozenset({Phase.READY, Phase.ACCEPTING})

#: Phases in which a zerg has died.
_DEAD = frozenset({Phase.HELD_BACK, Phase.EXILED})


@dataclass(slots=True)
class _Brood:
    """
    The zergs of one vassal.

    @ivar zergs: how they are.
    @ivar failures: deaths in a row.
    @ivar not_before: when the next one may come.
    @ivar exile: with which file a zerg has asked that there be no other one.
    @ivar reloading: whether the parent reloads.
    @ivar told: whether it is logged that there is no room.
    """

    zergs: dict[VassalId, VassalStatus] = field(default_factory=dict)
    failures: int = 0
    not_before: float = 0
    exile: tuple[Hashable, ...] = ()
    reloading: bool = False
    told: bool = False

    @property
    def is_growing(self) -> bool:
        """
        Whether one comes up, and not for too long already.
        """
        return any(zerg.phase in _COMING and not zerg.trouble for zerg in self.zergs.values())

    def forgive(self) -> None:
        """
        The next one may come, if it is not in exile.
        """
        self.failures, self.not_before = 0, 0


class Broodlord:
    """
    Sends zergs to the vassals that call for them, and away.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        limit: int,
        backoff: BackOff,
        vassals: Mapping[VassalId, Subject],
        start: Callable[[VassalSpec], object],
    ) -> None:
        """
        @param limit: zergs that there may be; 0: nobody gets any.
        @param vassals: all of the Emperor, its zergs among them.
        @param start: starts one more.
        """
        self._clock = clock
        self._limit = limit
        self._backoff = backoff
        self._vassals = vassals
        self._start = start
        self._broods: dict[VassalId, _Brood] = {}
        self._parents: dict[VassalId, VassalId] = {}
        self._numbers = count(1)

    def words(self, spec: VassalSpec) -> Words:
        """
        What is done with those words of a vassal that are for us.
        """
        if spec.is_zerg:
            return {Said.IDLE: partial(self._dismiss, spec.id), Said.SOS: _pass_over}
        if self._limit and not spec.arguments:
            return {Said.SOS: partial(self._help, spec.id)}
        return {}

    def saw(self, status: VassalStatus) -> None:
        """
        A vassal has a new status.
        """
        parent = self._parents.get(status.id)
        if parent is not None:
            self._saw_zerg(parent, status)
        elif status.id in self._broods:
            self._saw_parent(self._broods[status.id], status)

    def pardon(self) -> None:
        """
        Forget how zergs died.
        """
        for brood in self._broods.values():
            brood.forgive()

    def evict(self, id: VassalId) -> None:
        """
        A monitor has a vassal with this name: a zerg has to make room.
        """
        parent = self._parents.pop(id, None)
        if parent is not None:
            self._forget(parent, id)
            self._vassals[id].unwanted()

    def _help(self, id: VassalId) -> None:
        parent = self._vassals.get(id)
        if parent is None or parent.status.phase not in _CALLING:
            return
        brood = self._broods.setdefault(id, _Brood())
        is_early = self._clock.seconds() < brood.not_before
        if brood.is_growing or is_early or parent.spec.fingerprint in brood.exile:
            return
        if len(self._parents) < self._limit:
            brood.told = False
            self._hatch(parent.spec, brood)
        elif not brood.told:
            brood.told = True
            self._log.warn(
                "Vassal {vassal} calls for help in vain: there are {count} zergs, as many as "
                "emperor-broodlord allows",
                vassal=shown(id.name),
                count=len(self._parents),
            )

    def _hatch(self, parent: VassalSpec, brood: _Brood) -> None:
        id = self._free_id(parent.id)
        self._log.info(
            "Vassal {vassal} calls for help and gets {zerg}",
            vassal=shown(parent.id.name),
            zerg=shown(id.name),
        )
        self._parents[id] = parent.id
        brood.zergs[id] = VassalStatus(id, Phase.QUEUED)
        self._start(_zerg(parent, id, next(self._numbers)))

    def _free_id(self, parent: VassalId) -> VassalId:
        names = (f"{parent.name}{ZERG}{number if number > 1 else ''}" for number in count(1))
        ids = (VassalId(parent.monitor, name) for name in names)
        return next(id for id in ids if id not in self._vassals)

    def _dismiss(self, id: VassalId) -> None:
        """
        A zerg has nothing to do.
        """
        zerg = self._vassals.get(id)
        if id not in self._parents or zerg is None or zerg.status.phase not in _WORKING:
            return
        now, status = self._clock.seconds(), zerg.status
        served = now - status.accepted_at if status.phase is Phase.ACCEPTING else 0
        life = Life(now - status.born, served, bool(status.loyal_at), silent=False)
        self._judge(self._parents[id], life)
        zerg.unwanted()

    def _judge(self, parent: VassalId, life: Life) -> None:
        brood = self._broods[parent]
        sentence = self._backoff.judge(life, brood.failures)
        brood.failures = sentence.failures
        brood.not_before = max(brood.not_before, self._clock.seconds() + sentence.delay)

    def _saw_zerg(self, parent: VassalId, status: VassalStatus) -> None:
        if status.phase is Phase.GONE:
            del self._parents[status.id]
            self._forget(parent, status.id)
            return
        brood = self._broods[parent]
        before = brood.zergs[status.id]
        brood.zergs[status.id] = status
        if status.phase in _DEAD:
            self._mourn(parent, status, before)
            self._vassals[status.id].unwanted()

    def _mourn(self, parent: VassalId, status: VassalStatus, before: VassalStatus) -> None:
        """
        A zerg has died: its machine has judged that, but as if it were the first.
        """
        brood = self._broods[parent]
        if status.phase is Phase.EXILED:
            brood.exile = (self._vassals[status.id].spec.fingerprint,)
            self._deny(parent, "until its file changes")
        elif not status.failures:
            brood.forgive()
        else:
            age = status.since - before.born
            self._judge(parent, Life(age, 0, bool(status.loyal_at), silent=False))
            wait = brood.not_before - status.since
            if wait > 0:
                self._deny(parent, f"for {round(wait, 1)} s")

    def _deny(self, parent: VassalId, until: str) -> None:
        self._log.warn(
            "Vassal {vassal} gets no other zerg {until}", vassal=shown(parent.name), until=until
        )

    def _forget(self, parent: VassalId, id: VassalId) -> None:
        zergs = self._broods[parent].zergs
        del zergs[id]
        if not zergs and parent not in self._vassals:
            del self._broods[parent]

    def _saw_parent(self, brood: _Brood, status: VassalStatus) -> None:
        if status.phase is Phase.RELOADING:
            brood.reloading = True
        elif status.phase not in _KEEPING:
            brood.reloading = False
            brood.forgive()
            for id in list(brood.zergs):
                self._vassals[id].unwanted()
            if status.phase is Phase.GONE and not brood.zergs:
                del self._broods[status.id]
        elif status.phase is Phase.ACCEPTING and brood.reloading:
            brood.reloading = False
            brood.forgive()
            self._follow(brood, self._vassals[status.id].spec)

    def _follow(self, brood: _Brood, parent: VassalSpec) -> None:
        """
        A parent has read its file, so now its zergs do.
        """
        for id in [each for each, zerg in brood.zergs.items() if zerg.phase in _FOLLOWING]:
            vassal = self._vassals[id]
            vassal.wanted(_zerg(parent, id, vassal.spec.number))


def _zerg(parent: VassalSpec, id: VassalId, number: int) -> VassalSpec:
    """
    A zerg: whatever its parent is, but for the section.
    """
    return replace(parent, id=id, sockets=(), parent=parent.id, number=number)


def _pass_over() -> None:
    """
    A zerg's parent is as busy as the zerg, and calls as well.
    """
