"""
L{emperor.config.instance}
"""

from __future__ import annotations

from emperor.config.instance import shared_number
from emperor.config.settings import InstanceSettings
from tests.config.fixtures import ConfigurationCase

APPLICATION = "wsgi-file = app.py\n"
ROUTER = "fastrouter = =0\nshared-socket = :1\nfastrouter-subscription-server = :2\n"


class InstanceTests(ConfigurationCase):
    """
    A file with a router and an application.
    """

    def test_no_instance(self) -> None:
        """
        Options of a worker alone start nothing: neither an application without a
        socket nor a socket without one.
        """
        for text in ("", "processes = 4\n", APPLICATION, "socket = :3\n"):
            settings = self.settings(ROUTER + text)
            self.assertEqual(settings.instance, InstanceSettings(), text)
            self.assertNotIn("a uWSGI is started", "".join(settings.notes))

    def test_options(self) -> None:
        """
        It gets a worker's options and what nobody knows, as they stand after all
        replacements, in order, repeated ones too; and none of ours.
        """
        text = (
            "emperor = v\nname = shop\nsocket = /run/%(name).sock\nchmod-socket = 666\n"
            "env = A=1\nenv = B=%%2\nset = site=%(name)\npidfile = /x\nmaster\nheartbeat = 5\n"
        )
        settings = self.settings(ROUTER + text + APPLICATION)
        expected = (
            ("name", "shop"),
            ("socket", "/run/shop.sock"),
            ("chmod-socket", "666"),
            ("env", "A=1"),
            ("env", "B=%2"),
            ("site", "shop"),
            ("master", ""),
            ("heartbeat", "5"),
            ("wsgi-file", "app.py"),
        )
        self.assertEqual(settings.instance, InstanceSettings(options=expected))
        self.assertEqual(settings.heartbeat, 5)
        self.assertIn("a uWSGI is started with: socket, env, master, wsgi-file", settings.notes)

    def test_shared(self) -> None:
        """
        The shared sockets that it listens on, each once.
        """
        text = "socket = =1\nhttp-socket = =0\nsocket = =1\nsocket = :3\n"
        self.assertEqual(self.settings(ROUTER + text + APPLICATION).instance.shared, (1, 0))

    def test_subscribing(self) -> None:
        """
        It may subscribe, to the router of the same file too; a router alone
        cannot.
        """
        line = "subscribe2 = server=127.0.0.1:2,key=foo.com\n"
        found = self.settings(ROUTER + "socket = :3\n" + line + APPLICATION).instance
        self.assertIn(("subscribe2", "server=127.0.0.1:2,key=foo.com"), found.options)
        self.assert_refused("subscribe2 is not ours", self.settings, ROUTER + line)

    def test_user(self) -> None:
        """
        That it runs as somebody else is refused as ever.
        """
        text = ROUTER + "socket = :3\nuid = 33\n" + APPLICATION
        self.assert_refused("uid is not ours", self.settings, text)

    def test_number(self) -> None:
        """
        Only where an address stands C{=N} is a shared socket.
        """
        for key, value, expected in (
            ("socket", "=0", 0),
            ("http-socket", "=12", 12),
            ("socket", ":3031", None),
            ("socket", "=x", None),
            ("socket", "=99999", None),
            ("processes", "=0", None),
        ):
            self.assertEqual(shared_number(key, value), expected)
