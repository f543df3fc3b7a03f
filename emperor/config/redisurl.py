"""
C{redis://USER:PASSWORD@HOST:PORT/DB?prefix=TEXT} read into settings.

Nothing here shows a password: neither an error nor a C{repr}.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from emperor.config.values import BadValue, grace, number, seconds

#: Where a Redis listens if nothing is said, and a Sentinel.
REDIS_PORT = 6379
SENTINEL_PORT = 26379

_ESCAPES = "in a user or password, / is written %2F, ? is %3F and # is %23"

#: How a Redis is written.
FORMS = (
    "redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// for TLS, redis+unix:///PATH, "
    "redis-sentinel://HOST[:PORT],HOST[:PORT]/SERVICE[/DB] or rediss-sentinel://"
)


@dataclass(frozen=True, slots=True)
class RedisSource:
    """
    A Redis in which keys and their nodes are written down, and how it is asked.

    @ivar hosts: of the server; those of all Sentinels if there is a service.
    @ivar path: of its UNIX socket, instead of hosts.
    @ivar service: what the Sentinels call it; empty without them.
    @ivar username: empty for a server that knows only a password.
    @ivar prefix: what stands before each key.
    @ivar channel: where changed keys are told; empty for keyspace notices.
    @ivar ca: the file of accepted authorities; empty for those of the system.
    @ivar ttl: seconds for which a node that was found is not asked for again.
    @ivar negative_ttl: the same for a key that is unknown, or has a bad value.
    @ivar cache_size: keys that are remembered, of each of these two kinds.
    @ivar timeout: seconds for a connection, and for an answer.
    @ivar waiting: requests that may wait for answers at a time.
    """

    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    db: int = 0
    tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    prefix: str = ""
    channel: str = ""
    ca: str = ""
    ttl: float = 60.0
    negative_ttl: float = 5.0
    cache_size: int = 8192
    timeout: float = 2.0
    waiting: int = 1000

    def __str__(self) -> str:
        """
        Where it is, for logs and answers.
        """
        hosts = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        if self.service:
            return f"Redis {self.service} of the Sentinels {hosts}"
        return f"Redis at {self.path or hosts}"


#: Scheme: whether TLS, whether Sentinels, whether a path.
_SCHEMES = {
    "redis": (False, False, False),
    "rediss": (True, False, False),
    "redis+unix": (False, False, True),
    "redis-sentinel": (False, True, False),
    "rediss-sentinel": (True, True, False),
}

_OPTIONS: dict[str, Callable[[str], Any]] = {
    "prefix": str,
    "channel": str,
    "ca": str,
    "db": lambda text: number(text, highest=2**31 - 1),
    "ttl": grace,
    "negative-ttl": grace,
    "cache-size": lambda text: number(text, lowest=1, highest=1_000_000),
    "timeout": seconds,
    "waiting": lambda text: number(text, lowest=1, highest=100_000),
}


def parse_redis_url(text: str) -> RedisSource:
    """
    Read the URL of a Redis.

    @raise BadValue: it is none of those accepted; the message has no password.
    """
    scheme, found, rest = text.partition("://")
    if not found or scheme.lower() not in _SCHEMES:
        raise BadValue(f"is no URL of a Redis; accepted: {FORMS}")
    if "#" in rest:
        raise BadValue(f"has a #, which means nothing here; {_ESCAPES}")
    tls, sentinel, unix = _SCHEMES[scheme.lower()]
    place, _, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    if "@" in path:
        raise BadValue(f"has an @ behind a slash; {_ESCAPES}")
    login, _, hosts = authority.rpartition("@")
    username, password = _login(login)
    values: dict[str, Any] = {"tls": tls, "username": username, "password": password}
    if unix:
        values |= _unix(hosts, slash + path)
    else:
        values |= _network(hosts, path, sentinel)
    return RedisSource(**values, **_options(query, unix, tls))


def _login(text: str) -> tuple[str, str]:
    username, _, password = text.partition(":")
    if text and not password:
        raise BadValue("names a user without a password; accepted: USER:PASSWORD@ or :PASSWORD@")
    return _decoded(username), _decoded(password)


def _unix(hosts: str, path: str) -> dict[str, Any]:
    if hosts or len(path) < 2:
        raise BadValue("a UNIX socket is written redis+unix:///PATH, with three slashes")
    return {"path": _decoded(path)}


def _network(hosts: str, path: str, sentinel: bool) -> dict[str, Any]:
    service = ""
    if sentinel:
        service, _, path = path.partition("/")
        if not service:
            raise BadValue("the service is missing; accepted: redis-sentinel://HOST,HOST/SERVICE")
    port = SENTINEL_PORT if sentinel else REDIS_PORT
    names = hosts.split(",") if sentinel else [hosts]
    db = path.removesuffix("/")
    return {
        "hosts": tuple(_host(name, port) for name in names),
        "service": _decoded(service),
        **({"db": number(db, highest=2**31 - 1)} if db else {}),
    }


def _host(text: str, default: int) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        colon, port = port[:1], port[1:]
        wrong = not closed or colon not in ("", ":")
    else:
        host, colon, port = text.partition(":")
        wrong = ":" in port or "," in host
    ranged = port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= 65535
    if wrong or not host or (colon and not ranged) or any(sign.isspace() for sign in host):
        # The text is not shown: it may be a password with a sign that ends it.
        raise BadValue(
            "has a host or port that is none; accepted: NAME:PORT, IP:PORT or [IPv6]:PORT, "
            f"the port from 1 to 65535; {_ESCAPES}"
        )
    return host, int(port) if colon else default


def _options(query: str, unix: bool, tls: bool) -> dict[str, Any]:
    try:
        pairs = (
            parse_qsl(
                query,
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=20,
            )
            if query
            else []
        )
    except ValueError as error:
        raise BadValue("what follows the ? is not NAME=VALUE&NAME=VALUE") from error
    accepted = [name for name in _OPTIONS if (name != "db" or unix) and (name != "ca" or tls)]
    values: dict[str, Any] = {}
    for name, value in pairs:
        field = name.replace("-", "_")
        if name not in accepted:
            raise BadValue(f"does not know {name!r} behind the ?; accepted: {', '.join(accepted)}")
        if field in values:
            raise BadValue(f"has {name} twice")
        values[field] = _value(name, value)
    return values


def _value(name: str, text: str) -> Any:
    try:
        return _OPTIONS[name](text)
    except BadValue as error:
        raise BadValue(f"{name}: {error}") from error


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise BadValue("has a %XX that is not UTF-8") from error
