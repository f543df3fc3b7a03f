"""
L{emperor.config.names}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.classify import STRUCTURE
from emperor.config.names import ABSENT, NEEDLESS, REFUSED, UNSUPPORTED, WORKER
from emperor.config.options import BY_NAME


class NamesTests(SynchronousTestCase):
    """
    The names of uWSGI's other options.
    """

    def test_apart(self) -> None:
        """
        No name is in two tables.
        """
        tables = [
            *map(frozenset, (UNSUPPORTED, WORKER, STRUCTURE, BY_NAME, REFUSED, NEEDLESS, ABSENT))
        ]
        self.assertEqual(sum(map(len, tables)), len(frozenset().union(*tables)))

    def test_refused_families(self) -> None:
        """
        Whatever belongs to the Emperor or a router is not passed over.
        """
        families = ("emperor", "fastrouter", "route-", "subscri", "rawrouter", "vassals")
        self.assertEqual([name for name in WORKER if name.startswith(families)], [])

    def test_worker_families(self) -> None:
        """
        Sockets of a worker are its own.
        """
        for name in ("socket", "http-socket", "https-socket", "processes", "plugins", "wsgi-file"):
            self.assertIn(name, WORKER)
