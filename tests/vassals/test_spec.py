"""
Tests for L{emperor.vassals.spec}.
"""

from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.spec import shown


class ShownTests(SynchronousTestCase):
    def test_names(self) -> None:
        """
        An ordinary name stays, in any script; what would write a line of its
        own or command a terminal is spelled out, and so is what is no text.
        """
        self.assertEqual("größe 1.ini", shown("größe 1.ini"))
        self.assertEqual("esc\\x1b[31m.ini", shown("esc\x1b[31m.ini"))
        self.assertEqual("a\\nb\\x9b\\u202e\\udcff", shown("a\nb\x9b\u202e\udcff"))
