"""
Tests for L{bench.report}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from bench.measures import Measure, Sample
from bench.report import Result, as_json, table
from bench.servers import Who

CONTENDERS = (Who.TXEMPEROR, Who.UWSGI, Who.NGINX)


def samples(*requests: float) -> Sequence[Sample]:
    """
    Rounds with these many requests per second.
    """
    return [{Measure.REQUESTS: value} for value in requests]


RESULT = Result(
    "http-close",
    "new connections",
    {Who.TXEMPEROR: samples(20, 10, 3000), Who.UWSGI: samples(10, 20, 1000)},
)


class RatioTests(SynchronousTestCase):
    def test_by_round(self) -> None:
        """
        Ratios are those of samples of the same round.
        """
        self.assertEqual(2.0, RESULT.ratio(Who.TXEMPEROR, Who.UWSGI, Measure.REQUESTS))

    def test_absent(self) -> None:
        """
        There is no ratio to one who was not there, nor to nothing.
        """
        self.assertIsNone(RESULT.ratio(Who.TXEMPEROR, Who.NGINX, Measure.REQUESTS))
        nothing = Result("idle", "", {Who.TXEMPEROR: samples(1), Who.UWSGI: samples(0)})
        self.assertIsNone(nothing.ratio(Who.TXEMPEROR, Who.UWSGI, Measure.REQUESTS))


class TableTests(SynchronousTestCase):
    def test_row(self) -> None:
        """
        Each measure has a row with the medians and our ratios.
        """
        self.assertEqual(
            "| case |  | txemperor | uWSGI | nginx | to uWSGI | to nginx |\n"
            "| --- | --- | --: | --: | --: | --: | --: |\n"
            "| **http-close** | requests/s | 20.0 | 20.0 | - | 2.00 | - |\n",
            table([RESULT], CONTENDERS),
        )

    def test_digits(self) -> None:
        """
        A figure has three digits, or as many as it needs.
        """
        rounds = {Who.TXEMPEROR: samples(1.234), Who.UWSGI: samples(123.4), Who.NGINX: samples(1e6)}
        row = table([Result("a", "", rounds)], CONTENDERS).splitlines()[2]
        self.assertTrue(row.startswith("| **a** | requests/s | 1.23 | 123 | 1,000,000 |"), row)

    def test_failure(self) -> None:
        """
        A case that failed says why, and the table keeps its shape.
        """
        lines = table([Result("a", "", failure="uWSGI: a|b")], CONTENDERS).splitlines()
        self.assertEqual("| **a** | failed | uWSGI: a/b |  |  |  |  |", lines[2])
        self.assertEqual(lines[0].count("|"), lines[2].count("|"))


class JsonTests(SynchronousTestCase):
    def test_rounds(self) -> None:
        """
        Every round is kept, beside the median.
        """
        written = json.loads(json.dumps(as_json([RESULT])))
        figures = written["http-close"]["measures"]["requests/s"]["uWSGI"]
        self.assertEqual(
            {"median": 20, "rounds": [10, 20, 1000], "txemperor's to this": 2.0}, figures
        )

    def test_failure(self) -> None:
        """
        A case that failed says why.
        """
        self.assertEqual(
            {"a": {"about": "b", "failure": "c"}}, as_json([Result("a", "b", failure="c")])
        )
