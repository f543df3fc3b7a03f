"""
What there is to say about one option.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
    #: A count that may be none at all.
    TIMES = "number, 0 for none"
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
    #: A UNIX stream socket.
    UNIX = "/path or @abstract"
    #: Where datagrams come in.
    DATAGRAMS = "ip:port, [v6]:port, :port (UDP) or /path"
    #: Where datagrams are sent to.
    SERVER = "host:port (UDP) or /path"
    #: Who owns a file.
    OWNER = "USER or USER:GROUP"
    #: Whom to believe.
    PEERS = "networks, loopback, unix or none; with commas"
    #: C{NAME=VALUE}.
    ASSIGNMENT = "NAME=VALUE"
    #: Something the key is put behind.
    BASE = "address prefix"
    #: Something with C{%s} for the key.
    PATTERN = "address with %s"
    #: C{REGEX uwsgi:ADDRESS,MODIFIER1,MODIFIER2}.
    RULE = "REGEX uwsgi:ADDRESS,MODIFIER1,MODIFIER2"
    #: The order of the mappers.
    MAPPERS = "rules, cache, pattern, subscription, base, code, to; with commas"
    #: Where the cache is.
    CACHE = "redis://[USER:PASSWORD@]HOST:PORT/DB"
    #: A function in a Python file.
    CODE = "0:FILE:FUNCTION"
    #: The name of a pool.
    KEY = "key"
    #: How a pool chooses.
    ALGORITHM = "wrr, lrc, wlrc, iphash, chash, chash:header:NAME or chash:cookie:NAME"
    #: What nodes are asked.
    CHECK = "connect, ping or http:/PATH"
    #: Which subscriptions are believed.
    POLICY = "permissive, signed or v2"
    #: C{DIGEST:DIRECTORY}.
    SIGNATURES = "DIGEST:DIRECTORY"
    #: A command behind an action.
    HOOK = "exec:COMMAND"
    #: Whose domains they are.
    DOMAINS = "USER:HOST, USER:*.DOMAIN or USER:*; several with commas"
    #: A line for the shell.
    COMMAND = "command"
    #: Names of capabilities.
    CAPABILITIES = "capabilities such as setuid, with commas"
    #: Kinds of namespaces.
    NAMESPACES = "ipc, net, pid, mount, uts; with commas"
    #: The number of a user who is not root.
    USER = "uid"
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
    VASSALS = "The processes of vassals"
    ROUTING = "Both routers"
    SUBSCRIPTIONS = "Subscriptions to both routers"
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
