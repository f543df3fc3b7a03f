"""
Tests for L{emperor.config.commandbuilder}.
"""

from __future__ import annotations

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.commandsettings import CommandSettings
from emperor.config.settings import LOOPBACK
from tests.config.fixtures import ConfigurationCase


class CommandBuilderTests(ConfigurationCase):
    """
    Options about commands built into settings.
    """

    def commands(self, text: str) -> CommandSettings:
        return self.settings(text).emperor.commands

    def test_defaults(self) -> None:
        """
        There is no socket, nobody waits, and this machine would be believed.
        """
        self.assertEqual(self.commands(""), CommandSettings(trusted=LOOPBACK))

    def test_sockets(self) -> None:
        """
        Addresses of either kind, and who may write to their files.
        """
        self.assertEqual(
            self.commands(
                "emperor-command-socket = 127.0.0.1:5005\n"
                "emperor-command-socket = /run/command\n"
                "chmod-socket = 660\nchown-socket = root:ops\n"
            ),
            CommandSettings(
                sockets=(TcpAddress("127.0.0.1", 5005), UnixAddress(b"/run/command")),
                mode=0o660,
                owner="root:ops",
                trusted=LOOPBACK,
            ),
        )

    def test_trusted(self) -> None:
        """
        Over UDP others may be believed, or nobody.
        """
        more = "emperor-command-trusted = 192.0.2.0/24,unix\nemperor-command-trusted = loopback\n"
        self.assertEqual(self.commands(more).trusted, ("192.0.2.0/24", *LOOPBACK))
        self.assertEqual(self.commands("emperor-command-trusted = none\n").trusted, ())

    def test_waits(self) -> None:
        """
        All vassals wait but those that are named.
        """
        found = self.commands(
            "emperor-command-socket = /run/command\nemperor-wait-for-command = true\n"
            "emperor-wait-for-command-ignore = a.ini\nemperor-wait-for-command-ignore = b.ini\n"
        )
        self.assertEqual(
            [found.waits(name) for name in ("a.ini", "b.ini", "c.ini")], [False, False, True]
        )
        self.assertFalse(self.commands("").waits("c.ini"))

    def test_waits_for_requests(self) -> None:
        """
        Requests wake as well; where neither can come, nothing would ever start.
        """
        wait = "emperor = v\nemperor-wait-for-command = true\n"
        self.assertTrue(self.commands(f"{wait}http = :80\nhttp-to = /a.sock\n").wait)
        self.assertIn("nothing could ever start a vassal", self.refused(self.settings, wait)[0])

    def test_mistakes(self) -> None:
        """
        What is no address, or no network, is told.
        """
        for text, words in (
            ("emperor-command-socket = @abstract\n", "is nowhere to send datagrams to"),
            ("emperor-command-trusted = me\n", "'me' is no network"),
        ):
            self.assertIn(words, self.refused(self.settings, text)[0])
