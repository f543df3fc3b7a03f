"""
Tests for L{tests.soak.sites}.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.soak.sites import Fault, Site


class SiteTests(SynchronousTestCase):
    def test_good(self) -> None:
        """
        Each good file is another edition; a site without a held socket has its own.
        """
        site = Site("a", Path("/p"), held=True)
        texts = [site.next_edition(), site.next_edition()]
        self.assertIn("set-placeholder = edition=1\n", texts[0])
        self.assertIn("set-placeholder = edition=2\n", texts[1])
        self.assertIn("hold-socket = /p/a.sock\n", texts[1])
        self.assertNotIn("\nsocket = ", texts[1])
        self.assertIn("\nsocket = /p/a.sock\n", Site("a", Path("/p"), held=False).next_edition())

    def test_broken(self) -> None:
        """
        A broken file is never a good one, nor one that serves without application.
        """
        site = Site("a", Path("/p"), held=True)
        good = site.next_edition()
        for fault in Fault:
            for seed in range(20):
                text = site.broken(fault, Random(seed))
                self.assertNotEqual(good, text)
                self.assertEqual("[uwsgi]" in text, "need-app = true\n" in text, text)
