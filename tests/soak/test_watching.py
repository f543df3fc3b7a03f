"""
Tests for L{tests.soak.watching} and L{tests.soak.report}.
"""

from __future__ import annotations

from twisted.trial.unittest import FailTest, SynchronousTestCase

from tests.soak.report import report
from tests.soak.watching import Tally, read_outcome

LOG = """\
failure 10:00:00 503 503 Service Unavailable
outcome answered=7 connect=0 read=2 write=0 timeout=0 status=1 wrong=0 longest=31
"""


class TallyTests(SynchronousTestCase):
    def test_outcome(self) -> None:
        """
        What wrk prints at its end is read; a wrk that has not come to its end is
        no success.
        """
        figures, details = read_outcome(LOG)
        self.assertEqual(("7", "31"), (str(figures["answered"]), str(figures["longest"])))
        self.assertEqual(["10:00:00 503 503 Service Unavailable"], details)
        self.assertRaises(FailTest, read_outcome, "Running 1h test")

    def test_present(self) -> None:
        """
        What fails while the site is there is its failure.
        """
        tally = Tally()
        figures, details = read_outcome(LOG)
        tally.take(figures, False, details)
        self.assertEqual((7, 31, {"read": 2, "status": 1}), self.seen(tally))
        self.assertEqual(details, tally.details)

    def seen(self, tally: Tally) -> tuple[int, int, dict[str, int]]:
        return tally.answered, tally.longest, tally.failures

    def test_removed(self) -> None:
        """
        A site that is removed may fail, but nobody may get another one's answer.
        """
        tally = Tally()
        figures, details = read_outcome(LOG.replace("wrong=0", "wrong=3"))
        tally.take(figures, True, details)
        self.assertEqual((7, 0, {"wrong": 3}), self.seen(tally))
        self.assertEqual({"read": 2, "status": 1}, tally.removed)

    def test_report(self) -> None:
        """
        A line for each site, its failures, and what was done.
        """
        tally = Tally(answered=5, failures={"read": 1}, details=["site0: prober: broken"])
        text = report({"site0": tally}, ["10:00 site0 is edited"], whole=True)
        self.assertEqual(
            "site     answered  longest  failures; while it was removed\n"
            "site0           5     0 ms  1 read; none\n"
            "    site0: prober: broken\n"
            "1 things were done\n"
            "10:00 site0 is edited",
            text,
        )
