"""
What a vassal's process may do: whose it is, and how much it may take.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """
    Whose a process is.

    @ivar with_groups: it is in the groups of its user as the system has them,
        and not in its own group alone.
    """

    uid: int
    gid: int
    with_groups: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    What root may be capable of at most, in this process and all that come from
    it.

    @ivar numbers: as in C{linux/capability.h}.
    """

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ResourceLimit:
    """
    One of C{setrlimit(2)}, soft and hard.

    @ivar name: as in the module C{resource}, without C{RLIMIT_}, in lower case.
    @ivar value: -1 for no limit.
    """

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """
    A limit of a control group: a file and what is written into it.
    """

    file: str
    value: str


@dataclass(frozen=True, slots=True)
class Rights:
    """
    What a process may do.

    @ivar user: L{None}: whose the program is.
    @ivar capabilities: L{None}: those that the program has.
    @ivar namespaces: what it has of its own: C{ipc}, C{net}, C{pid}, C{mount},
        C{uts}.
    @ivar resources: each name once.  One that changes its user never gets more
        than the program has.
    """

    user: User | None = None
    capabilities: Capabilities | None = None
    namespaces: tuple[str, ...] = ()
    resources: tuple[ResourceLimit, ...] = ()
    group: tuple[GroupLimit, ...] = ()
