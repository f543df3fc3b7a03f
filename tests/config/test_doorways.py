"""
L{emperor.config.doorways}
"""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from emperor.addresses import BadAddress, TcpAddress, UnixAddress
from emperor.config.doorways import Doorway, attribute, parse_doorway
from emperor.config.settings import EmperorSettings
from emperor.config.values import BadValue
from tests.config.fixtures import ConfigurationCase

_SOCKETS = st.sampled_from(["/run/a.sock", "@a", "127.0.0.1:9000", ":9000", "[::1]:9000", "a"])


def parse(text: str) -> Doorway:
    return parse_doorway(text, "/v", on_demand=True)


class ParseTests(ConfigurationCase):
    """
    One line.
    """

    def test_forms(self) -> None:
        """
        Every kind of socket, and whose its file is.
        """
        self.assertEqual(Doorway(UnixAddress(b"/run/a.sock"), True), parse("/run/a.sock"))
        self.assertEqual(Doorway(UnixAddress(b"/v/run/a"), True), parse("run/a"))
        self.assertTrue(parse("@a").address.is_abstract)  # type: ignore[union-attr]
        self.assertEqual(Doorway(TcpAddress("::1", 9000), True), parse("[::1]:9000"))
        self.assertEqual(
            Doorway(UnixAddress(b"/a"), True, 0o660, "www-data:adm"),
            parse("/a, mode=660, owner=www-data:adm"),
        )
        self.assertEqual(Doorway(UnixAddress(b"/a")), parse_doorway("/a", "/", on_demand=False))

    def test_refused(self) -> None:
        """
        What is no address, or means nothing there, is told with what is accepted.
        """
        for text, why in {
            "": "accepted",
            "9000": "a port is written :9000",
            ":0": "has a port",
            ":9000,mode=600": "neither mode nor owner",
            "/a,mode=9": "octal",
            "/a,mode": "accepted: ADDRESS",
            "/a,mode=600,mode=660": "accepted: ADDRESS",
            "/a,colour=red": "accepted: ADDRESS",
            "/run/%(name).sock": "leads nowhere",
            "/" + "x" * 2000: "too long",
            "localhost:9000": "localhost",
        }.items():
            with self.assertRaises((BadValue, BadAddress)) as caught:
                parse(text)
            self.assertIn(why, str(caught.exception), text[:50])

    @given(st.one_of(st.text(max_size=60), _SOCKETS), st.text(max_size=30))
    def test_anything(self, place: str, rest: str) -> None:
        """
        Any text is either a doorway or refused.
        """
        try:
            found = parse(f"{place},{rest}" if rest else place)
        except (BadValue, BadAddress):
            return
        self.assertIsInstance(found.address, (TcpAddress, UnixAddress))


class AttributeTests(ConfigurationCase):
    """
    The section of a vassal's file.
    """

    def written(self, text: str, name: str = "a.ini") -> tuple[Doorway | None, list[str]]:
        """
        What a vassal with this file says, and what is wrong with it.
        """
        self.write(name, text)
        found, problems = attribute(name, self.cwd, EmperorSettings(), self.surroundings())
        return found, [str(problem) for problem in problems]

    def test_nothing(self) -> None:
        """
        Nearly every vassal opens its sockets itself; [uwsgi] says nothing of it.
        """
        text = "[uwsgi]\nsocket = /a\nhold-socket = /b\n[emperor]\ndomain = a.com\n"
        self.assertEqual((None, []), self.written(text))

    def test_both(self) -> None:
        """
        Held, or held and on demand; with magic variables; the last line counts.
        """
        held, _ = self.written("[emperor]\nhold-socket = /run/%n.sock\n[uwsgi]\nmaster=1\n")
        self.assertEqual(Doorway(UnixAddress(b"/run/a.sock")), held)
        demand, _ = self.written("[emperor]\nhold-socket = :1\non-demand = :2\n")
        self.assertEqual(Doorway(TcpAddress("", 2), on_demand=True), demand)
        relative, _ = self.written("[emperor]\non-demand = a.sock\n")
        path = os.fsencode(os.path.join(self.cwd, "a.sock"))
        self.assertEqual(Doorway(UnixAddress(path), on_demand=True), relative)

    def test_problem(self) -> None:
        """
        What is wrong has its place.
        """
        self.assertEqual(
            (None, ["a.ini:2: hold-socket: '9' is no socket address; a port is written :9"]),
            self.written("[emperor]\nhold-socket = 9\n"),
        )
