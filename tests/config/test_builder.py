"""
L{emperor.config.builder}
"""

from __future__ import annotations

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.settings import EmperorSettings, HttpSettings, Node, RouterSettings, Settings
from tests.config.fixtures import ConfigurationCase

_RULE = "route-host = ^a$ uwsgi:/a,0,0\n"


class BuilderTests(ConfigurationCase):
    """
    Options built into settings.
    """

    def test_defaults(self) -> None:
        """
        The defaults of the table are those of the settings.
        """
        self.assertEqual(self.settings(""), Settings())
        settings = self.settings(f"http = :1\nfastrouter = :2\n{_RULE}")
        http, fastrouter = settings.routers
        rules = http.rules
        self.assertEqual(http, HttpSettings(listen=(TcpAddress("", 1),), rules=rules))
        self.assertEqual(
            fastrouter,
            RouterSettings(kind="fastrouter", listen=(TcpAddress("", 2),), rules=rules),
        )
        self.assertEqual(settings.notes, ())

    def test_emperor(self) -> None:
        """
        Everything the Emperor can be told.
        """
        text = (
            "emperor = %dv/*.ini\nemperor = glob://x\nemperor-freq = 5\nemperor-throttle = 1500\n"
            "emperor-curse-tolerance = 10\nemperor-max-throttle = 2000\nemperor-nofollow\n"
            "emperor-extra-ext = .cfg\nvassals-inherit = a\nvassals-include = b\n"
            "vassals-inherit-before = c\nvassals-include-before = d\nvassal-set = e=f\n"
            "vassals-set = g=\nbinary-path = /bin/uwsgi\n"
        )
        self.assertEqual(
            self.settings(text).emperor,
            EmperorSettings(
                monitors=(f"{self.cwd}/v/*.ini", "glob://x"),
                frequency=5,
                curse_tolerance=10,
                throttle=1.5,
                max_throttle=2,
                nofollow=True,
                extra_extensions=(".cfg",),
                inherit=("a",),
                include=("b",),
                inherit_before=("c",),
                include_before=("d",),
                set=("e=f", "g="),
                binary="/bin/uwsgi",
            ),
        )

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
        self.assertEqual((http.connect_timeout, http.headers_timeout, http.keepalive), (7, 7, 7))
        self.assertEqual((fastrouter.connect_timeout, fastrouter.headers_timeout), (8, 8))

    def test_last_counts(self) -> None:
        """
        Of a scalar given twice the last counts, of a flag too.
        """
        settings = self.settings(
            "shutdown-grace = 1\nshutdown-grace = 2\nemperor-nofollow\nemperor-nofollow = off"
        )
        self.assertEqual(settings.shutdown_grace, 2)
        self.assertFalse(settings.emperor.nofollow)

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

    def test_all_problems(self) -> None:
        """
        One start shows everything that is wrong, each with its place.
        """
        text = (
            "http = localhost:x\nhttp-timeout = x\nuid = 3\nroute-host = ( uwsgi:/x,0,0\n"
            "emperor =\nlisten = 0\n"
        )
        problems = self.refused(self.settings, text)
        self.assertEqual(len(problems), 6, problems)
        expected = (
            (2, "http: 'x' in 'localhost:x' is no port (0 to 65535)"),
            (3, "http-timeout: 'x' is no time; accepted: seconds"),
            (4, "uid is not ours"),
            (5, "route-host: '(' is no regular expression"),
            (6, "emperor: needs a value"),
            (7, "listen: 0 is out of range; accepted: 1 to 65535"),
        )
        for problem, (line, words) in zip(problems, expected, strict=True):
            self.assertTrue(problem.startswith(f"test.ini:{line}: {words}"), problem)

    def test_notes(self) -> None:
        """
        What will not work as somebody may expect is said.
        """
        for text, note in (
            ("fastrouter = :1", "every request will get 404"),
            ("http-timeout = 5", "without http = ADDRESS these do nothing: http-timeout"),
            ("http = :1\nroute-host = a:80 uwsgi:/x,0,0", "the port is taken off"),
        ):
            notes = self.settings(text).notes
            self.assertEqual(len(notes), 1, notes)
            self.assertIn(note, notes[0])
        self.assertEqual(
            self.settings("http = :1\nraw-host-key\nroute-host = a:80 uwsgi:/x,0,0").notes, ()
        )
