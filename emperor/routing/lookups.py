"""
Under which keys a request may find its pool, the best first.

A subscribed key is a host, with or without a port, or C{host/first/second} for
a part of a site; with dotsplit, C{.example.org} stands for every host below
C{example.org}.  Its host part is kept in lower case and without a closing dot,
so that every spelling of a name meets.

For a request the host is tried as it came, with its port, then without; for
each the longest part of the path first.  Then, with dotsplit, the hosts above
it in the same manner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

from emperor.routing.keys import KEY_LIMIT

#: Hosts above the client's that are looked for.
DOTSPLIT_LIMIT = 16

_PORT = re.compile(r":[0-9]+$")

#: ASCII letters alone: a key is bytes, of which others are no letters.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


class BadKey(ValueError):
    """
    A text that cannot be a pool's key; the message says why.
    """


def pool_key(text: str, raw: bool = False) -> str:
    """
    The form in which a key is kept.

    @param raw: as it is (C{raw-host-key}).
    @raise BadKey: it is empty or over L{KEY_LIMIT} bytes.
    """
    if len(text) > KEY_LIMIT:
        raise BadKey(f"the key is {len(text)} bytes long; accepted: 1 to {KEY_LIMIT}")
    key = text if raw else _tidy(text)
    if not key:
        raise BadKey(f"the key is empty; accepted: 1 to {KEY_LIMIT} bytes")
    return key


def _tidy(text: str) -> str:
    host, slash, path = text.partition("/")
    name, port = _split_port(host)
    return (name + port + slash + path).rstrip("/")


def _split_port(host: str) -> tuple[str, str]:
    """
    @return: the name, in lower case, and the port with its colon or nothing.
    """
    whole = host.translate(_LOWER).rstrip(".:")
    name = _PORT.sub("", whole)
    return name.rstrip(".:"), whole[len(name) :]


@lru_cache(maxsize=8192)
def spellings(host: str, raw: bool = False) -> tuple[str, ...]:
    """
    The keys that a host stands for by itself, the most exact first.

    @return: empty: no key can match.
    """
    try:
        exact = pool_key(host, raw)
    except BadKey:
        return ()
    without = exact if raw or "/" in exact else _split_port(exact)[0]
    return (exact,) if without in ("", exact) else (exact, without)


def candidates(
    host: str, path: bytes, *, raw: bool = False, depth: int = 0, dotsplit: bool = False
) -> Iterator[str]:
    """
    All keys that a request may be routed by, the best first.

    @param path: without its query.
    @param depth: segments of the path that a key may have.
    """
    prefixes = path_prefixes(path, depth)
    hosts: Sequence[str] = spellings(host, raw)
    steps = DOTSPLIT_LIMIT if dotsplit else 0
    for _ in range(steps + 1):
        for name in hosts:
            for prefix in prefixes:
                if len(name) + len(prefix) <= KEY_LIMIT:
                    yield name + prefix
        hosts = [above for above in map(_above, hosts) if above]


def _above(host: str) -> str:
    """
    From C{a.b.c} or C{.a.b.c} to C{.b.c}.
    """
    dot = host.find(".", 1)
    return host[dot:] if dot >= 0 else ""


def path_prefixes(path: bytes, depth: int) -> Sequence[str]:
    """
    What of C{path} may stand in a key: whole segments, the longest first, and
    at last nothing.
    """
    if not depth or not path.startswith(b"/"):
        return ("",)
    path = path[: KEY_LIMIT + 1]
    prefixes = [""]
    end = 0
    while end < len(path) and depth:
        end = path.find(b"/", end + 1)
        end = len(path) if end < 0 else end
        if not path.endswith(b"/", 0, end):
            prefixes.append(path[:end].decode("latin-1"))
        depth -= 1
    return prefixes[::-1]
