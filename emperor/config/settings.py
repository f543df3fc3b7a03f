"""
The configuration as frozen values, one class per service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from emperor.addresses import ANYBODY, Address, ListenAddress, SocketAddress
from emperor.config.commandsettings import CommandSettings
from emperor.config.launchsettings import LaunchSettings
from emperor.config.redisurl import RedisSource
from emperor.config.statssettings import StatsSettings


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
    @cvar may_return: see L{emperor.routing.pools.Target}; C{hops} and C{owner}, too.
    """

    may_return: ClassVar[bool] = False
    hops: ClassVar[tuple[str, ...]] = ()
    owner: ClassVar[int] = ANYBODY

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


class Mapper(Enum):
    """
    A way from a key to a pool.  The member's value is the word for it in
    C{mapper-order}; the members are in uWSGI's order.
    """

    #: C{route-host}.
    RULES = "rules"
    #: C{http-use-cache}.
    CACHE = "cache"
    #: C{http-use-pattern}.
    PATTERN = "pattern"
    #: Subscriptions, and the domains of vassals.
    SUBSCRIPTION = "subscription"
    #: C{http-use-base}.
    BASE = "base"
    #: C{http-use-code-string}.
    CODE = "code"
    #: C{http-to}.
    TO = "to"


@dataclass(frozen=True, slots=True)
class CodeSource:
    """
    C{http-use-code-string}: a Python function that maps keys.

    @ivar path: of the file, as written.
    @ivar function: its name in there.
    @ivar timeout: C{http-code-timeout}: seconds until it must have answered.
    """

    path: str
    function: str
    timeout: float = 5


class Policy(Enum):
    """
    Which subscriptions are believed.  The member's value is the word for it in
    C{subscriptions-policy}.
    """

    #: All of them; a signature is not needed.
    PERMISSIVE = "permissive"
    #: Those with a signature of either kind.
    SIGNED = "signed"
    #: Those with a signature of the second kind, which is ours.
    V2 = "v2"


class CheckKind(Enum):
    """
    What a node is asked to find out how it does.  The member's value is the word
    for it in C{subscription-check}.
    """

    #: Nothing; that it accepts is enough.
    CONNECT = "connect"
    #: uWSGI's ping.
    PING = "ping"
    #: A page.
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """
    C{subscription-check}: how the nodes of pools are checked.

    @ivar path: of the page, with its query if there is one; empty for the other
        kinds.
    @ivar frequency: C{subscription-check-frequency}: seconds from the end of one
        check of a node to the next.
    @ivar timeout: C{subscription-check-timeout}: seconds that a node has for its
        answer.
    """

    kind: CheckKind
    path: str = ""
    frequency: float = 5
    timeout: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSettings:
    """
    One router's subscriptions; its pools may have vassals in them also where
    nobody can subscribe.

    @ivar servers: C{http-subscription-server}: where datagrams come in; a TCP
        address stands for the UDP one.  Empty: nobody can subscribe.
    @ivar algorithm: C{subscription-algo}, for pools whose nodes do not say it:
        C{wrr}, C{lrc}, C{wlrc}, C{iphash}, C{chash}, C{chash:header:name} (in
        lower case) or C{chash:cookie:NAME}.
    @ivar tolerance: seconds that a node stays without being heard of.
    @ivar tolerance_inactive: the same for a vassal that sleeps.
    @ivar keep_last: C{subscription-keep-last}: seconds that the last nodes of
        a pool serve on when all of them have expired; 0 for none.
    @ivar dotsplit: C{a.b.c} is sought as C{.b.c} and C{.c} too.
    @ivar mountpoints: how many segments of the path a key may have; 0 for none.
    @ivar vassal_required: what names no vassal is refused.
    @ivar fallback_key: C{http-subscription-fallback-key}; empty: none.
    @ivar policy: C{subscriptions-policy}.
    @ivar sign_digest: of C{subscriptions-sign-check}, OpenSSL's name in capitals.
    @ivar sign_directory: of C{subscriptions-sign-check}; empty: no keys for
        uWSGI's signatures.
    @ivar sign_tolerance: seconds that a packet with uWSGI's signature may be old.
    @ivar sign_skip_uids: users who need not sign, as the kernel names them.
    @ivar v2_directory: C{subscriptions-v2-check}; empty: no keys for signatures
        of the second kind.
    @ivar v2_tolerance: seconds that the clock of their signer may be off.
    @ivar use_credentials: C{subscriptions-use-credentials}: a packet without
        its sender's uid, as all of UDP, is refused.
    @ivar credentials_directories: C{subscriptions-credentials-check}.
    @ivar resubscribe: C{http-resubscribe}: C{host:port} or C{/path} each; the
        host may be a name.
    @ivar resubscribe_bind: the address to send that from; L{None}: any.
    @ivar state: C{http-subscription-state}: a file; empty: none.
    @ivar check: L{None}: only requests show how the nodes do.
    """

    servers: tuple[SocketAddress, ...] = ()
    algorithm: str = "wrr"
    tolerance: float = 17
    tolerance_inactive: float = 17
    keep_last: float = 30
    dotsplit: bool = False
    mountpoints: int = 0
    vassal_required: bool = False
    fallback_key: str = ""
    policy: Policy = Policy.PERMISSIVE
    sign_digest: str = ""
    sign_directory: str = ""
    sign_tolerance: float = 24 * 60 * 60
    sign_skip_uids: tuple[int, ...] = ()
    v2_directory: str = ""
    v2_tolerance: float = 60
    use_credentials: bool = False
    credentials_directories: tuple[str, ...] = ()
    resubscribe: tuple[str, ...] = ()
    resubscribe_bind: SocketAddress | None = None
    state: str = ""
    check: NodeCheck | None = None


#: Networks whose addresses mean this machine.
LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings:
    """
    One router, C{http} or C{fastrouter}.

    @ivar kind: the prefix of its options, C{"http"} or C{"fastrouter"}.
    @ivar listen: there is at least one address in this or in C{zerg}.
    @ivar zerg: C{http-zerg}: zerg servers that hand over listening sockets.
    @ivar socket_mode: C{chmod-socket}, of listening UNIX sockets.
    @ivar socket_owner: C{chown-socket}: C{USER} or C{USER:GROUP}, each a name
        or a number; empty: as it comes.
    @ivar backlog: C{listen}: connections that wait in the kernel.
    @ivar processes: how many take connections; 1 is the program itself.
    @ivar mapper_order: which mapper counts where there are several; each is in
        it once.
    @ivar base: C{http-use-base}: the key is appended; empty for none.
    @ivar pattern: C{http-use-pattern}: C{%s} stands for the key; empty for none.
    @ivar to: C{http-to}: fixed nodes, taken in turn.
    @ivar cache: C{http-use-cache}; L{None} for none.
    @ivar code: C{http-use-code-string}; L{None} for none.
    @ivar force_key: C{http-force-key}: the key of every request; empty: its own.
    @ivar fallback: C{http-fallback}: nodes for requests whose own do not accept.
    @ivar fallback_on_no_key: C{fallback} is also for unknown keys.
    @ivar gracetime: seconds that a failed fixed node is passed over.
    @ivar name_ttl: seconds after which a node's name is looked up again.
    @ivar node_ca: a PEM file with the authorities that may certify TLS nodes;
        empty for those that the system trusts.
    @ivar max_retries: how often another node is tried.
    @ivar timeout: seconds without a byte on either side.
    @ivar connect_timeout: seconds until a node must have accepted.
    @ivar headers_timeout: seconds until the request's head must be complete.
    @ivar post_buffering: bytes of a body that stay in memory while all of it is
        read before a node is asked; 0: it is passed on as it comes.
    @ivar cheap: it accepts only while there is a node that has subscribed.
    @ivar stats: C{http-stats}: where to answer with its state.
    @ivar trusted: C{fastrouter-trusted}: networks, C{ADDRESS/BITS}, whose
        requests may have C{UWSGI_} variables.
    @ivar trusts_unix: so may those that come over UNIX sockets.
    @ivar emperor_socket: C{http-emperor-socket}: C{host:port} or C{/path} of the
        Emperor to ask for vassals that sleep; empty: none can be asked.
    @ivar defer_connect_timeout: seconds that a request waits for such a vassal.
    """

    kind: str
    listen: tuple[ListenAddress, ...]
    zerg: tuple[SocketAddress, ...] = ()
    socket_mode: int = 0o600
    socket_owner: str = ""
    backlog: int = 100
    processes: int = 1
    mapper_order: tuple[Mapper, ...] = tuple(Mapper)
    rules: tuple[HostRule, ...] = ()
    raw_host_key: bool = False
    base: str = ""
    pattern: str = ""
    to: tuple[Node, ...] = ()
    cache: RedisSource | None = None
    code: CodeSource | None = None
    force_key: str = ""
    fallback: tuple[Node, ...] = ()
    fallback_on_no_key: bool = False
    gracetime: float = 30
    name_ttl: float = 5
    node_ca: str = ""
    max_retries: int = 3
    timeout: float = 60
    connect_timeout: float = 2
    headers_timeout: float = 60
    post_buffering: int = 0
    cheap: bool = False
    stats: StatsSettings = field(default_factory=StatsSettings)
    trusted: tuple[str, ...] = LOOPBACK
    trusts_unix: bool = True
    subscriptions: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    emperor_socket: str = ""
    defer_connect_timeout: float = 5


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
    @ivar waits: whether there is such a wait; not with C{emperor-no-blacklist}.
    @ivar on_demand_extension: C{emperor-on-demand-extension}; so the other two.
    @ivar door_backlog: C{listen}: connections that wait at a socket that the
        Emperor opens for a vassal.
    @ivar broodlord: C{emperor-broodlord}: zergs that there may be.
    @ivar spawn_rate: C{emperor-spawn-rate}: vassals that come up together.
    @ivar start_tolerance: C{emperor-start-tolerance}: seconds from a start or a
        reload until a vassal must accept; 0: for ever.
    @ivar heartbeat: C{emperor-required-heartbeat}: seconds between two beats.
    @ivar graceful: C{emperor-graceful-shutdown}.
    @ivar reload_mercy: C{reload-mercy}: seconds that vassals have at the end of
        the program before SIGKILL.
    @ivar binary: C{binary-path}; empty: found as docs/reference says.
    @ivar stats: C{emperor-stats}: where to answer with its state.
    @ivar pidfile: C{emperor-pidfile}; empty: none.
    @ivar process_name: C{emperor-procname}; empty: as the program was started.
    @ivar lists_monitors: C{imperial-monitor-list}.
    @ivar commands: by whom they can be commanded.
    @ivar launch: how their processes are started.
    """

    monitors: tuple[str, ...] = ()
    frequency: float = 3
    curse_tolerance: float = 30
    throttle: float = 1
    max_throttle: float = 180
    waits: bool = True
    on_demand_extension: str = ""
    on_demand_directory: str = ""
    on_demand_command: str = ""
    door_backlog: int = 100
    broodlord: int = 0
    spawn_rate: int = 20
    start_tolerance: float = 300
    heartbeat: float = 30
    graceful: bool = False
    reload_mercy: float = 30
    binary: str = ""
    nofollow: bool = False
    extra_extensions: tuple[str, ...] = ()
    inherit: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    inherit_before: tuple[str, ...] = ()
    include_before: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    stats: StatsSettings = field(default_factory=StatsSettings)
    pidfile: str = ""
    process_name: str = ""
    lists_monitors: bool = False
    commands: CommandSettings = field(default_factory=lambda: CommandSettings(trusted=LOOPBACK))
    launch: LaunchSettings = field(default_factory=LaunchSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSettings:
    """
    The uWSGI that our own file describes.

    @ivar options: what it is told, names and values in order; none: there is no
        uWSGI.
    @ivar shared: the numbers of the shared sockets it listens on, each once.
    """

    options: tuple[tuple[str, str], ...] = ()
    shared: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything a configuration says.

    @ivar instance: the uWSGI that the file describes beside the routers.
    @ivar shared_sockets: C{shared-socket}: C{=N} where a router listens is the
        one with the index N.
    @ivar transport: C{"epoll"} or C{"twisted"}.
    @ivar shutdown_grace: seconds that requests in flight have at the end.
    @ivar heartbeat: seconds between two beats for an Emperor above; 0: none.
    @ivar notes: sentences for the log that are no errors: options of a uWSGI
        worker, names nobody uses.
    """

    emperor: EmperorSettings = field(default_factory=EmperorSettings)
    instance: InstanceSettings = field(default_factory=InstanceSettings)
    routers: tuple[RouterSettings, ...] = ()
    shared_sockets: tuple[ListenAddress, ...] = ()
    transport: str = "epoll"
    shutdown_grace: float = 30
    heartbeat: float = 0
    notes: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        """
        Whether there is nothing to do.
        """
        return not (self.emperor.monitors or self.routers or self.instance.options)
