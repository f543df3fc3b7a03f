"""
Tests for L{emperor.vassals.ownership}.
"""

import os
from dataclasses import replace

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.ownership import Ownership, Specs
from emperor.vassals.spec import VassalId, VassalSpec


def specs(*several: VassalSpec) -> Specs:
    return {spec.id: spec for spec in several}


class OwnershipTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.ownership = Ownership()
        self.place = os.path.abspath(self.mktemp())
        os.mkdir(self.place)

    def test_linked_directory(self) -> None:
        """
        A directory is the same one through a link to it.
        """
        os.symlink(self.place, self.place + ".link")
        first = specs(make_spec("a.ini", monitor="one", directory=self.place))
        second = specs(make_spec("a.ini", monitor="two", directory=self.place + ".link"))
        self.assertEqual(first, self.ownership.admit("one", first))
        with capturedLogs() as events:
            self.assertEqual({}, self.ownership.admit("two", second))
        self.assertEqual(1, len(events))
        self.assertEqual(first, self.ownership.admit("one", first))

    def test_links_to_a_template(self) -> None:
        """
        Two links to one file are two vassals, also of two monitors.
        """
        with open(os.path.join(self.place, "template"), "w"):
            pass
        for name in ("a.ini", "b.ini"):
            os.symlink("template", os.path.join(self.place, name))
        for name in ("a.ini", "b.ini"):
            wanted = specs(make_spec(name, monitor=name, directory=self.place))
            self.assertEqual(wanted, self.ownership.admit(name, wanted))

    def test_without_files(self) -> None:
        """
        Vassals that are in no file are their monitors', whatever they are called.
        """
        held = replace(make_spec("a.ini", monitor="one", directory=self.place), config=b"x")
        for source in ("one", "two"):
            wanted = specs(replace(held, id=VassalId(source, "a.ini")))
            self.assertEqual(wanted, self.ownership.admit(source, wanted))
        of_file = specs(make_spec("a.ini", monitor="dir", directory=self.place))
        self.assertEqual(of_file, self.ownership.admit("dir", of_file))
