"""
Tests for L{emperor.vassals.spec}.
"""

from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.spec import VassalId, VassalSpec, shown


class ShownTests(SynchronousTestCase):
    def test_names(self) -> None:
        """
        An ordinary name stays, in any script; what would write a line of its
        own or command a terminal is spelled out, and so is what is no text.
        """
        self.assertEqual("größe 1.ini", shown("größe 1.ini"))
        self.assertEqual("esc\\x1b[31m.ini", shown("esc\x1b[31m.ini"))
        self.assertEqual("a\\nb\\x9b\\u202e\\udcff", shown("a\nb\x9b\u202e\udcff"))


class SpecTests(SynchronousTestCase):
    def test_vassal(self) -> None:
        """
        A vassal is called like its file, also if that has a colon.
        """
        for name in ("a.ini", "a.ini:zerg"):
            spec = make_spec(name)
            self.assertEqual((False, name, name), (spec.is_zerg, spec.file, spec.word))

    def test_zerg(self) -> None:
        """
        A zerg is called like the section of its parent's file, whatever its own
        name is.
        """
        id, parent = VassalId("m", "a.ini:zerg7"), VassalId("m", "a.ini")
        spec = VassalSpec(id, "/", 1, parent=parent, number=3)
        self.assertEqual((True, "a.ini", "a.ini:zerg"), (spec.is_zerg, spec.file, spec.word))
