"""
The texts of options about subscriptions, read as values.
"""

from __future__ import annotations

import re

from emperor.addresses import SocketAddress
from emperor.config.settings import CheckKind, NodeCheck, Policy
from emperor.config.values import BadValue, address, number, words

#: OpenSSL's names of the digests that a signature may be made over.
DIGESTS = (
    "SHA1",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
    "SHA512-224",
    "SHA512-256",
    "SHA3-224",
    "SHA3-256",
    "SHA3-384",
    "SHA3-512",
    "MD5",
    "SM3",
)

#: Segments of a path; nobody sends longer keys.
MOST_MOUNTPOINTS = 64

#: A path and a query, as they stand in a request.
_PAGE = re.compile(r"http:(/([!\"$&-~]|%(?!00)[0-9A-Fa-f]{2}){0,1023})", re.ASCII)

_PLAIN_ALGORITHMS = ("wrr", "lrc", "wlrc", "iphash", "chash")
_HASHED = re.compile(r"chash:(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})", re.ASCII)
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)


def algorithm(text: str) -> str:
    """
    How a pool chooses, in the spelling of the settings.

    @raise BadValue: there is no such way.
    """
    hashed = _HASHED.fullmatch(text)
    if hashed is not None:
        name = hashed[2].lower() if hashed[1] == "header" else hashed[2]
        return f"chash:{hashed[1]}:{name}"
    if text not in _PLAIN_ALGORITHMS:
        accepted = f"{', '.join(_PLAIN_ALGORITHMS)}, chash:header:NAME or chash:cookie:NAME"
        raise BadValue(f"{text!r} is no way to choose a node; accepted: {accepted}")
    return text


def policy(text: str) -> Policy:
    """
    Which subscriptions are believed.

    @raise BadValue: the text is no word for it.
    """
    try:
        return Policy(text)
    except ValueError:
        accepted = ", ".join(member.value for member in Policy)
        raise BadValue(f"{text!r} is no policy; accepted: {accepted}") from None


def check(text: str) -> NodeCheck:
    """
    How nodes are checked.

    @raise BadValue: there is no such way.
    """
    page = _PAGE.fullmatch(text)
    if page is not None:
        return NodeCheck(CheckKind.HTTP, page[1])
    if text not in (CheckKind.CONNECT.value, CheckKind.PING.value):
        raise BadValue(f"{text!r} is no check; accepted: connect, ping or http:/PATH")
    return NodeCheck(CheckKind(text))


def signatures(text: str) -> tuple[str, str]:
    """
    C{DIGEST:DIRECTORY}.

    @return: the digest in capitals, and the directory.
    @raise BadValue: the digest is unknown, or a part is missing.
    """
    digest, _, directory = text.partition(":")
    if digest.upper() not in DIGESTS:
        raise BadValue(
            f"{digest!r} is no digest; accepted: DIGEST:DIRECTORY with {', '.join(DIGESTS)}"
        )
    if not directory:
        raise BadValue(f"{text!r} names no directory; accepted: DIGEST:DIRECTORY")
    return digest.upper(), directory


def user(text: str) -> int:
    """
    The number of a user whose word is enough; that of root never is.

    @raise BadValue: it is none, or root's.
    """
    return number(text, lowest=1, highest=2**32 - 2)


def mountpoints(text: str) -> int:
    """
    How many segments of a path count; one without a value.

    @raise BadValue: the text is no such number.
    """
    return number(text, highest=MOST_MOUNTPOINTS) if text else 1


def datagrams(text: str) -> SocketAddress:
    """
    Where datagrams come in.

    @raise emperor.addresses.BadAddress: the text is no address.
    @raise BadValue: it is one that datagrams cannot come to: uWSGI's instances
        take C{@} for the beginning of a file's name, so they do not find
        an abstract socket.
    """
    if text.startswith(("=", "@")) or "://" in text:
        raise BadValue(
            f"{text!r} is nowhere to send datagrams to;"
            " accepted: ip:port, [v6]:port, :port or /path"
        )
    return address(text)


def server(text: str) -> str:
    """
    Where to send datagrams: a path, or a host by address or name with its port.

    @raise emperor.addresses.BadAddress: the address or path is malformed.
    @raise BadValue: the text is none of them.
    """
    host, colon, port = words(text).rpartition(":")
    if text.startswith("/") or host.startswith("["):
        address(text)
        return text
    if not (colon and _HOST_NAME.fullmatch(host)):
        raise BadValue(f"{text!r} is no server; accepted: HOST:PORT, [v6]:PORT or /path")
    number(port, lowest=1, highest=65535)
    return text
