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

    def test_all_problems(self) -> None:
        """
        All of them at once, in the order of the lines.
        """
        self.write(
            "r.ini",
            "[uwsgi]\nhttp = :99999\ninclude = n1.ini\ninclude = n2.ini\nq = @(nofile)\n"
            "emperor-freq = soon\nif-env = PATH\nemperor-throttle = x\n",
        )
        problems = self.refused(load, "r.ini", self.surroundings())
        self.assertEqual(
            [problem.split()[0] for problem in problems],
            [f"r.ini:{line}:" for line in range(2, 9)],
            problems,
        )

    def test_follow_up(self) -> None:
        """
        What may be right when the problem is mended is not told as a problem.
        """
        text = (
            "[uwsgi]\nstrict = 1\n{}\nhttp = =0\nhttp = :%(port)\nemperor-freq = %(freq)\n"
            "emperor-wait-for-command = 1\nsubscriptions-policy = signed\nsubscribe-to = a:1:b\n"
            "http-to = %(port)0\nport = @(missing)\nport2 = 5\n"
        )
        for line in ("include = missing.ini", "if-env = MISSING"):
            self.write("r.ini", text.format(line))
            problems = self.refused(load, "r.ini", self.surroundings())
            self.assertIn("r.ini:3: ", problems[0])
            self.assertTrue(all("missing" in each or "never" in each for each in problems))
            self.assertLessEqual(len(problems), 2, problems)

    def test_pairs(self) -> None:
        """
        The pairs are there as they were used.
        """
        self.write("r.ini", "[uwsgi]\na = 5\nemperor-freq = %(a)\n")
        self.assertEqual(
            [pair.value for pair in load("r.ini", self.surroundings()).pairs], ["5", "5"]
        )
