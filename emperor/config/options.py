"""
The option table: one row for each option this program has.

The settings are built from it, C{--check} prints it, and
docs/reference/options.md is generated from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """
    What a value may be.  The member's value is what the reference calls it.
    """

    #: Any text but the empty one.
    TEXT = "text"
    #: On without a value; off with false, off, no or 0.
    FLAG = "flag"
    #: A count of at least 1.
    COUNT = "number"
    #: 0 to 255, as in a uwsgi packet.
    MODIFIER = "0 to 255"
    #: Seconds; at least something.
    SECONDS = "seconds"
    #: Seconds that may be none at all.
    GRACE = "seconds, 0 for none"
    #: Milliseconds that may be none at all.
    MILLISECONDS = "milliseconds"
    #: Bytes, with K, M or G if wanted.
    BYTES = "bytes"
    #: An octal file mode.
    MODE = "octal mode"
    #: A socket address.
    ADDRESS = "address"
    #: C{NAME=VALUE}.
    ASSIGNMENT = "NAME=VALUE"
    #: Something the key is put behind.
    BASE = "address prefix"
    #: Something with C{%s} for the key.
    PATTERN = "address with %s"
    #: C{REGEX uwsgi:ADDRESS,MODIFIER1,MODIFIER2}.
    RULE = "REGEX uwsgi:ADDRESS,MODIFIER1,MODIFIER2"
    #: Which transports the routers run on.
    TRANSPORT = "epoll or twisted"
    #: A count of at least 1, or one for each processor.
    PROCESSES = "number or auto"
    #: On, off or seconds.
    KEEPALIVE = "seconds, or 1 or true for the time-out, 0 or false for off"


class Service(Enum):
    """
    Which part of the program an option belongs to; the value is its title.
    """

    PROGRAM = "The program"
    EMPEROR = "The Emperor"
    ROUTING = "Both routers"
    HTTP = "The HTTP router"
    FASTROUTER = "The FastRouter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """
    One option.

    @ivar default: as it would be written; empty for none.
    @ivar follows: the option whose value is the default.
    @ivar ours: uWSGI does not have it.
    """

    name: str
    kind: Kind
    service: Service
    help: str
    aliases: tuple[str, ...] = ()
    default: str = ""
    follows: str = ""
    repeatable: bool = False
    ours: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """
        The name and its aliases.
        """
        return (self.name, *self.aliases)


def _program() -> Iterator[Option]:
    service = Service.PROGRAM
    yield Option(
        name="shutdown-grace",
        kind=Kind.GRACE,
        service=service,
        default="30",
        ours=True,
        help="How long requests in flight may take to end when the program stops.",
    )
    yield Option(
        name="strict",
        kind=Kind.FLAG,
        service=service,
        default="off",
        help="Refuse names that are neither an option nor used as a placeholder.",
    )


def _emperor() -> Iterator[Option]:
    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=name, kind=kind, service=Service.EMPEROR, help=help, **more)

    many = {"repeatable": True}
    yield row(
        "emperor",
        Kind.TEXT,
        "Where vassals are written down: a directory, a pattern or a URL.",
        **many,
    )
    yield row("emperor-freq", Kind.SECONDS, "Time between two looks at a source.", default="3")
    yield row(
        "emperor-curse-tolerance",
        Kind.GRACE,
        "How long a stopping vassal may take before it is killed.",
        default="30",
    )
    yield row(
        "emperor-throttle",
        Kind.MILLISECONDS,
        "Wait before a vassal that died is started again; doubles each time.",
        default="1000",
    )
    yield row("emperor-max-throttle", Kind.MILLISECONDS, "The longest such wait.", default="180000")
    yield row(
        "emperor-nofollow",
        Kind.FLAG,
        "A link is changed when the link itself is, not its target.",
        default="off",
    )
    yield row(
        "emperor-extra-extension",
        Kind.TEXT,
        "Another file name ending that makes a file a vassal.",
        aliases=("emperor-extra-ext",),
        **many,
    )
    yield row(
        "vassals-inherit-before",
        Kind.TEXT,
        "A template each vassal inherits before its own file.",
        **many,
    )
    yield row(
        "vassals-include-before",
        Kind.TEXT,
        "A template each vassal includes before its own file.",
        **many,
    )
    yield row(
        "vassals-set",
        Kind.ASSIGNMENT,
        "An option or placeholder set in each vassal.",
        aliases=("vassal-set",),
        **many,
    )
    yield row(
        "vassals-inherit", Kind.TEXT, "A template each vassal inherits after its own file.", **many
    )
    yield row(
        "vassals-include", Kind.TEXT, "A template each vassal includes after its own file.", **many
    )
    yield row(
        "binary-path",
        Kind.TEXT,
        "The uWSGI program that vassals run; found by itself if not given.",
    )


def _routing() -> Iterator[Option]:
    service = Service.ROUTING
    yield Option(
        name="route-host",
        kind=Kind.RULE,
        service=service,
        repeatable=True,
        help="Send hosts that match to an address; $1 is the first group. First match wins.",
    )
    yield Option(
        name="raw-host-key",
        kind=Kind.FLAG,
        service=service,
        default="off",
        ours=True,
        help="Match and route by the host exactly as the client sent it: its case, its port.",
    )
    yield Option(
        name="transport",
        kind=Kind.TRANSPORT,
        service=service,
        default="epoll",
        ours=True,
        help="Run the routers on their own lean transports, or on Twisted's.",
    )
    yield Option(
        name="chmod-socket",
        kind=Kind.MODE,
        service=service,
        default="600",
        help="File mode of listening UNIX sockets; 666 without a value.",
    )
    yield Option(
        name="listen",
        kind=Kind.COUNT,
        service=service,
        default="100",
        help="Connections that the kernel keeps waiting for each listener.",
    )


def _router(prefix: str, service: Service, aliases: tuple[str, ...]) -> Iterator[Option]:
    def row(suffix: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=prefix + suffix, kind=kind, service=service, help=help, **more)

    mine = {"ours": service is Service.FASTROUTER}
    timeout = f"{prefix}-timeout"
    yield row("", Kind.ADDRESS, "Listen here.", aliases=aliases, repeatable=True)
    yield row("-to", Kind.ADDRESS, "Send requests to these addresses in turn.", repeatable=True)
    yield row("-use-base", Kind.BASE, "Send a request to this text with the host put behind it.")
    yield row(
        "-use-pattern", Kind.PATTERN, "Send a request to this text with the host in place of %s."
    )
    yield row(
        "-gracetime",
        Kind.GRACE,
        f"How long a failed {prefix}-to address is passed over.",
        default="30",
    )
    yield row(
        "-processes",
        Kind.PROCESSES,
        "Processes that take connections; with 1 the program does it itself.",
        aliases=(f"{prefix}-workers",),
        default="1",
    )
    yield row("-timeout", Kind.SECONDS, "How long both sides may be silent.", default="60")
    yield row(
        "-connect-timeout",
        Kind.SECONDS,
        "How long a server may take to accept.",
        follows=timeout,
        **mine,
    )
    yield row(
        "-headers-timeout",
        Kind.SECONDS,
        "How long a request's head may take to arrive.",
        follows=timeout,
        **mine,
    )


def _http() -> Iterator[Option]:
    def row(name: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(name=name, kind=kind, service=Service.HTTP, help=help, **more)

    yield row(
        "http-keepalive",
        Kind.KEEPALIVE,
        "How long a client's connection waits for its next request.",
        follows="http-timeout",
    )
    yield row("http-modifier1", Kind.MODIFIER, "Sent to every server unless 0.", default="0")
    yield row("http-modifier2", Kind.MODIFIER, "Sent to every server unless 0.", default="0")
    yield row("http-var", Kind.ASSIGNMENT, "A variable added to every request.", repeatable=True)
    yield row(
        "http-server-name-as-http-host",
        Kind.FLAG,
        "SERVER_NAME is the host of the request.",
        default="off",
    )
    yield row(
        "http-chunked-limit",
        Kind.BYTES,
        "The longest request body that comes without a Content-Length.",
        default="128M",
        ours=True,
    )


#: All options, in the order of the reference.
OPTIONS: tuple[Option, ...] = (
    *_program(),
    *_emperor(),
    *_routing(),
    *_router("http", Service.HTTP, ("httprouter",)),
    *_http(),
    *_router("fastrouter", Service.FASTROUTER, ()),
)

#: Every spelling of every option.
BY_NAME: dict[str, Option] = {name: option for option in OPTIONS for name in option.names}
