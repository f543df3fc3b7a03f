"""
Where a socket is: the address forms of uWSGI's options as values.

A L{SocketAddress} is what the kernel takes: C{:port}, C{ip:port}, C{[v6]:port},
C{/path}, C{@abstract}.  A node may also have a name (C{host:port}) and speak
TLS (C{tls://host:port}); a router may also listen on what is open already:
C{=N}, a shared socket, and C{fd://N} or C{fd://NAME}, one that was passed to
the program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from os import fsdecode, fsencode

FORMS = ":port, ip:port, [v6]:port, /path or @abstract"
NODE_FORMS = f"{FORMS}, host:port or tls://host:port"
LISTEN_FORMS = f"{FORMS}, host:port, =N, fd://N or fd://NAME"

#: Bytes of C{sun_path} on Linux, without the closing NUL (C{man 7 unix}).
PATH_LIMIT = 107

#: The user who listens at a socket, where it does not matter who does.
ANYBODY = -1

#: Characters of a DNS name (RFC 1035 2.3.4), without the length byte and the end.
NAME_LIMIT = 253

#: A part of a DNS name (RFC 1123 2.1), with the underscores of containers' names.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")

#: With this at the end it is a spelling of an IPv4 address for resolvers.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")


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


SocketAddress = TcpAddress | UnixAddress


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """
    A TCP socket whose host has to be looked up.

    @ivar host: a DNS name in lower case.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TlsAddress:
    """
    A TCP socket behind which TLS is spoken.

    @ivar server: its host is the name or the IP address that the certificate
        must have.
    """

    server: TcpAddress | NamedAddress

    def __str__(self) -> str:
        return f"tls://{self.server}"


#: Where requests are sent.
Address = SocketAddress | NamedAddress | TlsAddress


@dataclass(frozen=True, slots=True)
class SharedSocket:
    """
    One of the sockets of C{shared-socket}.

    @ivar number: its place among them, from 0.
    """

    number: int

    def __str__(self) -> str:
        return f"={self.number}"


@dataclass(frozen=True, slots=True)
class PassedSocket:
    """
    A socket that was open when the program was started.

    @ivar name: the number of its descriptor, or its name among C{LISTEN_FDNAMES}.
    """

    name: str

    def __str__(self) -> str:
        return f"fd://{self.name}"


@dataclass(frozen=True, slots=True)
class BorrowedSocket:
    """
    A listening socket that was not opened for the router that uses it: others
    may use it as well, and its file is not the router's to remove.

    @ivar address: where it listens.
    @ivar origin: where it was taken from, as C{"fd://3"}.
    """

    address: SocketAddress
    origin: str

    def __str__(self) -> str:
        return f"{self.address} ({self.origin})"


#: Where a router listens.
ListenAddress = SocketAddress | NamedAddress | SharedSocket | PassedSocket | BorrowedSocket


def parse_node(text: str) -> Address:
    """
    Read the address of a node.

    @raise BadAddress: the text has none of the accepted forms.
    """
    scheme, _, rest = text.partition("tls://")
    if rest and not scheme:
        server = _server(rest, text, NODE_FORMS)
        if not server.host:
            raise BadAddress(f"{text!r} has no host, whose certificate would have to be verified")
        return TlsAddress(server)
    return _server(text, text, NODE_FORMS) if _has_port(text) else parse_address(text)


def parse_announced(text: str) -> Address:
    """
    Read the address that a node, wherever it runs, gives as its own: a relative
    path leads nowhere then.

    @raise BadAddress: the text has none of the accepted forms.
    """
    if not text.startswith(("/", "@")) and not _has_port(text):
        raise BadAddress(f"{text!r} is no address of a node; accepted: {NODE_FORMS}")
    return parse_node(text)


def parse_listen(text: str) -> ListenAddress:
    """
    Read the address that a router listens on.

    @raise BadAddress: the text has none of the accepted forms.
    """
    if text.startswith("="):
        return SharedSocket(int(_number(text[1:], "shared socket", text)))
    if text.startswith("fd://"):
        return _passed(text.removeprefix("fd://"), text)
    return _server(text, text, LISTEN_FORMS) if _has_port(text) else parse_address(text)


def parse_address(text: str) -> SocketAddress:
    """
    Read a socket address as uWSGI's options write it.

    @raise BadAddress: the text has none of the accepted forms.
    """
    if not text or "\0" in text:
        raise BadAddress(f"{text!r} is no socket address; accepted: {FORMS}")
    if text.startswith("@"):
        return _unix(b"\0" + _encode(text[1:]) + b"\0", text)
    if _has_port(text):
        host, port = _split(text)
        return TcpAddress(_literal(host, text, FORMS), port)
    return _unix(_encode(text), text)


def _has_port(text: str) -> bool:
    return ":" in text and not text.startswith(("/", ".", "@")) and "\0" not in text


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


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise BadAddress(f"{port!r} in {text!r} is no port (0 to 65535)")
    return host, int(port)


def _literal(host: str, text: str, forms: str) -> str:
    try:
        if host.startswith("[") and host.endswith("]"):
            return _zoned(IPv6Address(host[1:-1]), text)
        return str(IPv4Address(host)) if host else ""
    except AddressValueError as error:
        raise BadAddress(f"{text!r} is no socket address ({error}); accepted: {forms}") from error


def _zoned(address: IPv6Address, text: str) -> str:
    """
    An address with its zone, the interface after the %.
    """
    if address.scope_id is not None and not address.is_link_local:
        raise BadAddress(
            f"%{address.scope_id} in {text!r}: only a link-local address, which begins with fe80:,"
            " has an interface, as [fe80::1%eth0]:port; accepted otherwise: [v6]:port"
        )
    return str(address)


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    fits = len(host) <= NAME_LIMIT and all(_LABEL.match(label) for label in labels)
    return fits and not _NUMBER.match(labels[-1])


def _server(place: str, text: str, forms: str) -> TcpAddress | NamedAddress:
    host, port = _split(place)
    name = host.lower()
    if _is_name(name):
        return NamedAddress(name, port)
    return TcpAddress(_literal(host, text, forms), port)


def _passed(name: str, text: str) -> PassedSocket:
    if name.isdecimal():
        return PassedSocket(_number(name, "descriptor", text))
    if not (name.isascii() and name.isprintable()) or not name or ":" in name or len(name) > 255:
        raise BadAddress(f"{text!r} names no descriptor; accepted: {LISTEN_FORMS}")
    return PassedSocket(name)


def _number(digits: str, what: str, text: str) -> str:
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 5):
        raise BadAddress(
            f"{digits!r} in {text!r} is no number of a {what}; accepted: {LISTEN_FORMS}"
        )
    return str(int(digits))
