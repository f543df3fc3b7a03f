"""
What is known of subscribed nodes as plain values, which survive a restart as
JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from math import inf

from emperor.routing.subscribed import SubscribedPool
from emperor.wire.subscription import Announcement

#: Of the form of a snapshot.
VERSION = 1

#: Values that fields of an announcement can have, by their annotation.
_TYPES: dict[str, type] = {"bool": bool, "int": int, "str": str}


_FIELDS = [field.name for field in fields(Announcement)]


class BadSnapshot(ValueError):
    """
    A value that L{dump} did not make; the message says why.
    """


@dataclass(frozen=True, slots=True)
class Remembered:
    """
    A node of a snapshot.

    @ivar age: seconds between its last announcement and the snapshot.
    @ivar silent: see L{emperor.routing.members.Member}; C{hops}, too.
    """

    announcement: Announcement
    age: float
    silent: bool = False
    hops: tuple[str, ...] = ()


def dump(pools: Iterable[SubscribedPool], now: float) -> dict[str, object]:
    """
    All nodes in their order, as JSON can hold them, but for C{nodes}, which is an
    iterator: so that it can be taken in pieces each node is read when its turn
    comes.  One that comes or goes meanwhile may be in it or not.
    """
    return {"version": VERSION, "nodes": _nodes(pools, now)}


def _nodes(pools: Iterable[SubscribedPool], now: float) -> Iterator[dict[str, object]]:
    for pool in tuple(pools):
        for member in tuple(pool.members.values()):
            age = max(0.0, now - member.last_check)
            yield _row(member.announcement, age, member.silent, member.hops)
        for sleeper in tuple(pool.sleepers.values()):
            yield _row(sleeper.announcement, max(0.0, now - sleeper.last_check))


def _row(
    announcement: Announcement, age: float, silent: bool = False, hops: tuple[str, ...] = ()
) -> dict[str, object]:
    """
    The fields of a L{Remembered}.
    """
    # A tenth of the time that dataclasses.asdict takes, which copies each value.
    values = {name: getattr(announcement, name) for name in _FIELDS}
    return {"announcement": values, "age": age, "silent": silent, "hops": hops}


def load(snapshot: object) -> list[Remembered]:
    """
    The nodes of a snapshot.

    @raise BadSnapshot: it is none, or one of another version.
    """
    if not isinstance(snapshot, Mapping) or snapshot.get("version") != VERSION:
        raise BadSnapshot(f"no snapshot of subscriptions of version {VERSION}")
    nodes = snapshot.get("nodes")
    if not isinstance(nodes, list):
        raise BadSnapshot("the snapshot's nodes are no list")
    return [_node(number, node) for number, node in enumerate(nodes)]


def _node(number: int, node: Mapping[str, object]) -> Remembered:
    try:
        age, silent, values = node["age"], node["silent"], node["announcement"]
        if not isinstance(age, int | float) or not 0 <= age < inf:
            raise ValueError(f"its age is {age!r}")
        if not isinstance(silent, bool) or not isinstance(values, Mapping):
            raise ValueError(f"silent is {silent!r}, announcement is {values!r}")
        return Remembered(_announcement(values), age, silent, _hops(node.get("hops", [])))
    except (KeyError, TypeError, ValueError) as error:
        raise BadSnapshot(f"node {number} of the snapshot is malformed: {error}") from error


def _hops(values: object) -> tuple[str, ...]:
    # Snapshots of earlier versions have none.
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise ValueError(f"hops is {values!r}, not a list of marks")
    return tuple(values)


def _announcement(values: Mapping[str, object]) -> Announcement:
    """
    Fields that another version of ours wrote and this one does not have are
    left out.
    """
    known = {}
    for field in fields(Announcement):
        if field.name in values:
            known[field.name] = value = values[field.name]
            if type(value) is not _TYPES[str(field.type)]:
                raise ValueError(f"{field.name} is {value!r}, not of the type {field.type}")
    if known.get("leaving") or (known.get("clear") and known.get("vassal")):
        raise ValueError("the node is about to leave")
    return Announcement(**known)  # type: ignore[arg-type]
