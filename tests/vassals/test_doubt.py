"""
Tests for L{emperor.vassals.doubt}; L{tests.vassals.test_succession} has the rest.
"""

from __future__ import annotations

from twisted.logger import Logger, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.doors import Unclear
from emperor.vassals.doubt import complain


class ComplaintTests(SynchronousTestCase):
    def test_unclear(self) -> None:
        """
        The vassal and the problem are named; nothing in them ends the line.
        """
        with capturedLogs() as events:
            complain(Logger(), make_spec("a\n.ini"), Failure(Unclear("no\nanswer")))
        (told,) = [formatEvent(event) or "" for event in events]
        self.assertIn("it is unclear where to listen for it: no", told)
        self.assertNotIn("\n", told)

    def test_bug(self) -> None:
        """
        What nobody has foreseen is logged as such.
        """
        complain(Logger(), make_spec(), Failure(ValueError("oh")))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
