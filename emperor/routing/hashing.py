"""
From a client to a number, the same in every process and at every start.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log
from socket import AF_INET, AF_INET6, inet_pton

from emperor.routing.members import Member

_MAPPED = b"::ffff:"


def djb33x(data: bytes) -> int:
    """
    The 32-bit hash that uWSGI uses for its pools and for IPv6 clients: bytes
    are signed there.
    """
    value = 5381
    for byte in data:
        value = (value * 33 & 0xFFFFFFFF) ^ (byte if byte < 128 else byte | 0xFFFFFF00)
    return value


@lru_cache(maxsize=8192)
def client_number(address: bytes) -> int:
    """
    The number that uWSGI's C{iphash} makes of a client's address.

    @param address: in text; an IPv4 address in IPv6 counts as IPv4, and what
        is no address is a text as good as any.
    """
    text = address.decode("latin-1")
    if address.startswith(_MAPPED) and b"." in address:
        text = text[len(_MAPPED) :]
    try:
        if ":" in text:
            return djb33x(inet_pton(AF_INET6, text))
        return int.from_bytes(inet_pton(AF_INET, text), "little")
    except (OSError, ValueError):
        return djb33x(address[:256])


def rendezvous(value: bytes, members: Sequence[Member]) -> Member:
    """
    The node that C{value} belongs to.

    Each node draws a number for the value, and the best one wins.  So a node
    that comes takes over its own share and one that goes leaves its own; all
    other values stay where they are.  With weights: U{weighted rendezvous
    hashing<https://en.wikipedia.org/wiki/Rendezvous_hashing>}.
    """
    key = blake2b(value, digest_size=16).digest()
    return min(members, key=lambda member: _draw(key, member))


def _draw(key: bytes, member: Member) -> float:
    drawn = int.from_bytes(blake2b(key + member.salt, digest_size=8).digest(), "big")
    return -log((drawn + 1) / 2**64) / member.weight


def cookie(header: bytes, name: bytes) -> bytes:
    """
    The value of a cookie in a C{Cookie} header.

    @return: empty: it is not there.
    """
    for pair in header.split(b";"):
        found, _, value = pair.partition(b"=")
        if found.strip() == name:
            return value.strip()
    return b""
