"""
Tests for L{emperor.vassals.glance}.
"""

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.glance import MOMENT, Glance
from emperor.vassals.spec import VassalSpec


class GlanceTests(SynchronousTestCase):
    """
    How often the file of a vassal is read.
    """

    def setUp(self) -> None:
        """
        Files that say each time how often they were read.
        """
        self.clock = Clock()
        self.read: list[VassalSpec] = []

        def read(spec: VassalSpec) -> int:
            self.read.append(spec)
            return len(self.read)

        self.glance = Glance(self.clock, read)

    def test_one_moment(self) -> None:
        """
        Who asks in the same moment gets the same answer.
        """
        spec = make_spec()
        self.assertEqual([1, 1], [self.glance.at(spec), self.glance.at(spec)])
        self.clock.advance(MOMENT)
        self.assertEqual(2, self.glance.at(spec))

    def test_another(self) -> None:
        """
        Another vassal's file is read, and so is one that has changed, even if what the
        monitor says of it is equal.
        """
        spec = make_spec()
        for number, each in enumerate((spec, replace(spec), spec), 1):
            self.assertEqual(number, self.glance.at(each))

    def test_failure(self) -> None:
        """
        A file that could not be read is read again.
        """

        def fail(spec: VassalSpec) -> None:
            self.read.append(spec)
            raise ValueError

        glance = Glance(self.clock, fail)
        for _ in range(2):
            self.assertRaises(ValueError, glance.at, make_spec())
        self.assertEqual(2, len(self.read))
