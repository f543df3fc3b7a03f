"""
L{emperor.config.vassalvalues}
"""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from emperor.addresses import UnixAddress
from emperor.config.settings import EmperorSettings
from emperor.config.vassalfile import listening, uwsgi_sockets
from emperor.config.vassalvalues import (
    LETTERS,
    environment_for,
    filled,
    options_of,
    settings_for,
)
from tests.config.fixtures import ConfigurationCase


class FilledTests(ConfigurationCase):
    """
    Magic variables in values of the Emperor's.
    """

    def test_letters(self) -> None:
        """
        They mean what they mean in the vassal's file.
        """
        text = ",".join(f"%{letter}" for letter in LETTERS)
        self.write("v/a.b.ini", f"[uwsgi]\nshown = {text}\n")
        (pair,) = self.read("include = v/a.b.ini\n")[1:]
        self.assertEqual(pair, ("shown", filled(text, "v/a.b.ini", self.cwd)))
        self.assertEqual(filled("/run/%n.sock", "a.b.ini", f"{self.cwd}/v"), "/run/a.b.sock")

    def test_no_file(self) -> None:
        """
        A vassal that has no file has a name all the same.
        """
        self.assertEqual(
            filled("%n %e %d %p", "a.ini", "/nowhere"), "a ini /nowhere/ /nowhere/a.ini"
        )

    def test_section(self) -> None:
        """
        A section behind the name is not part of it.
        """
        self.assertEqual(filled("%n|%s|%o", "a.ini:zerg", "/v"), "a|a.ini|a.ini")

    def test_others(self) -> None:
        """
        Everything else is left to the vassal.
        """
        for text in ("100%", "a%20b", "%(name)", "%Y", "%", "@(x)", "$(HOME)"):
            self.assertEqual(filled(text, "a.ini", self.cwd), text)
        self.assertEqual(filled("%%n %%%n", "a.ini", self.cwd), "%n %a")

    def test_no_way_out(self) -> None:
        """
        A file with a strange name leads to no other directory.
        """
        self.assertEqual(filled("/run/%n/x", "...ini", self.cwd), "/run/%n/x")
        self.assertEqual(filled("/run/%n/x", "..ini", self.cwd), "/run/%n/x")

    @given(st.text(max_size=50), st.text(st.characters(exclude_characters="/\0:"), min_size=1))
    def test_anything(self, value: str, name: str) -> None:
        """
        Whatever a value and a name are, what has no sign stays.
        """
        found = filled(value, name, "/v")
        if "%" not in value:
            self.assertEqual(value, found)
        self.assertEqual(filled(value.replace("%", "%%"), name, "/v"), value)


class SettingsTests(ConfigurationCase):
    """
    The Emperor's settings as they are for one vassal.
    """

    def test_values(self) -> None:
        """
        Templates and assigned values; formats of times and names stay.
        """
        given = EmperorSettings(
            inherit=("/t/%n.ini",),
            include=("/t/%e",),
            inherit_before=("%s",),
            include_before=("plain",),
            set=("socket=/run/%n.sock", "log-date=%d/%e %c", "%n=1", "flag"),
        )
        self.assertEqual(
            settings_for(given, "a.ini", "/v"),
            replace(
                given,
                inherit=("/t/a.ini",),
                include=("/t/ini",),
                inherit_before=("a.ini",),
                set=("socket=/run/a.sock", "log-date=%d/%e %c", "%n=1", "flag"),
            ),
        )

    def test_whole_way(self) -> None:
        """
        In our file it is written with two signs, and on the command line with one.
        """
        settings = self.settings("vassals-set = socket=/run/%%n.sock\n").emperor
        self.assertEqual(settings.set, ("socket=/run/%n.sock",))
        self.write("a.ini", "[uwsgi]\nmaster = true\n")
        found = listening("a.ini", self.cwd, settings, self.surroundings())
        self.assertEqual(found, {UnixAddress(b"/run/a.sock")})

    def test_one_for_all(self) -> None:
        """
        Whoever forgets it is told.
        """
        for value in ("/run/x.sock", "/run/%n.sock", "127.0.0.1:3031"):
            (note,) = self.settings(f"vassals-set = socket={value}\n").notes
            self.assertIn("test.ini:2: vassals-set gives every vassal the socket ", note)
        for text in ("socket=/run/%%n.sock", "http-socket=127.0.0.1:0", "socket=%(x)", "x=/y"):
            self.assertEqual(self.settings(f"vassals-set = {text}\n").notes, (), text)


class EnvironmentTests(ConfigurationCase):
    """
    Templates in the environment.
    """

    def test_options_for_vassals(self) -> None:
        """
        C{UWSGI_VASSAL_X=v} reaches each vassal as C{UWSGI_X=v} and damages no
        other variable.
        """
        given = {
            "UWSGI_VASSAL_PROCESSES": "4",
            "UWSGI_PROCESSES": "1",
            "HOME": "/root/%n",
            "UWSGI_VASSAL_": "x",
            "UWSGI_VASSAL_SOCKET": "/run/%n.sock",
            "UWSGI_VASSAL_LOG_DATE": "%d",
        }
        self.assertEqual(
            environment_for(given, "a.ini", "/v"),
            {
                "UWSGI_PROCESSES": "4",
                "HOME": "/root/%n",
                "UWSGI_SOCKET": "/run/a.sock",
                "UWSGI_LOG_DATE": "%d",
            },
        )

    def test_options(self) -> None:
        """
        Of these uWSGI takes all for options that say nothing of an Emperor.
        """
        given = {"UWSGI_EMPEROR_FD": "3", "UWSGI_VASSAL_HTTP_SOCKET": ":%n", "PATH": "/bin"}
        found = [(pair.key, pair.value) for pair in options_of(given, "a.ini", "/v")]
        self.assertEqual(found, [("http-socket", ":a")])

    def test_sockets(self) -> None:
        """
        Sockets of the environment come before those of the command line and of
        the file.
        """
        self.write("a.ini", "[uwsgi]\nsocket = /run/file.sock\n")
        found = uwsgi_sockets(
            "a.ini",
            self.cwd,
            EmperorSettings(set=("socket=/run/%n.set",)),
            self.surroundings({"UWSGI_VASSAL_SOCKET": "/run/%n.env"}),
        )
        names = [os.path.basename(str(address)) for address in found]
        self.assertEqual(names, ["a.env", "a.set", "file.sock"])
