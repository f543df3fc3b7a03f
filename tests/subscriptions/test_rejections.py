"""
Tests for L{emperor.subscriptions.rejections}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.gatekeeper import Cause
from emperor.subscriptions.receiving import Sender
from emperor.subscriptions.rejections import LOGGED_PER_SECOND, Fault, Rejections
from tests.subscriptions.fakes import said

SENDER = Sender("192.0.2.1:40000")


class RejectionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.rejections = Rejections(self.clock, "http")

    def test_line(self) -> None:
        """
        The line names who sent it, why it is not heeded, and for which key; what
        cannot be printed is spelled out.
        """
        lines = said(
            lambda: self.rejections.reject(Cause.UNSIGNED, "it is not signed", SENDER, "a\nb")
        )
        self.assertEqual(
            lines,
            ["http turned a subscription from 192.0.2.1:40000 away: it is not signed (key a\\nb)"],
        )

    def test_counts(self) -> None:
        """
        Each is counted by its reason, also those that the log does not bear.
        """

        def flood() -> None:
            for _ in range(100):
                self.rejections.reject(Fault.MALFORMED, "no key", SENDER)
            self.clock.advance(1)

        lines = said(flood)
        self.assertEqual(len(lines), LOGGED_PER_SECOND + 1)
        self.assertEqual(lines[-1], "http turned 80 more subscriptions away")
        self.assertEqual(self.rejections.counts, {Fault.MALFORMED: 100})

    def test_returned(self) -> None:
        """
        What came back where it was passed on from is normal, and only counted.
        """
        self.assertEqual(
            said(lambda: self.rejections.reject(Fault.RETURNED, "it is ours", SENDER)), []
        )
        self.assertEqual(self.rejections.counts, {Fault.RETURNED: 1})

    def test_by_reason(self) -> None:
        """
        People and programs read them by their reasons.
        """
        for fault in (Fault.OWN_ADDRESS, Cause.STALE, Fault.MALFORMED, Fault.OWN_ADDRESS):
            self.rejections.reject(fault, "it is wrong", SENDER)
        self.assertEqual(
            list(self.rejections.by_reason().items()),
            [("malformed", 1), ("own-address", 2), ("stale", 1)],
        )

    def test_words(self) -> None:
        """
        No two reasons are counted by the same word.
        """
        words = [*(fault.value for fault in Fault), *(cause.value for cause in Cause)]
        self.assertEqual(len(set(words)), len(words))
