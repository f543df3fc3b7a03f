"""
The same configuration, word for word, under uWSGI and under us: C{http},
C{emperor} and two C{route-host} rules, one exact and one with a capture.

What an application is told, and what a client is answered, must not differ but
where the tables below say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.integration.client import Reply, exchange, read_reply, request
from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase, free_port
from tests.integration.servers import our_program, reference_uwsgi, until_answered, vassal

#: Read by both programs from directories of their own.
CONFIGURATION = r"""
[uwsgi]
master = true
processes = 2
binary-path = $(UWSGI)
emperor = %dvassals/*.ini
http = 127.0.0.1:$(HTTP_PORT)
route-host = ^www\.example\.com$ uwsgi:%duwsgi_example_vassal.sock,0,0
route-host = ^([-\w]+)\.example\.com$ uwsgi:%d$1.sock,0,0
"""

#: Variables whose values are not compared.
NOT_COMPARED = {
    "REMOTE_PORT": "each connection has its own, and uWSGI swaps its bytes (uwsgi#1889)",
    "SERVER_PORT": "the two listen on two ports",
}


@dataclass(frozen=True, slots=True)
class Case:
    """
    One request.

    @ivar data: the bytes that are sent.
    """

    name: str
    data: bytes
    method: str = "GET"


def case(name: str, host: str = "www.example.com", target: str = "/", **details: object) -> Case:
    """
    A request in order; C{details} as for L{request}.
    """
    method = str(details.get("method", "GET"))
    return Case(name, request(host, target, **details), method)  # type: ignore[arg-type]


METHODS = [
    case(f"{method} without a body", method=method)
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND")
]

TARGETS = [
    case("no query", target="/plain/path"),
    case("query", target="/path?a=1&b=2&a=3"),
    case("empty query", target="/path?"),
    case("two question marks", target="/path?a=b?c"),
    case("percent-encoded path", target="/a%20b/%C3%A9%2Fc"),
    case("percent-encoded query", target="/?q=%26%3D%25"),
    case("plus signs", target="/a+b?c+d"),
    case("lower-case hexadecimal", target="/%e2%82%ac"),
    case("long path", target="/" + "segment/" * 100),
    case("long query", target="/?" + "a=b&" * 400),
]

HEADERS = [
    case("none"),
    case("one of each kind", headers=[("Accept", "*/*"), ("Content-Type", "text/x")]),
    case("repeated", headers=[("X-Twice", "one"), ("X-Twice", "two")]),
    case("repeated in other letters", headers=[("X-Twice", "one"), ("x-twice", "two")]),
    case("spaces before the value", headers=[("X-Space", "  inside out")]),
    case("empty value", headers=[("X-Empty", "")]),
    case("colons and commas", headers=[("X-List", 'a:b, c; d="e"')]),
    case("latin-1", headers=[("X-Name", "J\xf6rg")]),
    case("cookie", headers=[("Cookie", "a=1; b=2")]),
    case("authorization", headers=[("Authorization", "Basic dXNlcjpwYXNz")]),
    case("forwarded before", headers=[("X-Forwarded-For", "192.0.2.1")]),
    case("many", headers=[(f"X-Number-{number}", str(number)) for number in range(80)]),
    case("one of 3000 bytes", headers=[("X-Long", "l" * 3000)]),
]

BODIES = [
    case("one byte", method="POST", body=b"x"),
    case("form", method="POST", body=b"a=1&b=2", headers=[("Content-Type", "text/form")]),
    case("all bytes", method="PUT", body=bytes(range(256))),
    case("body of GET", body=b"unusual"),
    case("one megabyte", method="POST", body=b"0123456789abcdef" * 65536),
]

ANSWERS = [
    case("repeated headers, no length", target="/headers"),
    case("no body", target="/empty"),
    case("large", target="/download?bytes=1000000"),
    case("status of the application", target="/?status=404+Not+Here"),
    case("error of the application", target="/?status=500+Broken"),
    case("redirect", target="/?status=302+Found"),
    case("HEAD of a large one", target="/download?bytes=1000000", method="HEAD"),
    case("HTTP/1.0", version="1.0"),
]

HOSTS = [
    case("exact rule", host="www.example.com"),
    case("rule with a capture", host="shop.example.com"),
    case("capture with a hyphen", host="my-blog.example.com"),
]

#: uWSGI says nothing at all, or serves what it should not: a request, the status
#: that we answer, and why.
DELIBERATE = [
    (case("unknown host", host="www.example.org"), 404, "uWSGI's worker has no application"),
    (case("no such vassal", host="none.example.com"), 404, "uWSGI closes without an answer"),
    (
        case("more than a vassal's buffer", target="/" + "long/" * 500),
        502,
        "the vassal closes without an answer, and so does uWSGI's router",
    ),
    (case("host in capitals", host="WWW.EXAMPLE.COM"), 200, "RFC 9110 4.2.3: hosts have no case"),
    (case("host with a port", host="www.example.com:80"), 200, "the port is no part of the host"),
    (Case("no colon", b"GET / HTTP/1.1\r\nHost\r\n\r\n"), 400, "uWSGI closes without an answer"),
    (
        case("two lengths", headers=[("Content-Length", "1"), ("Content-Length", "2")]),
        400,
        "uWSGI joins them to '1, 2' (uwsgi#2775)",
    ),
]

#: The application is told otherwise: a request, the variable, its value with us,
#: and why.
DELIBERATE_VALUES = [
    (
        case("spaces after the value", headers=[("X-Space", "inside out  ")]),
        "HTTP_X_SPACE",
        "inside out",
        "RFC 9110 5.5: white space around a value is not part of it",
    ),
]


class ArticleTests(ProgramsTestCase):
    """
    Both programs are asked the same, and so are their applications.
    """

    async def test_methods(self) -> None:
        """
        The method reaches the application.
        """
        await self._compare(METHODS)

    async def test_targets(self) -> None:
        """
        Paths and queries are split and decoded alike.
        """
        await self._compare(TARGETS)

    async def test_headers(self) -> None:
        """
        Headers become the same variables.
        """
        await self._compare(HEADERS)

    async def test_bodies(self) -> None:
        """
        Bodies arrive whole.
        """
        await self._compare(BODIES)

    async def test_answers(self) -> None:
        """
        What the application answers comes out alike.
        """
        await self._compare(ANSWERS)

    async def test_hosts(self) -> None:
        """
        The same rule decides.
        """
        await self._compare(HOSTS)

    async def test_deliberate_differences(self) -> None:
        """
        Where we answer otherwise than uWSGI, and why.
        """
        await self._start_both()
        found: list[str] = []
        for wanted, status, reason in DELIBERATE:
            theirs, ours = await self._ask_both(wanted)
            if ours.status != status or theirs.status == status:
                found.append(f"{wanted.name}: {theirs.status} / {ours.status} ({reason})")
        self.assertEqual(found, [], "\n".join(["uWSGI's first, ours second", *found]))

    async def test_deliberate_values(self) -> None:
        """
        Where we tell the application otherwise than uWSGI, and why.
        """
        await self._start_both()
        for wanted, name, value, reason in DELIBERATE_VALUES:
            theirs, ours = await self._ask_both(wanted)
            self.assertEqual(ours.json["environ"][name], value, reason)
            self.assertNotEqual(theirs.json["environ"][name], value, "no difference any more")

    async def _compare(self, cases: list[Case]) -> None:
        """
        Collect every difference, so that one run shows them all.
        """
        await self._start_both()
        found: list[str] = []
        for wanted in cases:
            theirs, ours = await self._ask_both(wanted)
            found += [f"{wanted.name}: {line}" for line in differences(theirs, ours)]
        self.assertEqual(found, [], "\n".join(["uWSGI's first, ours second", *found]))

    async def _ask_both(self, wanted: Case) -> tuple[Reply, Reply]:
        theirs = read_reply(await exchange(self.their_port, wanted.data), wanted.method)
        ours = read_reply(await exchange(self.our_port, wanted.data), wanted.method)
        return theirs, ours

    async def _start_both(self) -> None:
        uwsgi = reference_uwsgi()
        self.their_port, self.our_port = free_port(), free_port()
        ours = [*our_program(), "--transport", self.transport]
        self._start("uwsgi", self.their_port, [uwsgi, "--die-on-term", "--ini"])
        self._start("emperor", self.our_port, [*ours, "--config"])
        for port in (self.their_port, self.our_port):
            for host in ("www", "shop", "my-blog"):
                await until_answered(port, f"{host}.example.com")

    def _start(self, name: str, port: int, command: list[str | Path]) -> Program:
        place = self.place / name
        vassals = place / "vassals"
        vassals.mkdir(parents=True)
        for site in ("uwsgi_example_vassal", "shop", "my-blog"):
            (vassals / f"{site}.ini").write_text(vassal())
        configuration = place / "router.ini"
        configuration.write_text(CONFIGURATION)
        environment = {
            "HTTP_PORT": str(port),
            "UWSGI": str(reference_uwsgi()),
            "PYTHONPATH": str(CHECKOUT),
        }
        return self.start(name, [*command, configuration], environment=environment, gently=False)


def differences(theirs: Reply, ours: Reply) -> list[str]:
    """
    What differs, one line each, but what L{NOT_COMPARED} excuses.
    """
    found = [*_compared("status", theirs.status, ours.status)]
    found += _compared("headers", described(theirs), described(ours))
    if theirs.header("Content-Type") == "application/json" and theirs.body:
        left, right = theirs.json, ours.json
        for key in ("site", "size", "sha256"):
            found += _compared(key, left[key], right[key])
        names = sorted({*left["environ"], *right["environ"]} - {*NOT_COMPARED})
        for name in names:
            found += _compared(name, left["environ"].get(name), right["environ"].get(name))
    else:
        found += _compared("body", theirs.body[:1000], ours.body[:1000])
        found += _compared("size of the body", len(theirs.body), len(ours.body))
    return found


def described(reply: Reply) -> list[tuple[str, str]]:
    """
    The headers that say something about the site, not about the connection or
    the numbers of its processes.
    """
    of_the_hop = {"connection", "keep-alive", "transfer-encoding", "content-length"}
    return [(name, value) for name, value in reply.headers if name.lower() not in of_the_hop]


def _compared(what: str, theirs: object, ours: object) -> list[str]:
    return [] if theirs == ours else [f"{what}: {theirs!r} / {ours!r}"]
