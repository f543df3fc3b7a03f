"""
Tests for L{emperor.monitors.trail}.
"""

import os

from emperor.monitors.trail import Targets, trail
from tests.monitors.worlds import MonitorTestCase


class TrailTests(MonitorTestCase):
    def at(self, *names: str) -> list[str]:
        return [os.path.join(self.root, name) for name in names]

    def link(self, name: str, target: str) -> None:
        os.symlink(target, os.path.join(self.root, name))

    def test_no_link(self) -> None:
        """
        Without links only the last entry counts.
        """
        self.assertEqual([self.write("v/a.ini")], trail(os.path.join(self.root, "v/a.ini")))

    def test_links(self) -> None:
        """
        Every link on the way counts, also in the middle of another's target.
        """
        self.write("releases/2/a.ini")
        self.link("current", "releases/2")
        self.link("v/a.ini", "../current/./a.ini")
        self.assertEqual(
            self.at("v/a.ini", "current", "releases/2/a.ini"), trail(self.at("v/a.ini")[0])
        )

    def test_absolute(self) -> None:
        """
        A link may lead to an absolute path.
        """
        path = self.write("elsewhere/a.ini")
        self.link("v/a.ini", path)
        self.assertEqual(self.at("v/a.ini", "elsewhere/a.ini"), trail(self.at("v/a.ini")[0]))

    def test_missing(self) -> None:
        """
        A path that leads nowhere ends at the first entry that is missing.
        """
        self.assertEqual(self.at("x"), trail(self.at("x/y/z")[0]))
        self.link("v/a.ini", "../gone/a.ini")
        self.assertEqual(self.at("v/a.ini", "gone"), trail(self.at("v/a.ini")[0]))

    def test_known(self) -> None:
        """
        What one path has told is not looked at for the next one.
        """
        self.write("v/a.ini")
        self.link("v/b.ini", "a.ini")
        known: Targets = {}
        self.assertEqual(self.at("v/b.ini", "v/a.ini"), trail(self.at("v/b.ini")[0], known))
        self.assertEqual("a.ini", known[self.at("v/b.ini")[0]])
        known[self.at("v")[0]] = "w"
        self.assertEqual(self.at("v", "w"), trail(self.at("v/b.ini")[0], known))

    def test_circle(self) -> None:
        """
        A circle of links ends.
        """
        self.link("a", "b")
        self.link("b", "a")
        self.assertEqual(set(self.at("a", "b")), set(trail(self.at("a")[0])))
