"""
The options of the routers: those of both, and those that each has for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emperor.config.option import Kind, Option, Service


def routing_options() -> Iterator[Option]:
    """
    What both routers share.
    """
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
        name="mapper-order",
        kind=Kind.MAPPERS,
        service=service,
        default="rules,cache,pattern,subscription,base,code,to",
        ours=True,
        help="Which way to a node comes first where there are several; those not named follow.",
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
        name="shared-socket",
        kind=Kind.ADDRESS,
        service=service,
        aliases=("undeferred-shared-socket",),
        repeatable=True,
        help="A socket that is opened once; =0, =1, … are such sockets where a router listens.",
    )
    yield Option(
        name="node-name-ttl",
        kind=Kind.SECONDS,
        service=service,
        default="5",
        ours=True,
        help="How long the addresses of a server that is given by name are remembered.",
    )
    yield Option(
        name="node-ca",
        kind=Kind.TEXT,
        service=service,
        ours=True,
        help="A PEM file with the authorities that may certify servers behind TLS, instead of"
        " those that the system trusts.",
    )


def router_options(prefix: str, service: Service, aliases: tuple[str, ...]) -> Iterator[Option]:
    """
    What each router has for itself.

    @param prefix: C{http} or C{fastrouter}.
    @param aliases: other names of the option that makes it listen.
    """
    row = _Rows(prefix, service)
    yield row("", Kind.ADDRESS, "Listen here.", aliases=aliases, repeatable=True)
    yield row(
        "-zerg",
        Kind.UNIX,
        "Listen on the sockets that the zerg server at this address hands over.",
        repeatable=True,
    )
    yield from _mappers(row)
    yield from _failures(row)
    yield from _limits(row)
    yield row(
        "-stats",
        Kind.ADDRESS,
        "Answer here with the state of the router, in JSON.",
        aliases=(f"{prefix}-stats-server", f"{prefix}-ss"),
        repeatable=True,
    )
    yield from _subscriptions(row)


class _Rows:
    """
    Makes the rows of one router.
    """

    def __init__(self, prefix: str, service: Service) -> None:
        self.prefix = prefix
        self._service = service

    def __call__(self, suffix: str, kind: Kind, help: str, **more: Any) -> Option:
        return Option(
            name=self.prefix + suffix, kind=kind, service=self._service, help=help, **more
        )

    def ours_for(self, prefix: str) -> dict[str, bool]:
        """
        The mark of an option that uWSGI has for its other router alone.
        """
        return {"ours": self.prefix == prefix}


def _mappers(row: _Rows) -> Iterator[Option]:
    yield row("-to", Kind.ADDRESS, "Send requests to these addresses in turn.", repeatable=True)
    yield row("-use-base", Kind.BASE, "Send a request to this text with the host put behind it.")
    yield row(
        "-use-pattern", Kind.PATTERN, "Send a request to this text with the host in place of %s."
    )
    yield row("-use-cache", Kind.CACHE, "Ask a Redis server where a host's requests go.")
    yield row("-use-code-string", Kind.CODE, "Ask a function of yours where a host's requests go.")
    yield row(
        "-code-timeout",
        Kind.SECONDS,
        "How long that function's answer may take.",
        default="5",
        ours=True,
    )
    yield row(
        "-force-key",
        Kind.KEY,
        "Send every request where those for this host go.",
        **row.ours_for("http"),
    )


def _failures(row: _Rows) -> Iterator[Option]:
    prefix = row.prefix
    yield row(
        "-fallback",
        Kind.ADDRESS,
        "Send a request here when the nodes it belongs to do not accept.",
        repeatable=True,
    )
    yield row(
        "-fallback-on-no-key",
        Kind.FLAG,
        f"Send also requests for unknown hosts to {prefix}-fallback.",
        default="off",
        **row.ours_for("http"),
    )
    yield row(
        "-gracetime",
        Kind.GRACE,
        f"How long a failed {prefix}-to address is passed over.",
        default="30",
    )
    yield row(
        "-max-retries",
        Kind.TIMES,
        "How often another node is tried when one does not accept.",
        default="3",
        **row.ours_for("http"),
    )


def _limits(row: _Rows) -> Iterator[Option]:
    prefix = row.prefix
    timeout = f"{prefix}-timeout"
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
        default="2",
        **row.ours_for("fastrouter"),
    )
    yield row(
        "-headers-timeout",
        Kind.SECONDS,
        "How long a request's head may take to arrive.",
        follows=timeout,
        **row.ours_for("fastrouter"),
    )
    yield row(
        "-post-buffering",
        Kind.BYTES,
        "Read a request's whole body before a node is asked: so much of it stays in memory,"
        " a longer one goes into a temporary file; 0 passes it on as it comes.",
        default="0",
    )


def _subscriptions(row: _Rows) -> Iterator[Option]:
    yield row(
        "-subscription-server",
        Kind.DATAGRAMS,
        "Let servers announce themselves here.",
        repeatable=True,
    )
    yield row(
        "-subscription-fallback-key",
        Kind.KEY,
        "The pool for hosts that have none.",
    )
    yield row(
        "-subscription-state",
        Kind.TEXT,
        "A file in which the pools outlive a restart.",
        ours=True,
    )
    yield row(
        "-cheap",
        Kind.FLAG,
        "Accept connections only while there is a pool with a node.",
        default="off",
    )
    yield row(
        "-resubscribe",
        Kind.SERVER,
        "Announce the router itself to another one, for each key that is announced here.",
        repeatable=True,
    )
    yield row(
        "-resubscribe-bind",
        Kind.DATAGRAMS,
        "The address from which it does.",
        **row.ours_for("http"),
    )
    yield row(
        "-emperor-socket",
        Kind.SERVER,
        "Ask the Emperor at this address to wake a vassal that sleeps.",
        **row.ours_for("http"),
    )
    yield row(
        "-defer-connect-timeout",
        Kind.SECONDS,
        "How long a request waits for a vassal that wakes up.",
        default="5",
        **row.ours_for("http"),
    )


def http_options() -> Iterator[Option]:
    """
    What only the HTTP router has.
    """

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


def fastrouter_options() -> Iterator[Option]:
    """
    What only the FastRouter has.
    """
    yield Option(
        name="fastrouter-trusted",
        kind=Kind.PEERS,
        service=Service.FASTROUTER,
        default="loopback,unix",
        repeatable=True,
        ours=True,
        help="Whose requests may set UWSGI_ variables, which can make a server run code;"
        " those of others lose them.",
    )
