"""
Commands to an Emperor.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.commands import spawn


class CommandTests(SynchronousTestCase):
    def test_spawn(self) -> None:
        """
        A packet without modifiers, with the command and the vassal.
        """
        self.assertEqual(
            spawn("a.ini"),
            b"\x00\x1b\x00\x00\x03\x00cmd\x05\x00spawn\x06\x00vassal\x05\x00a.ini",
        )

    def test_any_name(self) -> None:
        """
        A name that is no text goes out as it came in.
        """
        self.assertTrue(spawn("\udcff").endswith(b"\x01\x00\xff"))
