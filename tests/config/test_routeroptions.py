"""
L{emperor.config.routeroptions}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.option import Service
from emperor.config.routeroptions import fastrouter_options, http_options, router_options


class RouterOptionsTests(SynchronousTestCase):
    """
    The rows of the routers.
    """

    def test_alike(self) -> None:
        """
        Both routers have the same options under their own names.
        """
        http, fastrouter = (
            [
                (row.name.removeprefix(prefix), row.kind, row.default, row.repeatable)
                for row in router_options(prefix, service, ())
            ]
            for prefix, service in (("http", Service.HTTP), ("fastrouter", Service.FASTROUTER))
        )
        self.assertEqual(http, fastrouter)

    def test_own(self) -> None:
        """
        What one of them has alone has its name in front.
        """
        for prefix, rows in (("http-", http_options()), ("fastrouter-", fastrouter_options())):
            for row in rows:
                self.assertTrue(row.name.startswith(prefix), row.name)
