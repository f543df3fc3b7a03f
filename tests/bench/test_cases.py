"""
Tests for L{bench.cases}.
"""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from bench.cases import CASES, random_hosts


class CasesTests(SynchronousTestCase):
    def test_names(self) -> None:
        """
        Names are short, and each case has its own.
        """
        names = [case.name for case in CASES]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertTrue(re.fullmatch(r"[a-z0-9-]{1,15}", name), name)

    def test_hosts(self) -> None:
        """
        No two rules are for one host, and each run has the same.
        """
        hosts = random_hosts(10_000)
        self.assertEqual(10_000, len(set(hosts)))
        self.assertEqual(hosts, random_hosts(10_000))
