"""
The routers that are compared, and the site behind them.

txemperor and uWSGI read the same configuration, word for word, but for the port;
nginx has one that does the same.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from bench.load import HOST
from bench.programs import CHECKOUT, Missing, Program, Stage, found, free_port
from bench.tiny import DIRECTORY, furnish

UWSGI = CHECKOUT / ".venv-uwsgi" / "bin" / "uwsgi"
SITE = CHECKOUT / "bench" / "site.py"

#: Name of the site's vassal and socket.
NAME = "shop"

#: Connections that may wait for each listener, if the kernel allows that.
BACKLOG = min(1024, int(Path("/proc/sys/net/core/somaxconn").read_text()))


class Who(Enum):
    """
    One that is compared; the value is what the results call it.
    """

    TXEMPEROR = "txemperor"
    #: With C{transport = twisted}.
    TWISTED = "Twisted"
    UWSGI = "uWSGI"
    NGINX = "nginx"


@dataclass(frozen=True, slots=True)
class Passing:
    """
    What nginx does with requests.

    @ivar upstream: where they go; C{..} is the site's directory.
    @ivar names: a line that says for which hosts; all if there is none.
    @ivar map: lines of a C{map} by host that C{upstream} uses.
    """

    upstream: str = f"unix:../{NAME}.sock"
    names: str = ""
    map: str = ""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """
    How the routers of a case are configured.

    @ivar lines: for txemperor and uWSGI; C{{port}} is where the router listens,
        C{{uwsgi}} the program of vassals, and C{%d..} the site's directory.
    @ivar nginx: the same for nginx; L{None} if it has no such thing.
    @ivar front: whether nginx takes the requests and passes them on to the
        router.
    @ivar vassal: whether the routers' Emperors run the site.
    @ivar tiny: how many vassals that do nothing its Emperor has; its program is
        C{%d../vassal}.
    @ivar nodes: how many servers subscribe to the router, at the UDP port with
        the number of C{{port}}; each contender has its own.
    """

    lines: str
    nginx: Passing | None = field(default_factory=Passing)
    front: bool = False
    vassal: bool = False
    tiny: int = 0
    nodes: int = 0

    def rivals(self) -> tuple[Who, ...]:
        """
        All who can do it but ourselves.
        """
        return (Who.UWSGI, Who.NGINX) if self.nginx else (Who.UWSGI,)


@dataclass(frozen=True, slots=True)
class Contender:
    """
    A router that was started.

    @ivar port: where requests go: the router's, or nginx's in front of it.
    @ivar place: its directory.
    """

    who: Who
    port: int
    router: Program
    place: Path


SERVED_BY = f"""\
wsgi-file = {SITE}
master = true
listen = {BACKLOG}
disable-logging = true
need-app = true
"""

#: A server that announces itself, with one process: two are as strong as the site.
NODE = f"""\
[uwsgi]
socket = %d%n.sock
subscribe2 = server=127.0.0.1:{{port}},key={HOST}
processes = 1
{SERVED_BY}"""

VASSAL = f"""\
[uwsgi]
socket = %d../%n.sock
processes = 2
{SERVED_BY}"""

NGINX = """\
daemon off;
master_process off;
pid {place}/nginx.pid;
error_log stderr;
events {{ worker_connections 15000; }}
http {{
    access_log off;
    keepalive_timeout 300;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    # No temporary files: what is compared is the way, not the disk.
    uwsgi_request_buffering off;
    uwsgi_max_temp_file_size 0;
    client_body_temp_path {place}/nginx-body;
    uwsgi_temp_path {place}/nginx-uwsgi;
    proxy_temp_path {place}/nginx-proxy;
    fastcgi_temp_path {place}/nginx-fastcgi;
    scgi_temp_path {place}/nginx-scgi;
    map_hash_max_size 65536;
    map_hash_bucket_size 128;
{map}
    server {{
        listen 127.0.0.1:{port} backlog={backlog};
        {names}
        location / {{
            include /etc/nginx/uwsgi_params;
            uwsgi_pass {upstream};
        }}
    }}
}}
"""


def version(program: str | Path, argument: str) -> str:
    """
    The version that a program says it has.
    """
    said = subprocess.run([program, argument], capture_output=True, check=False)
    match = re.search(rb"\d+(\.\d+)+", said.stdout + said.stderr)
    return match[0].decode() if match else "unknown"


def reference() -> Path:
    """
    The uWSGI that C{make} compiled.

    @raise Missing: it could not be compiled, or only without C{route-host}.
    """
    if not UWSGI.exists():
        raise Missing("no uWSGI compiled from its source; it is made by: make bench")
    options = subprocess.run([UWSGI, "--help"], capture_output=True, check=False).stdout
    if b"--route-host" not in options:
        raise Missing("uWSGI was compiled without PCRE's headers, it has no route-host")
    return UWSGI


def start_site(stage: Stage) -> None:
    """
    Start the site, in two processes behind a UNIX socket.
    """
    configuration = stage.place / "site.ini"
    configuration.write_text(f"[uwsgi]\nsocket = %d{NAME}.sock\nprocesses = 2\n{SERVED_BY}")
    stage.start(stage.place / "site.log", [reference(), "--ini", configuration])


def start(stage: Stage, arrangement: Arrangement, who: Who) -> Contender:
    """
    Start a contender; it need not listen yet.
    """
    place = stage.place / who.name.lower()
    place.mkdir(exist_ok=True)
    port = free_port()
    if who is Who.NGINX:
        assert arrangement.nginx is not None
        return Contender(who, port, _nginx(stage, place, port, arrangement.nginx), place)
    if arrangement.vassal:
        (place / DIRECTORY).mkdir(exist_ok=True)
        (place / DIRECTORY / f"{NAME}.ini").write_text(VASSAL)
    if arrangement.tiny:
        furnish(stage.place, place, arrangement.tiny)
    router = _router(stage, place, port, arrangement.lines, who)
    for number in range(arrangement.nodes):
        _node(stage, place, port, number)
    if not arrangement.front:
        return Contender(who, port, router, place)
    front = free_port()
    _nginx(stage, place, front, Passing(f"127.0.0.1:{port}"))
    return Contender(who, front, router, place)


def _router(stage: Stage, place: Path, port: int, lines: str, who: Who) -> Program:
    lines = lines.format(port=port, uwsgi=UWSGI)
    if who is Who.TWISTED:
        lines += "transport = twisted\n"
    configuration = place / "router.ini"
    configuration.write_text(f"[uwsgi]\nlisten = {BACKLOG}\n{lines}")
    log = place / "router.log"
    if who is Who.UWSGI:
        return stage.start(log, [reference(), "--ini", configuration])
    twistd = Path(sys.prefix) / "bin" / "twistd"
    return stage.start(
        log, [twistd, "--nodaemon", "--pidfile=", "emperor", "--config", configuration]
    )


def _node(stage: Stage, place: Path, port: int, number: int) -> None:
    configuration = place / f"node{number}.ini"
    configuration.write_text(NODE.format(port=port))
    stage.start(place / f"node{number}.log", [reference(), "--ini", configuration])


def _nginx(stage: Stage, place: Path, port: int, passing: Passing) -> Program:
    configuration = place / "nginx.conf"
    configuration.write_text(
        NGINX.format(
            place=place,
            port=port,
            backlog=BACKLOG,
            names=passing.names,
            map=passing.map,
            upstream=passing.upstream,
        )
    )
    return stage.start(place / "nginx.log", [found("nginx"), "-e", "stderr", "-c", configuration])
