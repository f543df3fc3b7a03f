"""
Tests for L{bench.load}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.client import WrongAnswer
from bench.load import Outcome, parse_wrk

PRINTED = """\
Running 3s test @ http://127.0.0.1:27182/
  1 threads and 32 connections
Requests/sec:  12066.70
outcome requests=37406 duration=3100018 bytes=3814208 p50=2451 p99=5310 \
connect=0 read=0 write=0 status=0 timeout=0
"""


class ParseWrkTests(SynchronousTestCase):
    def test_outcome(self) -> None:
        """
        Times are in seconds.
        """
        expected = Outcome(
            requests=37406, seconds=3.100018, size=3814208, p50=0.002451, p99=0.00531
        )
        self.assertEqual(expected, parse_wrk(PRINTED))

    def test_errors(self) -> None:
        """
        An error of any kind makes the figures worthless, and is named.
        """
        for kind in ("connect", "read", "write", "status", "timeout"):
            wrong = PRINTED.replace(f"{kind}=0", f"{kind}=3")
            error = self.assertRaises(WrongAnswer, parse_wrk, wrong)
            self.assertEqual(f"37406 answers, errors: {{'{kind}': 3}}", str(error))

    def test_no_answers(self) -> None:
        """
        A server that never answered has no figures either.
        """
        self.assertRaises(WrongAnswer, parse_wrk, PRINTED.replace("37406", "0"))

    def test_no_outcome(self) -> None:
        """
        If wrk says nothing, what it said instead is shown.
        """
        error = self.assertRaises(WrongAnswer, parse_wrk, "unable to connect\n")
        self.assertIn("unable to connect", str(error))
