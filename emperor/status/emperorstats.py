"""
The Emperor's state in the form of uWSGI's: all of uWSGI's names first and in
uWSGI's order in each object, and ours behind them.
Source: what a running uWSGI prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emperor.config.describe import redacted
from emperor.config.settings import EmperorSettings
from emperor.status.jsontext import readable
from emperor.status.snapshot import take_program
from emperor.vassals.memoirs import NOBODY, Memoir, Memoirs
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.view import SourceView, VassalView
from emperor.wire.rights import User

#: What uWSGI shows of the value of C{emperor} where it does not begin with a path.
_SHOWN_WITHOUT = ("dir://", "glob://")

_ACCEPTING = frozenset({Phase.ACCEPTING, Phase.RENEWING})
_INITIALISED = frozenset({Phase.READY, *_ACCEPTING})
_LEAVING = frozenset({Phase.STOPPING, Phase.REPLACED, Phase.RETIRING, Phase.ORPHANED})


@dataclass(frozen=True, slots=True)
class EmperorState:
    """
    What there is to show.

    @ivar settings: what the Emperor was told to be.
    @ivar sources: its monitors; those of C{settings.monitors} are the first ones.
    @ivar vassals: each is read when its turn comes.
    """

    settings: EmperorSettings
    sources: Sequence[SourceView]
    vassals: Iterable[VassalView]
    memoirs: Memoirs


def describe(state: EmperorState) -> dict[str, Any]:
    """
    The object of the Emperor; lists in it may be iterators.
    """
    written = [monitor_name(text) for text in state.settings.monitors]
    sources = [source.source for source in state.sources]
    names = {source: readable(redacted(source)) for source in sources}
    names.update(zip(sources, written, strict=False))
    # It is complete when the vassals before it are written: to look for those
    # who died once more would hold up everybody.
    died: list[dict[str, Any]] = []
    program = take_program()
    return {
        **program.described(),
        "emperor": written,
        "emperor_tyrant": int(state.settings.launch.tyrant),
        "throttle_level": 0,
        "vassals": _vassals(state, names, died, User(program.uid, program.gid)),
        "blacklist": died,
        "monitors": [_source(source, names[source.source]) for source in state.sources],
    }


def monitor_name(text: str) -> str:
    """
    A value of C{emperor} as uWSGI shows it, and without passwords.
    """
    for scheme in _SHOWN_WITHOUT:
        text = text.removeprefix(scheme)
    return readable(redacted(text))


def _source(source: SourceView, name: str) -> dict[str, Any]:
    return {
        "monitor": name,
        "source": readable(redacted(source.source)),
        "vassals": source.vassals,
        "trouble": readable(redacted(source.trouble)),
    }


def _vassals(
    state: EmperorState, names: Mapping[str, str], died: list[dict[str, Any]], program: User
) -> Iterator[dict[str, Any]]:
    nobody = NOBODY if state.settings.launch.tyrant else program
    for view in state.vassals:
        memoir = state.memoirs[view.status.id]
        if view.status.failures and memoir.last_death and not view.status.loyal_at:
            died.append(_death(view.status, memoir))
        source = view.status.id.monitor
        user = nobody if memoir.user is NOBODY else memoir.user
        yield {
            **_like_uwsgi(view, memoir, user, names.get(source, "")),
            **_ours(view, memoir),
        }


def _death(status: VassalStatus, memoir: Memoir) -> dict[str, Any]:
    return {
        "id": readable(status.id.name),
        "throttle_level": round(memoir.wait * 1000),
        "attempt": status.failures - 1,
        "first_attempt": int(memoir.first_death),
        "last_attempt": int(memoir.last_death),
    }


def _like_uwsgi(view: VassalView, memoir: Memoir, user: User, monitor: str) -> dict[str, Any]:
    status, doorway = view.status, view.doorway
    asleep_at = str(doorway.address) if doorway is not None and doorway.on_demand else ""
    return {
        "id": readable(status.id.name),
        "pid": status.pid or -1,
        "born": int(memoir.modified or view.spec.modified),
        "last_mod": int(view.spec.modified),
        "last_heartbeat": int(view.beat_at),
        "loyal": int(status.loyal_at > 0),
        "ready": int(status.phase in _INITIALISED),
        "accepting": int(status.phase in _ACCEPTING),
        "last_loyal": int(status.loyal_at),
        "last_ready": int(memoir.ready_at),
        "last_accepting": int(status.accepted_at),
        "first_run": int(memoir.first_run),
        "last_run": int(memoir.last_run),
        "cursed": int(status.since) if status.phase in _LEAVING else 0,
        "zerg": int(view.spec.is_zerg),
        "on_demand": readable(asleep_at),
        "suspended": int(status.rest is not Rest.NONE),
        "adopted": 0,
        "uid": user.uid,
        "gid": user.gid,
        "monitor": monitor,
        "attrs": _attributes(memoir.collected),
        "respawns": status.reloads,
    }


def _attributes(collected: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in collected:
        found.setdefault(readable(key), []).append(readable(value))
    return found


def _ours(view: VassalView, memoir: Memoir) -> dict[str, Any]:
    status, doorway = view.status, view.doorway
    return {
        "phase": status.phase.value,
        "since": int(status.since),
        "directory": readable(view.spec.directory),
        "addresses": sorted(readable(str(address)) for address in view.addresses),
        "domains": [readable(domain) for domain in memoir.domains],
        "door": readable(str(doorway.address)) if doorway is not None else "",
        "successor": status.successor or -1,
        "starts": status.starts,
        "reloads": status.reloads,
        "failed_reloads": status.failed_reloads,
        "failures": status.failures,
        "retry_at": int(status.retry_at),
        "ending": readable(status.ending),
        "trouble": readable(status.trouble),
        "said": [readable(line) for line in status.said],
    }
