"""
Where a subscription server is.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from os import fsencode

from emperor.addresses import PATH_LIMIT

FORMS = "host:port, ip:port, [v6]:port or /path"


class BadServer(ValueError):
    """
    A text that is no address of a server; the message says what is accepted.
    """


@dataclass(frozen=True, slots=True)
class UdpServer:
    """
    A server that takes datagrams from anywhere.

    @ivar host: a name, or an IPv4 or IPv6 literal.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixServer:
    """
    A server on the same machine.
    """

    path: str

    def __str__(self) -> str:
        return self.path


Server = UdpServer | UnixServer


def parse_server(text: str) -> Server:
    """
    Read a server's address.

    @raise BadServer: the text has none of the accepted forms.
    """
    if text.startswith("/"):
        return _unix(text)
    host, _, port = text.rpartition(":")
    if not host:
        raise BadServer(f"{text!r} is no server; accepted: {FORMS}")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise BadServer(f"{port!r} in {text!r} is no port (1 to 65535)")
    return UdpServer(_host(host, text), int(port))


def _unix(text: str) -> UnixServer:
    size = len(fsencode(text))
    if "\0" in text or size > PATH_LIMIT:
        raise BadServer(f"{text!r} has {size} bytes; a socket's path has at most {PATH_LIMIT}")
    return UnixServer(text)


def _host(host: str, text: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError as error:
            raise BadServer(f"{text!r} is no server ({error}); accepted: {FORMS}") from error
    if any(sign in host for sign in ":/[]@\0 "):
        raise BadServer(f"{text!r} is no server; accepted: {FORMS}")
    return host
