"""
L{emperor.config.builder}
"""

from __future__ import annotations

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.settings import EmperorSettings, HttpSettings, RouterSettings, Settings
from emperor.config.statssettings import StatsSettings
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
            "emperor-no-blacklist\nemperor-broodlord = 4\n"
            "emperor-spawn-rate = 7\nemperor-start-tolerance = 0\n"
            "emperor-required-heartbeat = 12\nemperor-graceful-shutdown\n"
            "emperor-stats = :5\nemperor-stats-server = /s\nstats-min\nlisten = 7\n"
            "emperor-pidfile = /p\nemperor-procname = name\nimperial-monitors-list\n"
        )
        self.assertEqual(
            self.settings(text).emperor,
            EmperorSettings(
                monitors=(f"{self.cwd}/v/*.ini", "glob://x"),
                frequency=5,
                curse_tolerance=10,
                reload_mercy=10,
                waits=False,
                broodlord=4,
                spawn_rate=7,
                start_tolerance=0,
                heartbeat=12,
                graceful=True,
                door_backlog=7,
                stats=StatsSettings(
                    addresses=(TcpAddress("", 5), UnixAddress(b"/s")), minified=True, backlog=7
                ),
                pidfile="/p",
                process_name="name",
                lists_monitors=True,
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

    def test_last_counts(self) -> None:
        """
        Of a scalar given twice the last counts, of a flag too.
        """
        settings = self.settings(
            "shutdown-grace = 1\nshutdown-grace = 2\nemperor-nofollow\nemperor-nofollow = off"
        )
        self.assertEqual(settings.shutdown_grace, 2)
        self.assertFalse(settings.emperor.nofollow)

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

    def test_shared_sockets(self) -> None:
        """
        Shared sockets have their order as their number, under either name.
        """
        text = "shared-socket = :1\nundeferred-shared-socket = /s\nshared-socket = :3\n"
        self.assertEqual(
            self.settings(text).shared_sockets,
            (TcpAddress("", 1), UnixAddress(b"/s"), TcpAddress("", 3)),
        )
