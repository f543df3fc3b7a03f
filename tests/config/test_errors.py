"""
L{emperor.config.errors}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.errors import ConfigurationError, Problem, fault
from emperor.config.settings import Origin


class ErrorTests(SynchronousTestCase):
    """
    What the administrator sees.
    """

    def test_lines(self) -> None:
        """
        Each problem is a line that begins with its place.
        """
        problems = [Problem("is bad", Origin("a.ini", 3)), Problem("too", Origin("b.json", 0))]
        error = ConfigurationError(problems)
        self.assertEqual(str(error), "a.ini:3: is bad\nb.json: too")
        self.assertEqual(error.problems, tuple(problems))
        self.assertEqual(str(fault("x", Origin("a.ini", 1))), "a.ini:1: x")
