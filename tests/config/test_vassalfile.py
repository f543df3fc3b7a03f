"""
L{emperor.config.vassalfile}
"""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from emperor.addresses import BorrowedSocket, TcpAddress, UnixAddress
from emperor.config.launchsettings import LaunchSettings
from emperor.config.settings import EmperorSettings, InstanceSettings
from emperor.config.vassalfile import (
    HIDDEN,
    SIZE_LIMIT,
    instance_addresses,
    is_blank,
    is_cheap,
    is_proxy,
    listening,
    uwsgi_sockets,
)
from tests.config.fixtures import BOUNDED, ConfigurationCase


class ListeningTests(ConfigurationCase):
    """
    Where a vassal will listen.
    """

    def found(self, name: str, settings: EmperorSettings | None = None) -> set[str]:
        """
        The addresses, as they are written.
        """
        found = listening(
            name,
            self.cwd,
            settings or EmperorSettings(),
            self.surroundings({"PORT": "5"}, hostname="elsewhere"),
        )
        return {str(address) for address in found}

    def test_in_no_file(self) -> None:
        """
        A configuration that is in no file says it as well.
        """
        config = b"[uwsgi]\nsocket = :1\ncheap\nhttp-socket = a%n.sock\n"
        place = ("x/a.ini", self.cwd, EmperorSettings(), self.surroundings(), config)
        found = {str(address) for address in listening(*place)}
        self.assertEqual({":1", f"{self.cwd}/a.sock"}, found)
        self.assertTrue(is_cheap(*place))
        sockets = uwsgi_sockets(*place[:4], config=config)
        self.assertEqual((TcpAddress("", 1),), sockets)

    def test_sockets(self) -> None:
        """
        Every kind of socket; relative ones in the vassal's directory.
        """
        self.write(
            "a.ini",
            "[uwsgi]\nsocket = /tmp/%n.sock\nuwsgi-socket = 127.0.0.1:3031\n"
            "http-socket = :80\nhttp11-socket = run/x\nhttps-socket = :443,a.crt,a.key\n"
            "socket = @%n\nsocket = 127.0.0.1:$(PORT)\nset = s=/s\nsocket = %(s)\n",
        )
        self.assertEqual(
            self.found("a.ini"),
            {
                "/tmp/a.sock",
                "127.0.0.1:3031",
                ":80",
                f"{self.cwd}/run/x",
                ":443",
                "@a",
                "127.0.0.1:5",
                "/s",
            },
        )

    def test_instance(self) -> None:
        """
        The uWSGI of our own file listens on its sockets, and on those of the
        shared ones that were not lent to us as well.
        """
        options = (("socket", "=0"), ("http-socket", ":3"), ("socket", "a.sock"), ("env", "A=/b"))
        places = (UnixAddress(b"/s"), BorrowedSocket(TcpAddress("", 4), "fd://3"))
        found = instance_addresses(InstanceSettings(options=options), "/srv", places)
        expected = {UnixAddress(b"/s"), TcpAddress("", 3), UnixAddress(b"/srv/a.sock")}
        self.assertEqual(found, expected)

    def test_uwsgi_sockets(self) -> None:
        """
        Those that speak uwsgi, each once, in the order of the file.
        """
        for more, expected in {
            "": ["/b", "/a"],
            "protocol = http\n": ["/a"],
            "protocol = http\nsocket-protocol = uwsgi\n": ["/b", "/a"],
        }.items():
            self.write(
                "a.ini",
                f"[uwsgi]\nhttp-socket = :80\nsocket = /b\nuwsgi-socket = /a\nsocket = /b\n{more}",
            )
            found = uwsgi_sockets("a.ini", self.cwd, EmperorSettings(), self.surroundings())
            self.assertEqual([str(address) for address in found], expected)

    def test_link(self) -> None:
        """
        A link's own name counts: one template, many sites.
        """
        self.write("real/template.ini", "[uwsgi]\nsocket = %d%n.sock\n")
        os.symlink("real/template.ini", f"{self.cwd}/blog.ini")
        self.assertEqual(self.found("blog.ini"), {f"{self.cwd}/blog.sock"})
        self.assertEqual(self.found(f"{self.cwd}/blog.ini"), {f"{self.cwd}/blog.sock"})

    def test_formats(self) -> None:
        """
        A vassal in YAML or XML, and one in C{FILE:SECTION}.
        """
        self.write("a.yml", "uwsgi:\n  socket: 127.0.0.1:%n1\n".replace("%n1", "1"))
        self.write("a.xml", "<uwsgi><socket>/x</socket></uwsgi>")
        self.write("z.ini", "[uwsgi]\nsocket = /no\n[zerg]\nsocket = /z\n")
        self.assertEqual(self.found("a.yml"), {"127.0.0.1:1"})
        self.assertEqual(self.found("a.xml"), {"/x"})
        self.assertEqual(self.found("z.ini:zerg"), {"/z"})

    def test_templates(self) -> None:
        """
        What the Emperor gives to all its vassals counts.
        """
        for name in ("ib", "nb", "i", "n"):
            self.write(f"{name}.ini", f"[uwsgi]\nsocket = /{name}-%N-%(base).sock\n")
        self.write("v.ini", "[uwsgi]\nmaster = true\n")
        settings = EmperorSettings(
            inherit_before=("ib.ini",),
            include_before=("nb.ini",),
            inherit=("i.ini",),
            include=("n.ini",),
            set=("base=b", "socket=/set.sock"),
        )
        self.assertEqual(self.found("v.ini", settings), {"/nb--b.sock", "/n-v-b.sock", "/set.sock"})

    def test_unresolved(self) -> None:
        """
        What cannot be told from outside is left out, and nothing is run.
        """
        self.write(
            "a.ini",
            "[uwsgi]\nsocket = @(exec://touch ran; echo /x)\nsocket = %(nope)\n"
            "socket = $(NOPE)\nsocket = 192.168.*:80\nsocket = 127.0.0.1:0\nsocket =\n"
            "socket = localhost:80\nsocket = /ok\n",
        )
        self.assertEqual(self.found("a.ini"), {"/ok"})
        self.assertEqual(os.listdir(self.cwd), ["a.ini"])

    def test_bad_files(self) -> None:
        """
        A bad file gives what can be read, and no error.
        """
        self.write("a.ini", "[uwsgi]\nsocket = /a\nini = no.ini\nsocket = /b\n")
        self.write("b.ini", "[uwsgi]\nsocket = /a\nfor-glob = /*\nsocket = /b\nendfor\n")
        self.write("c.ini", "[uwsgi]\nsocket = /a\nx = x%(x)\n")
        self.assertEqual(self.found("a.ini"), {"/a", "/b"})
        for name in ("b.ini", "c.ini"):
            self.assertEqual(self.found(name), {"/a"}, name)
        for name in ("no.ini", "a.txt", "a\0.ini", ""):
            self.assertEqual(self.found(name), set(), name)

    def test_endless(self) -> None:
        """
        A file that keeps us busy is given up early.
        """
        self.write("a.ini", "[uwsgi]\nsocket = /a\nfor-times = 9999\nx = y\nendfor\nsocket = /b\n")
        self.write("b.ini", "[uwsgi]\nsocket = /a\n;" + "x" * SIZE_LIMIT)
        self.assertEqual(self.found("a.ini"), {"/a"})
        self.assertEqual(self.found("b.ini"), set())

    def test_cheap(self) -> None:
        """
        A vassal may start without workers, if its file, or one that it includes,
        says so.
        """
        self.write("on.ini", "[uwsgi]\ncheap = true\n")
        for text, expected in {
            "cheap = 1\n": True,
            "include = on.ini\n": True,
            "cheap = false\n": False,
            "cheaper = 1\n": False,
        }.items():
            self.write("a.ini", f"[uwsgi]\n{text}")
            found = is_cheap("a.ini", self.cwd, EmperorSettings(), self.surroundings())
            self.assertEqual(expected, found, text)

    def test_blank(self) -> None:
        """
        A file has something for uWSGI if it has its section, in any format; with
        templates, options in the environment, or another program nobody can tell.
        """
        self.write("half.ini", "[emperor]\nhold-socket = @a\n[uw")
        self.write("empty.ini", "")
        self.write("a.ini", "[uwsgi]\n")
        self.write("a.yaml", "uwsgi:\n")
        plain, there = EmperorSettings(), self.surroundings()
        for name, expected in {
            "half.ini": True,
            "empty.ini": True,
            "a.ini": False,
            "a.yaml": False,
            "a.ini:other": True,
            "half.ini:emperor": False,
            "no.ini": False,
        }.items():
            self.assertEqual(expected, is_blank(name, self.cwd, plain, there), name)
        for unclear in (
            EmperorSettings(set=("need-app=true",)),
            EmperorSettings(inherit=("t.ini",)),
            EmperorSettings(launch=LaunchSettings(wrapper="/bin/gunicorn")),
        ):
            self.assertFalse(is_blank("empty.ini", self.cwd, unclear, there), unclear)
        environ = {"UWSGI_VASSAL_WSGI_FILE": "%n.py"}
        there = self.surroundings(environ=environ)
        self.assertFalse(is_blank("empty.ini", self.cwd, plain, there))

    def test_proxy(self) -> None:
        """
        Whether a vassal hands its pipe on stands in the section that it reads.
        """
        text = "[uwsgi]\nmaster = on\n[zerg]\nemperor-proxy-socket = /p\n"
        self.write("a.ini", text)
        for name, expected in (("a.ini", False), ("a.ini:zerg", True), ("b.ini", False)):
            place = (name, self.cwd, EmperorSettings(), self.surroundings())
            self.assertEqual(expected, is_proxy(*place), name)
            held = text.replace("zerg", "other").encode()
            self.assertFalse(is_proxy(*place, held), name)
            self.assertEqual(":" in name, is_proxy(*place, text.encode()), name)
            self.assertFalse(is_proxy(*place, HIDDEN), name)

    def test_emperor_section(self) -> None:
        """
        A vassal's C{[emperor]} section is not its own options.
        """
        self.write("a.ini", "[emperor]\nsocket = /a\n")
        self.assertEqual(self.found("a.ini"), set())

    @settings(deadline=BOUNDED)
    @given(st.binary() | st.text().map(lambda text: b"[uwsgi]\nsocket = " + text.encode()))
    def test_anything(self, content: bytes) -> None:
        """
        No file ends in an error.
        """
        self.write("g.ini", content)
        self.found("g.ini")
