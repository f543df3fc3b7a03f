"""
Tests for L{emperor.descriptors}; with real vassals they are in
tests/integration/test_descriptors.py.
"""

import os
import resource

from twisted.trial.unittest import SynchronousTestCase

from emperor.descriptors import PER_VASSAL, RESERVE, Descriptors, NoRoom, check_room


class DescriptorsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, self.limits)
        self.low = (min(512, self.limits[1]), self.limits[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, self.low)

    def test_raised(self) -> None:
        """
        The program takes all that it may have, and gives what it was given.
        """
        descriptors = Descriptors()
        descriptors.raise_ours()
        highest = self.limits[1]
        self.assertEqual((highest, highest), resource.getrlimit(resource.RLIMIT_NOFILE))
        descriptors.give(os.getpid())
        self.assertEqual(self.low, resource.getrlimit(resource.RLIMIT_NOFILE))

    def test_gone(self) -> None:
        """
        A child that has gone needs no limit.
        """
        Descriptors().give(2**22 + 1)

    def test_room(self) -> None:
        """
        There is room as long as the reserve is left; high numbers alone do not
        mean that there is none.
        """
        check_room()
        opened = [os.open("/dev/null", os.O_RDONLY)]
        self.addCleanup(lambda: list(map(os.close, opened)))
        while opened[-1] < self.low[0] - RESERVE - PER_VASSAL:
            opened.append(os.open("/dev/null", os.O_RDONLY))
        why = str(self.assertRaises(NoRoom, check_room))
        self.assertIn(f"{self.low[0]} are allowed", why)
        self.assertIn("LimitNOFILE", why)
        for _ in range(2):  # One of them is needed to count.
            os.close(opened.pop(0))
        check_room()
