"""
Many patterns at once.
"""

from __future__ import annotations

import re
import sys
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.patterns import WORTH_WHILE, pattern_set


class PatternSetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patterns = [re.compile(f"a{n}b", re.IGNORECASE) for n in range(WORTH_WHILE)]

    def test_few(self) -> None:
        """
        A few patterns may all be tried.
        """
        self.assertEqual(list(pattern_set(self.patterns[:3])("x")), [0, 1, 2])

    def test_many(self) -> None:
        """
        Of many only those are named that are found, in their order.
        """
        found = pattern_set(self.patterns)
        self.assertEqual(list(found("A7B a3b")), [3, 7])
        self.assertEqual(list(found("x")), [])

    def test_unknown(self) -> None:
        """
        A pattern that the set cannot take is always tried.
        """
        found = pattern_set([*self.patterns, re.compile("(?=x)")])
        self.assertEqual(list(found("a1b")), [1, WORTH_WHILE])

    def test_without_re2(self) -> None:
        """
        Without google-re2 all are tried.
        """
        modules = cast(dict[str, object], sys.modules)
        before = modules.get("re2")
        self.addCleanup(modules.__setitem__, "re2", before)
        modules["re2"] = None
        self.assertEqual(len(pattern_set(self.patterns)("x")), WORTH_WHILE)
