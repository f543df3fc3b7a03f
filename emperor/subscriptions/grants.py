"""
Whose domain it is: C{vassal-domains}.

With C{emperor-tyrant} vassals' files are their users', who must not name each
other's domains.  So a domain counts if the administrator gave it to the user as
whom the vassal runs.

A domain is compared as hosts are: in lower case, without port and closing dots; a
part of a site belongs to whom the host belongs.
"""

from __future__ import annotations

import pwd
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from emperor.config.attributes import Attributes
from emperor.config.launchsettings import Grant
from emperor.routing.lookups import spellings

#: Domains that a complaint names.
MOST_NAMED = 10

_ANY = "*"


def uid_of(user: str) -> int | None:
    """
    The number of a user, given by name or number.

    @return: L{None}: there is no such user.
    """
    if user.isdecimal():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


def name_of(uid: int) -> str:
    """
    The name of a user, or the number if there is none.
    """
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class Grants:
    """
    Which user has which domains.
    """

    def __init__(
        self,
        grants: Iterable[Grant],
        uid_of: Callable[[str], int | None] = uid_of,
        name_of: Callable[[int], str] = name_of,
    ) -> None:
        """
        @param uid_of: asked at each question: users come and go.
        """
        self._uid_of = uid_of
        self._name_of = name_of
        self._users: dict[str, list[str]] = {}
        for grant in grants:
            for pattern in grant.patterns:
                self._users.setdefault(pattern, []).append(grant.user)

    def permit(self, attributes: Attributes, uid: int) -> tuple[Attributes, tuple[str, ...]]:
        """
        Keep a user's domains.

        @return: the attributes without the others, and a sentence about these.
        """
        kept = tuple(each for each in attributes.domains if self.has(uid, each.key))
        if len(kept) == len(attributes.domains):
            return attributes, ()
        lost = [each.key for each in attributes.domains if each not in kept]
        return replace(attributes, domains=kept), (self._complaint(uid, lost),)

    def has(self, uid: int, key: str) -> bool:
        """
        Whether a user has a domain.
        """
        users = {user for pattern in _patterns(_host(key)) for user in self._users.get(pattern, ())}
        return any(self._uid_of(user) == uid for user in users)

    def _complaint(self, uid: int, lost: Sequence[str]) -> str:
        user, named = self._name_of(uid), lost[:MOST_NAMED]
        more = f" and {len(lost) - len(named)} more" if len(lost) > len(named) else ""
        hosts = ",".join(dict.fromkeys(filter(None, map(_wanted, named))))
        return (
            f"it is not announced for {', '.join(named)}{more}, which nobody gave to its user "
            f"{user}; if they are his, add: vassal-domains = {user}:{hosts}"
        )


def _host(key: str) -> str:
    """
    The host of a pool's key; empty: it has none.
    """
    found = spellings(key.partition("/")[0])
    return found[-1] if found else ""


def _patterns(host: str) -> Iterable[str]:
    """
    All patterns that a host fits; one with a dot in front stands for the hosts
    below it.
    """
    if not host:
        return
    yield _ANY
    yield host
    dot = host.find(".")
    while dot >= 0:
        yield f"*{host[dot:]}"
        dot = host.find(".", dot + 1)


def _wanted(key: str) -> str:
    """
    The pattern that gives a domain and no more.
    """
    host = _host(key)
    return f"*{host}" if host.startswith(".") else host
