"""
The texts of options that only routers have, read as values.
"""

from __future__ import annotations

import re
from ipaddress import ip_network

from emperor.addresses import UnixAddress
from emperor.config.redisurl import FORMS, RedisSource, parse_redis_url
from emperor.config.settings import LOOPBACK, CodeSource, Mapper
from emperor.config.values import BadValue, address, words

#: Bytes of a key, as in a subscription.
KEY_LIMIT = 255

#: What stands for peers over UNIX sockets among L{peers}.
UNIX = "unix"

_KEY = re.compile(r"[!-~]+", re.ASCII)
_OWNER = re.compile(r"[^\s:]+(:[^\s:]+)?")
_SHARED = re.compile(r"=([0-9]{1,4})", re.ASCII)


def shared_socket(text: str) -> int | None:
    """
    The index of C{=N}.

    @return: or L{None}: the text is another kind of address.
    """
    match = _SHARED.fullmatch(text)
    return int(match[1]) if match else None


def unix_socket(text: str) -> UnixAddress:
    """
    A UNIX stream socket.

    @raise BadValue: the text is an address of another kind, or none.
    """
    if not text.startswith(("/", "@", "./")):
        raise BadValue(f"{text!r} is no UNIX socket; accepted: /path or @abstract")
    found = address(text)
    assert isinstance(found, UnixAddress)
    return found


def owner(text: str) -> str:
    """
    C{USER} or C{USER:GROUP}; who that is will be asked when it is needed.

    @raise BadValue: a name is missing.
    """
    if not _OWNER.fullmatch(text):
        raise BadValue(f"{text!r} is no owner; accepted: USER or USER:GROUP, names or numbers")
    return text


def key(text: str) -> str:
    """
    The name of a pool.

    @raise BadValue: no client can ask for it, or it is too long.
    """
    if not _KEY.fullmatch(text):
        raise BadValue(f"{text!r} is no key; accepted: a host, in ASCII and without blanks")
    if len(text) > KEY_LIMIT:
        raise BadValue(f"a key of {len(text)} bytes; at most {KEY_LIMIT} are accepted")
    return text


def mapper_order(text: str) -> tuple[Mapper, ...]:
    """
    The mappers in their order; those not named follow in uWSGI's.

    @raise BadValue: a word is no mapper, or comes twice.
    """
    named: list[Mapper] = []
    for word in text.split(","):
        mapper = _mapper(word.strip())
        if mapper in named:
            raise BadValue(f"{mapper.value} comes twice")
        named.append(mapper)
    return (*named, *(mapper for mapper in Mapper if mapper not in named))


def _mapper(word: str) -> Mapper:
    try:
        return Mapper(word)
    except ValueError:
        accepted = ", ".join(mapper.value for mapper in Mapper)
        raise BadValue(f"{word!r} is no mapper; accepted: {accepted}") from None


def cache(text: str) -> RedisSource:
    """
    The URL of a Redis server.

    @raise BadValue: it is none.  The message does not have the text, in which
        there may be a password.
    """
    if "://" not in text:
        raise BadValue(
            "uWSGI's own caches are not there: the map is in a Redis server,"
            f" with a host for each key; accepted: {FORMS}"
        )
    return parse_redis_url(words(text))


def code(text: str) -> CodeSource:
    """
    C{0:FILE:FUNCTION}.

    @raise BadValue: a part is missing, or it is another language than Python.
    """
    modifier, _, rest = text.partition(":")
    path, _, function = rest.rpartition(":")
    if not (path and function.isidentifier()):
        raise BadValue(f"{text!r} is no function; accepted: 0:FILE:FUNCTION")
    if modifier != "0":
        raise BadValue(f"modifier {modifier!r} is another language; accepted: 0, which is Python")
    return CodeSource(path, function)


def peers(text: str) -> tuple[str, ...]:
    """
    Whom to believe: networks as C{ADDRESS/BITS}, and C{unix}.

    @raise BadValue: a word is none of them.
    """
    found: list[str] = []
    for word in text.split(","):
        found += _peer(word.strip())
    return tuple(found)


def _peer(word: str) -> tuple[str, ...]:
    known = {"loopback": LOOPBACK, UNIX: (UNIX,), "none": ()}
    if word in known:
        return known[word]
    try:
        return (str(ip_network(word)),)
    except ValueError as error:
        raise BadValue(
            f"{word!r} is no network ({error});"
            " accepted: ADDRESS, ADDRESS/BITS, loopback, unix or none"
        ) from error
