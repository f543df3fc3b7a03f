"""
What is known of subscribed nodes as plain values, which survive a restart as
JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from math import inf

from emperor.routing.subscribed import SubscribedPool
from emperor.wire.subscription import Announcement

#: Of the form of a snapshot.
VERSION = 1

#: Values that fields of an announcement can have, by their annotation.
_TYPES: dict[str, type] = {"bool": bool, "int": int, "str": str}


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
    All nodes in their order, as JSON can hold them.
    """
    nodes = []
    for pool in pools:
        for member in pool.members.values():
            age = now - member.last_check
            nodes.append(Remembered(member.announcement, age, member.silent, member.hops))
        for sleeper in pool.sleepers.values():
            nodes.append(Remembered(sleeper.announcement, now - sleeper.last_check))
    return {"version": VERSION, "nodes": [asdict(node) for node in nodes]}


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
