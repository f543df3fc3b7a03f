"""
L{emperor.config.loading}
"""

from __future__ import annotations

from emperor.addresses import TcpAddress
from emperor.config.loading import load
from tests.config.fixtures import ConfigurationCase

#: The blog post on multiple sites with routing, as one file.
_POST = r"""
[uwsgi]
master = true
emperor = %dvassals.d/*.ini
# HTTP listener on port 8080
http = :8080
route-host = ^www\.example\.com$ uwsgi:/tmp/uwsgi_example_vassal.sock,0,0
route-host = ^([-\w]+)\.example\.com$ uwsgi:/tmp/uwsgi_$1.sock,0,0
"""


class LoadTests(ConfigurationCase):
    """
    A file into settings.
    """

    def test_post(self) -> None:
        """
        The file that the program was made for.
        """
        self.write("etc/router.ini", _POST)
        settings = load("etc/router.ini", self.surroundings()).settings
        self.assertEqual(settings.emperor.monitors, (f"{self.cwd}/etc/vassals.d/*.ini",))
        (http,) = settings.routers
        self.assertEqual(http.listen, (TcpAddress("", 8080),))
        self.assertEqual(
            [(rule.template, rule.origin.line) for rule in http.rules],
            [("/tmp/uwsgi_example_vassal.sock", 7), ("/tmp/uwsgi_$1.sock", 8)],
        )

    def test_formats(self) -> None:
        """
        The same options in every format.
        """
        self.write("r.yml", "uwsgi:\n  emperor: %d\n  emperor-freq: 7\n")
        self.write("r.json", '{"uwsgi": {"emperor": "%d", "emperor-freq": 7}}')
        self.write("r.xml", "<uwsgi><emperor>%d</emperor><emperor-freq>7</emperor-freq></uwsgi>")
        self.write("r.ini", "[uwsgi]\nemperor = %d\nemperor-freq = 7\n")
        found = {
            load(f"r.{extension}", self.surroundings()).settings
            for extension in ("yml", "json", "xml", "ini")
        }
        self.assertEqual(len(found), 1, found)

    def test_section(self) -> None:
        """
        C{FILE:SECTION} chooses one.
        """
        self.write("r.ini", "[uwsgi]\nemperor = a\n[test]\nemperor = b\n")
        self.assertEqual(load("r.ini:test", self.surroundings()).settings.emperor.monitors, ("b",))

    def test_unreadable(self) -> None:
        """
        A file that cannot be read is one line that says what to do.
        """
        self.assert_refused(
            "no.ini: cannot be read: No such file or directory; check its name",
            load,
            "no.ini",
            self.surroundings(),
        )

    def test_pairs(self) -> None:
        """
        The pairs are there as they were used.
        """
        self.write("r.ini", "[uwsgi]\na = 5\nemperor-freq = %(a)\n")
        self.assertEqual(
            [pair.value for pair in load("r.ini", self.surroundings()).pairs], ["5", "5"]
        )
