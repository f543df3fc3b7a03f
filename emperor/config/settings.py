"""
The configuration as frozen values, one class per service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emperor.addresses import Address, ListenAddress, SocketAddress


@dataclass(frozen=True, slots=True)
class Origin:
    """
    Where a value was written.

    @ivar file: as the reader was given it; C{"command line"} for options there.
    @ivar line: counted from 1; 0 where lines have no meaning.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Node:
    """
    A server that requests can be sent to.

    @ivar modifier1: of the uwsgi packet, 0 to 255.
    @ivar modifier2: of the uwsgi packet, 0 to 255.
    """

    address: Address
    modifier1: int = 0
    modifier2: int = 0


@dataclass(frozen=True, slots=True)
class HostRule:
    """
    C{route-host = PATTERN uwsgi:TEMPLATE,M1,M2}.

    @ivar pattern: unanchored, searched in the host as uWSGI does; compiled
        without case unless C{raw-host-key} is on.
    @ivar template: the address; C{$0} to C{$9} stand for the captures.
    """

    pattern: re.Pattern[str]
    template: str
    modifier1: int
    modifier2: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings:
    """
    One router, C{http} or C{fastrouter}.

    @ivar kind: the prefix of its options, C{"http"} or C{"fastrouter"}.
    @ivar listen: there is at least one address in this or in C{zerg}.
    @ivar zerg: C{http-zerg}: zerg servers that hand over listening sockets.
    @ivar base: C{http-use-base}: the key is appended; empty for none.
    @ivar pattern: C{http-use-pattern}: C{%s} stands for the key; empty for none.
    @ivar to: C{http-to}: fixed nodes, taken in turn.
    @ivar gracetime: seconds that a failed fixed node is passed over.
    @ivar timeout: seconds without a byte on either side.
    @ivar connect_timeout: seconds until a node must have accepted.
    @ivar headers_timeout: seconds until the request's head must be complete.
    @ivar socket_owner: C{chown-socket}: C{USER} or C{USER:GROUP}, each a name
        or a number; empty: as it comes.
    @ivar processes: how many take connections; 1 is the program itself.
    @ivar name_ttl: seconds after which a node's name is looked up again.
    @ivar node_ca: a PEM file with the authorities that may certify TLS nodes;
        empty for those that the system trusts.
    """

    kind: str
    listen: tuple[ListenAddress, ...]
    zerg: tuple[SocketAddress, ...] = ()
    rules: tuple[HostRule, ...] = ()
    raw_host_key: bool = False
    base: str = ""
    pattern: str = ""
    to: tuple[Node, ...] = ()
    gracetime: float = 30
    timeout: float = 60
    connect_timeout: float = 60
    headers_timeout: float = 60
    socket_mode: int = 0o600
    socket_owner: str = ""
    backlog: int = 100
    processes: int = 1
    name_ttl: float = 5
    node_ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings(RouterSettings):
    """
    What only the HTTP router has.

    @ivar keepalive: seconds that a client connection waits for its next
        request; 0 closes after each answer.
    @ivar modifiers: C{http-modifier1} and C{http-modifier2}; 0 leaves the node's.
    @ivar variables: C{http-var}, appended to every request.
    @ivar chunked_limit: bytes of a request body without Content-Length.
    """

    kind: str = "http"
    keepalive: float = 60
    modifiers: tuple[int, int] = (0, 0)
    variables: tuple[tuple[str, str], ...] = ()
    server_name_as_http_host: bool = False
    chunked_limit: int = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EmperorSettings:
    """
    The Emperor and what all its vassals share.

    @ivar monitors: the values of C{emperor}, as written, in order.
    @ivar frequency: C{emperor-freq}: seconds between two looks at a source.
    @ivar curse_tolerance: seconds that a stopping vassal has before SIGKILL.
    @ivar throttle: C{emperor-throttle}: seconds before the first retry of a
        vassal that died (the option is in milliseconds).
    @ivar max_throttle: C{emperor-max-throttle}: the longest such wait, seconds.
    @ivar binary: C{binary-path}; empty: found as docs/reference says.
    """

    monitors: tuple[str, ...] = ()
    frequency: float = 3
    curse_tolerance: float = 30
    throttle: float = 1
    max_throttle: float = 180
    binary: str = ""
    nofollow: bool = False
    extra_extensions: tuple[str, ...] = ()
    inherit: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    inherit_before: tuple[str, ...] = ()
    include_before: tuple[str, ...] = ()
    set: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything a configuration says.

    @ivar shared_sockets: C{shared-socket}: C{=N} where a router listens is the
        one with the index N.
    @ivar transport: C{"epoll"} or C{"twisted"}.
    @ivar shutdown_grace: seconds that requests in flight have at the end.
    @ivar notes: sentences for the log that are no errors: options of a uWSGI
        worker, names nobody uses.
    """

    emperor: EmperorSettings = field(default_factory=EmperorSettings)
    routers: tuple[RouterSettings, ...] = ()
    shared_sockets: tuple[ListenAddress, ...] = ()
    transport: str = "epoll"
    shutdown_grace: float = 30
    notes: tuple[str, ...] = ()
