"""
Tests for L{bench.measures}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.load import Outcome, Wrk
from bench.measures import ByMegabyte, Measure, UnderLoad

OUTCOME = Outcome(requests=1000, seconds=2.0, size=50_000_000, p50=0.003, p99=0.009)


class FiguresTests(SynchronousTestCase):
    def test_by_request(self) -> None:
        """
        The CPU is divided among the requests.
        """
        self.assertEqual(
            {
                Measure.CPU_PER_REQUEST: 100.0,
                Measure.REQUESTS: 500.0,
                Measure.P50: 3.0,
                Measure.P99: 9.0,
            },
            UnderLoad(Wrk()).figures(OUTCOME, 0.1),
        )

    def test_by_megabyte(self) -> None:
        """
        The CPU is divided among the megabytes.
        """
        self.assertEqual(
            {Measure.CPU_PER_MEGABYTE: 2000.0, Measure.MEGABYTES: 25.0},
            ByMegabyte(Wrk()).figures(OUTCOME, 0.1),
        )
