"""
The cases: one row for each.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from bench.load import Uploads, Wrk
from bench.measures import ByMegabyte, Measurement, UnderLoad, WhileIdle
from bench.reign import Reign
from bench.servers import NAME, Arrangement, Passing
from bench.site import PAGES

#: Vassals of an Emperor that has many, unless fewer are asked for.
VASSALS = 2000

CLOSE = {"Connection": "close"}

#: What a browser sends.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "http://shop.test/catalogue/shoes?page=2",
    "Cookie": "session=3b5d5c3712955042212316173ccf37be; theme=dark; consent=yes",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Case:
    """
    One comparison.

    @ivar about: what it is, in a few words.
    """

    name: str
    about: str
    arrangement: Arrangement
    measurement: Measurement


#: Without a master uWSGI's routers outlive the process that started them.
MASTER = "master = true\n"

TO_SITE = f"{MASTER}http = 127.0.0.1:{{port}}\nhttp-to = %d../{NAME}.sock\n"

HTTP = Arrangement(TO_SITE)
KEEPALIVE = Arrangement(f"{TO_SITE}http-keepalive = 60\n")
LONG_KEEPALIVE = Arrangement(f"{TO_SITE}http-keepalive = 300\n")

FASTROUTER = Arrangement(
    f"{MASTER}fastrouter = 127.0.0.1:{{port}}\nfastrouter-to = %d../{NAME}.sock\n",
    nginx=None,
    front=True,
)

#: nginx, a router, and two servers that announce themselves.
SUBSCRIBED = Arrangement(
    MASTER + "fastrouter = 127.0.0.1:{port}\nfastrouter-subscription-server = 127.0.0.1:{port}\n",
    nginx=None,
    front=True,
    nodes=2,
)

#: The configuration of the article that txemperor comes from.
ARTICLE = Arrangement(
    MASTER
    + r"""processes = 1
binary-path = {uwsgi}
emperor = %dvassals/*.ini
http = 127.0.0.1:{port}
route-host = ^www\.example\.com$ uwsgi:%dexample.sock,0,0
route-host = ^([-\w]+)\.test$ uwsgi:%d$1.sock,0,0
""",
    nginx=Passing("unix:../$site.sock", names=r"server_name ~^(?<site>[-\w]+)\.test$;"),
    vassal=True,
)


def random_hosts(count: int) -> list[str]:
    """
    Hosts without anything in common, the same in each run.
    """
    chance = random.Random(count)
    return ["".join(chance.choices(string.ascii_lowercase, k=12)) + ".test" for _ in range(count)]


def rules(hosts: list[str]) -> Arrangement:
    """
    A rule for each host, and nothing else; nginx has a map.
    """
    lines = [
        "processes = 1",
        "http = 127.0.0.1:{port}",
        *(f"route-host = ^{re.escape(host)}$ uwsgi:%d../{NAME}.sock,0,0" for host in hosts),
    ]
    rows = "".join(f"{host} {NAME};\n" for host in hosts)
    return Arrangement(
        MASTER + "\n".join([*lines, ""]),
        nginx=Passing("unix:../$site.sock", map=f"map $http_host $site {{\n{rows}}}"),
    )


def _with_rules(count: int) -> Case:
    hosts = random_hosts(count)
    return Case(
        f"rules-{count}",
        f"{count} literal route-host rules, a new connection per request for any of the hosts",
        rules(hosts),
        UnderLoad(Wrk(headers=CLOSE, hosts=hosts)),
    )


def _download(name: str, connections: int) -> Measurement:
    path = f"/{name}"
    return ByMegabyte(Wrk(path, PAGES[path], connections))


def emperor(vassals: int) -> Case:
    """
    An Emperor alone, with so many vassals.
    """
    return Case(
        "emperor",
        f"an Emperor with {vassals} vassals that do nothing",
        Arrangement(
            "emperor = %dvassals\nemperor-wrapper = %d../vassal\n", nginx=None, tiny=vassals
        ),
        Reign(vassals),
    )


def _cases(vassals: int) -> Iterator[Case]:
    yield Case(
        "http-close",
        "HTTP in, a new connection per request",
        HTTP,
        UnderLoad(Wrk(headers=CLOSE)),
    )
    yield Case("http-keepalive", "HTTP in, 32 connections kept", KEEPALIVE, UnderLoad(Wrk()))
    yield Case(
        "http-headers",
        "the same with the 11 headers of a browser",
        KEEPALIVE,
        UnderLoad(Wrk(headers=BROWSER)),
    )
    yield Case(
        "uwsgi-close",
        "uwsgi in, from nginx; the CPU is that of the router behind it",
        FASTROUTER,
        UnderLoad(Wrk()),
    )
    yield Case(
        "fastrouter-subscribed",
        "the same; the site is two uWSGI instances that have subscribed",
        SUBSCRIBED,
        UnderLoad(Wrk()),
    )
    yield Case(
        "article",
        "http, emperor and route-host in one file; uWSGI with one routing worker",
        ARTICLE,
        UnderLoad(Wrk(headers=CLOSE)),
    )
    yield Case("body-100k", "answers of 100 kB", KEEPALIVE, _download("100k", 32))
    yield Case("body-10m", "answers of 10 MB", KEEPALIVE, _download("10m", 8))
    yield Case("upload-10m", "uploads of 10 MB", HTTP, ByMegabyte(Uploads(10_000_000)))
    yield Case(
        "idle-10000",
        "10,000 connections that wait for their next request",
        LONG_KEEPALIVE,
        WhileIdle(10_000),
    )
    yield from (_with_rules(count) for count in (10, 1000, 10_000))

    yield emperor(vassals)


def cases(vassals: int = VASSALS) -> tuple[Case, ...]:
    """
    All cases, in the order of the table.

    @param vassals: those of the Emperor that has many.
    """
    return tuple(_cases(vassals))


CASES = cases()
