"""
L{emperor.config.routerbuilder}
"""

from __future__ import annotations

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.redisurl import parse_redis_url
from emperor.config.settings import (
    CodeSource,
    HttpSettings,
    Mapper,
    Node,
    RouterSettings,
    SubscriptionSettings,
)
from emperor.config.statssettings import StatsSettings
from tests.config.fixtures import ConfigurationCase

_RULE = "route-host = ^a$ uwsgi:/a,0,0\n"


class RouterBuilderTests(ConfigurationCase):
    """
    Options of routers built into settings.
    """

    def fastrouter(self, text: str) -> RouterSettings:
        """
        The one router of a configuration.
        """
        (router,) = self.settings(f"fastrouter = :1\n{text}").routers
        return router

    def test_processes(self) -> None:
        """
        Each router has its own number of processes, under either name.
        """
        text = f"http = :1\nfastrouter = :2\nhttp-workers = 3\nfastrouter-processes = 4\n{_RULE}"
        self.assertEqual([3, 4], [router.processes for router in self.settings(text).routers])

    def test_http(self) -> None:
        """
        Everything the HTTP router can be told.
        """
        text = (
            "http = :1\nhttprouter = /run/h\nhttp-to = :9\nhttp-use-base = /b/\n"
            "http-use-pattern = /p/%%s\nhttp-gracetime = 1\nhttp-timeout = 2\n"
            "http-connect-timeout = 3\nhttp-headers-timeout = 4\nhttp-keepalive = 5\n"
            "http-modifier1 = 6\nhttp-modifier2 = 7\nhttp-var = A=1\nhttp-var = B=2=3\n"
            "http-server-name-as-http-host\nhttp-chunked-limit = 8K\nraw-host-key\n"
            "chmod-socket\nlisten = 9\n"
        )
        self.assertEqual(
            self.settings(text).routers,
            (
                HttpSettings(
                    listen=(TcpAddress("", 1), UnixAddress(b"/run/h")),
                    to=(Node(TcpAddress("", 9)),),
                    base="/b/",
                    pattern="/p/%s",
                    gracetime=1,
                    timeout=2,
                    connect_timeout=3,
                    headers_timeout=4,
                    keepalive=5,
                    modifiers=(6, 7),
                    variables=(("A", "1"), ("B", "2=3")),
                    server_name_as_http_host=True,
                    chunked_limit=8192,
                    raw_host_key=True,
                    socket_mode=0o666,
                    backlog=9,
                ),
            ),
        )

    def test_timeout_followed(self) -> None:
        """
        Time-outs that are not given are the router's general one.
        """
        http, fastrouter = self.settings(
            "http = :1\nhttp-timeout = 7\nfastrouter = :2\nfastrouter-timeout = 8\n" + _RULE
        ).routers
        assert isinstance(http, HttpSettings)
        self.assertEqual((http.headers_timeout, http.keepalive), (7, 7))
        self.assertEqual(fastrouter.headers_timeout, 8)

    def test_connect_timeout(self) -> None:
        """
        A server that does not accept is given up soon, however long requests
        may take.
        """
        for router in self.settings(
            "http = :1\nhttp-timeout = 600\nfastrouter = :2\nfastrouter-timeout = 600\n" + _RULE
        ).routers:
            self.assertEqual(router.connect_timeout, 2)

    def test_common(self) -> None:
        """
        What each router can be told under its own name, the other one too.
        """
        for kind in ("http", "fastrouter"):
            (router,) = self.settings(
                f"{kind} = :1\n{kind}-zerg = /z\n{kind}-fallback = :2\n{kind}-fallback = @f\n"
                f"{kind}-fallback-on-no-key\n{kind}-max-retries = 0\n{kind}-force-key = a\n"
                f"{kind}-use-cache = redis://u:p@h/1\n{kind}-use-code-string = 0:m.py:get\n"
                f"{kind}-code-timeout = 1\n{kind}-post-buffering = 8K\n{kind}-cheap\n"
                f"{kind}-stats = :3\n{kind}-ss = /s\n{kind}-stats-server = :4\n"
                f"{kind}-subscription-server = :5\n{kind}-emperor-socket = h:6\n"
                f"{kind}-defer-connect-timeout = 7\nchown-socket = www-data:0\n"
                "mapper-order = to, cache\nstats-http\nstats-min\n"
                "node-name-ttl = 8\nnode-ca = /ca.pem\n"
            ).routers
            make = HttpSettings if kind == "http" else RouterSettings
            self.assertEqual(
                router,
                make(
                    kind=kind,
                    listen=(TcpAddress("", 1),),
                    zerg=(UnixAddress(b"/z"),),
                    fallback=(Node(TcpAddress("", 2)), Node(UnixAddress(b"\0f\0"))),
                    fallback_on_no_key=True,
                    max_retries=0,
                    force_key="a",
                    cache=parse_redis_url("redis://u:p@h/1"),
                    code=CodeSource("m.py", "get", 1),
                    post_buffering=8192,
                    cheap=True,
                    stats=StatsSettings(
                        addresses=(TcpAddress("", 3), UnixAddress(b"/s"), TcpAddress("", 4)),
                        http=True,
                        minified=True,
                        owner="www-data:0",
                    ),
                    subscriptions=SubscriptionSettings(servers=(TcpAddress("", 5),)),
                    emperor_socket="h:6",
                    defer_connect_timeout=7,
                    name_ttl=8,
                    node_ca="/ca.pem",
                    socket_owner="www-data:0",
                    mapper_order=(
                        Mapper.TO,
                        Mapper.CACHE,
                        Mapper.RULES,
                        Mapper.PATTERN,
                        Mapper.SUBSCRIPTION,
                        Mapper.BASE,
                        Mapper.CODE,
                    ),
                ),
            )

    def test_secret(self) -> None:
        """
        A cache's password does not get into a log by way of the settings.
        """
        router = self.fastrouter("fastrouter-use-cache = redis://u:hush@h/1")
        self.assertNotIn("hush", repr(router))

    def test_trusted(self) -> None:
        """
        What is given replaces who is trusted by default.
        """
        for text, networks, unix in (
            ("", ("127.0.0.0/8", "::1/128"), True),
            ("fastrouter-trusted = 10.0.0.0/8", ("10.0.0.0/8",), False),
            (
                "fastrouter-trusted = unix\nfastrouter-trusted = ::2,loopback",
                ("::2/128", "127.0.0.0/8", "::1/128"),
                True,
            ),
            ("fastrouter-trusted = none", (), False),
        ):
            router = self.fastrouter(f"{_RULE}{text}")
            self.assertEqual((router.trusted, router.trusts_unix), (networks, unix))

    def test_zerg_alone(self) -> None:
        """
        A router may have all its sockets from a zerg server.
        """
        (router,) = self.settings(f"http-zerg = /z\n{_RULE}").routers
        self.assertEqual((router.listen, router.zerg), ((), (UnixAddress(b"/z"),)))

    def test_shared_socket_missing(self) -> None:
        """
        A number stands for a shared socket that is there, wherever it is.
        """
        self.settings(f"fastrouter = =1\nshared-socket = :1\nshared-socket = :2\n{_RULE}")
        problems = self.refused(self.settings, "http = =1\nshared-socket = :1\n")
        self.assertIn("test.ini:2: http: =1 is the shared socket with the index 1", problems[0])

    def test_states(self) -> None:
        """
        Two routers do not write one file.
        """
        text = f"http = :1\nfastrouter = :2\nhttp-subscription-state = /a\n{_RULE}"
        self.settings(text + "fastrouter-subscription-state = /b")
        self.assert_refused(
            "fastrouter-subscription-state: /a is the other router's",
            self.settings,
            text + "fastrouter-subscription-state = /a",
        )

    def test_order(self) -> None:
        """
        Routers come in the order of the file; rules go to both, in order.
        """
        settings = self.settings(
            "fastrouter = :1\nhttp = :2\n" + _RULE + "route-host = b uwsgi:/b,0,0"
        )
        self.assertEqual([router.kind for router in settings.routers], ["fastrouter", "http"])
        for router in settings.routers:
            self.assertEqual([rule.template for rule in router.rules], ["/a", "/b"])
            self.assertEqual(router.rules[0].origin.line, 4)

    def test_notes(self) -> None:
        """
        What will not work as somebody may expect is said.
        """
        for text, note in (
            ("fastrouter = :1", "every request will get 404"),
            ("http-timeout = 5", "without http = ADDRESS these do nothing: http-timeout"),
            ("emperor = /v\nhttp = :1", "only for the domains that vassals name"),
            ("subscription-dotsplit", "do nothing: subscription-dotsplit"),
            ("http = :1\nhttp-cheap\n" + _RULE, "no connection will ever be accepted"),
            ("http = :1\nroute-host = a:80 uwsgi:/x,0,0", "the port is taken off"),
        ):
            notes = self.settings(text).notes
            self.assertEqual(len(notes), 1, notes)
            self.assertIn(note, notes[0])
        self.assertEqual(
            self.settings("http = :1\nraw-host-key\nroute-host = a:80 uwsgi:/x,0,0").notes, ()
        )

    def test_no_notes(self) -> None:
        """
        Each way to a node is enough, and needs no comment.
        """
        for way in (
            "http-subscription-server = :2\nhttp-cheap\nsubscription-dotsplit",
            "http-use-cache = redis://h",
            "http-use-code-string = 0:a:b",
            "http-fallback = :3\nhttp-fallback-on-no-key",
            "http-to = :3",
            "http-use-base = /b",
            "http-use-pattern = /%%s",
        ):
            self.assertEqual(self.settings(f"http = :1\n{way}").notes, (), way)
