"""
Where a socket is: the address forms of uWSGI's options as values.

Accepted texts: C{:port}, C{ip:port}, C{[v6]:port}, C{/path}, C{@abstract}.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from os import fsdecode, fsencode

FORMS = ":port, ip:port, [v6]:port, /path or @abstract"

#: Bytes of C{sun_path} on Linux, without the closing NUL (C{man 7 unix}).
PATH_LIMIT = 107


class BadAddress(ValueError):
    """
    A text that is no socket address; the message says what is accepted.
    """


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """
    A TCP socket.

    @ivar host: an IPv4 or IPv6 literal; empty for every IPv4 interface.
    """

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """
        Whether the socket belongs to IPv6.
        """
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """
    A UNIX stream socket.

    @ivar path: what goes into C{sun_path}.  An abstract name starts with NUL
        and, as uWSGI binds it, also ends with one.
    """

    path: bytes

    @property
    def is_abstract(self) -> bool:
        """
        Whether the name lives outside the file system.
        """
        return self.path.startswith(b"\0")

    def __str__(self) -> str:
        if self.is_abstract:
            return "@" + fsdecode(self.path[1:].removesuffix(b"\0"))
        return fsdecode(self.path)


Address = TcpAddress | UnixAddress


def parse_address(text: str) -> Address:
    """
    Read a socket address as uWSGI's options write it.

    @raise BadAddress: the text has none of the accepted forms.
    """
    if not text or "\0" in text:
        raise BadAddress(f"{text!r} is no socket address; accepted: {FORMS}")
    if text.startswith("@"):
        return _unix(b"\0" + _encode(text[1:]) + b"\0", text)
    if ":" in text and not text.startswith(("/", ".")):
        return _tcp(text)
    return _unix(_encode(text), text)


def _encode(path: str) -> bytes:
    try:
        return fsencode(path)
    except UnicodeEncodeError as error:
        raise BadAddress(f"{path!r} cannot be a socket's name") from error


def _unix(path: bytes, text: str) -> UnixAddress:
    if len(path) > PATH_LIMIT:
        raise BadAddress(
            f"{text!r} is {len(path)} bytes long; a socket path has at most {PATH_LIMIT}"
        )
    return UnixAddress(path)


def _tcp(text: str) -> TcpAddress:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise BadAddress(f"{port!r} in {text!r} is no port (0 to 65535)")
    return TcpAddress(_host(host, text), int(port))


def _host(host: str, text: str) -> str:
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(IPv6Address(host[1:-1]))
        return str(IPv4Address(host)) if host else ""
    except AddressValueError as error:
        raise BadAddress(f"{text!r} is no socket address ({error}); accepted: {FORMS}") from error
