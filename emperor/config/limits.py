"""
Limits of a vassal, as its section C{[emperor]} names them.

C{rlimit-…} are those of C{setrlimit(2)}, for each of its processes; the others
are those of its control group, for all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import inf

from emperor.config.values import BadValue, number, seconds, size
from emperor.wire.rights import GroupLimit, ResourceLimit

#: The word for no limit.
NONE = "unlimited"

#: Microseconds in which a share of processors is counted.
_PERIOD = 100_000

_RESOURCE = "rlimit-"


@dataclass(frozen=True, slots=True)
class Limit:
    """
    A limit as it was written.

    @ivar amount: bytes, seconds, a count, or hundredths of a processor.
    """

    key: str
    amount: float


def _whole_seconds(text: str) -> int:
    return int(seconds(text)) or 1


def _percent(text: str) -> int:
    if not text.endswith("%"):
        raise BadValue(f"{text!r} is no share of processors; accepted: such as 50% or 150%")
    return number(text[:-1].strip(), lowest=1, highest=100_000)


_count = partial(number, lowest=1)

_RESOURCES: dict[str, Callable[[str], float]] = {
    "as": size,
    "core": size,
    "cpu": _whole_seconds,
    "data": size,
    "fsize": size,
    "memlock": size,
    "nofile": _count,
    "nproc": _count,
    "sigpending": _count,
    "stack": size,
}

_GROUP: dict[str, Callable[[str], float]] = {
    "memory-max": size,
    "memory-high": size,
    "cpu-max": _percent,
    "pids-max": _count,
}

_PARSERS = {**{_RESOURCE + name: parse for name, parse in _RESOURCES.items()}, **_GROUP}

#: The names of all limits.
LIMITS = tuple(_PARSERS)


def parse_limit(key: str, text: str) -> Limit:
    """
    Read the value of one of L{LIMITS}.

    @raise BadValue: it is none.
    """
    return Limit(key, inf if text == NONE else _PARSERS[key](text))


def chosen(limits: Iterable[Limit], lowest: bool) -> list[Limit]:
    """
    One limit for each key.

    @param lowest: the lowest one counts, and not the last one.
    """
    found: dict[str, Limit] = {}
    for limit in limits:
        before = found.get(limit.key)
        if before is None or not lowest or limit.amount < before.amount:
            found[limit.key] = limit
    return list(found.values())


def resource_limits(limits: Iterable[Limit]) -> tuple[ResourceLimit, ...]:
    """
    Those that each process has for itself.
    """
    return tuple(
        ResourceLimit(limit.key.removeprefix(_RESOURCE), _whole(limit.amount))
        for limit in limits
        if limit.key.startswith(_RESOURCE)
    )


def group_limits(limits: Iterable[Limit]) -> tuple[GroupLimit, ...]:
    """
    Those that they have together.
    """
    return tuple(
        GroupLimit(limit.key.replace("-", "."), _written(limit))
        for limit in limits
        if limit.key in _GROUP
    )


def _written(limit: Limit) -> str:
    if limit.key == "cpu-max":
        share = "max" if limit.amount == inf else str(int(limit.amount) * _PERIOD // 100)
        return f"{share} {_PERIOD}"
    return "max" if limit.amount == inf else str(int(limit.amount))


def _whole(amount: float) -> int:
    return -1 if amount == inf else int(amount)
