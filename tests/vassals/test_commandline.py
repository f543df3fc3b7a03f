"""
Tests for L{emperor.vassals.commandline}.
"""

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import EmperorSettings
from emperor.vassals.commandline import Program, argv, environment

UWSGI = Program("/usr/bin/uwsgi")
PLAIN = EmperorSettings()


class ArgvTests(SynchronousTestCase):
    def test_every_extension(self) -> None:
        """
        The option before the name is the one for the kind of file.
        """
        for name, option in (
            ("a.ini", "--ini"),
            ("a.xml", "--xml"),
            ("a.yml", "--yaml"),
            ("a.yaml", "--yaml"),
            ("a.js", "--json"),
            ("a.json", "--json"),
            ("a.conf", "--inherit"),
            ("a", "--inherit"),
        ):
            self.assertEqual(["/usr/bin/uwsgi", option, name], argv(UWSGI, name, PLAIN))

    def test_section(self) -> None:
        """
        The section of a file has no say in its kind.
        """
        self.assertEqual(
            ["/usr/bin/uwsgi", "--json", "a.json:zerg.ini"],
            argv(UWSGI, "a.json", PLAIN, ":zerg.ini"),
        )

    def test_extra_extension(self) -> None:
        """
        An extra extension wins over the known ones.
        """
        settings = EmperorSettings(extra_extensions=(".conf", ".site.ini"))
        self.assertEqual(["/usr/bin/uwsgi", "--config", "a.conf"], argv(UWSGI, "a.conf", settings))
        self.assertEqual("--config", argv(UWSGI, "a.site.ini", settings)[1])
        self.assertEqual("--ini", argv(UWSGI, "a.ini", settings)[1])

    def test_templates(self) -> None:
        """
        Templates and settings for all vassals stand where uWSGI puts them.
        """
        settings = EmperorSettings(
            inherit=("i1", "i2"),
            include=("c1",),
            inherit_before=("ib",),
            include_before=("cb",),
            set=("a=1", "b=2"),
        )
        words = (
            "/usr/bin/uwsgi --inherit ib --include cb --set a=1 --set b=2 --ini a.ini "
            "--inherit i1 --inherit i2 --include c1"
        )
        self.assertEqual(words.split(), argv(UWSGI, "a.ini", settings))

    def test_program_with_arguments(self) -> None:
        """
        What a program needs comes before everything else, so that a template
        may say otherwise.
        """
        program = Program("/v/bin/uwsgi", ("--set", "binary-path=/v/bin/python"))
        settings = EmperorSettings(set=("a=1",))
        self.assertEqual(
            [
                "/v/bin/uwsgi",
                "--set",
                "binary-path=/v/bin/python",
                "--set",
                "a=1",
                "--ini",
                "a.ini",
            ],
            argv(program, "a.ini", settings),
        )


class EnvironmentTests(SynchronousTestCase):
    def test_pipe(self) -> None:
        """
        The vassal learns its end of the pipe, and keeps what is not ours.
        """
        self.assertEqual(
            {"PATH": "/bin", "UWSGI_EMPEROR_FD": "3"}, environment({"PATH": "/bin"}, 3)
        )

    def test_ours(self) -> None:
        """
        What tells about our own process is no business of a vassal.
        """
        ours = {
            "UWSGI_RELOADS": "1",
            "NOTIFY_SOCKET": "/run/n",
            "LISTEN_FDS": "1",
            "UWSGI_EMPEROR_FD": "9",
            "UWSGI_EMPEROR_FD_CONFIG": "10",
            "UWSGI_EMPEROR_PROXY": "/p",
        }
        self.assertEqual({"UWSGI_EMPEROR_FD": "3"}, environment(ours, 3))
