"""
Tests for L{bench.cases}.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from bench.cases import CASES, SUBSCRIBED, random_hosts
from bench.load import HOST
from bench.servers import NODE, Who
from emperor.config.loading import load
from emperor.config.surroundings import Surroundings
from emperor.routing.keys import host_key


class CasesTests(SynchronousTestCase):
    def test_names(self) -> None:
        """
        Names are short, and each case has its own.
        """
        names = [case.name for case in CASES]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertTrue(re.fullmatch(r"[a-z0-9-]{1,21}", name), name)

    def test_hosts(self) -> None:
        """
        No two rules are for one host, and each run has the same.
        """
        hosts = random_hosts(10_000)
        self.assertEqual(10_000, len(set(hosts)))
        self.assertEqual(hosts, random_hosts(10_000))

    def test_configurations(self) -> None:
        """
        Our routers take each configuration without a remark but for the options
        of a uWSGI worker; so nothing in it is for uWSGI alone.
        """
        # Not self.mktemp(), which may be too long for the sockets beside it.
        place = TemporaryDirectory(prefix="emperor-")
        self.addCleanup(place.cleanup)
        directory = Path(place.name)
        for case in CASES:
            lines = case.arrangement.lines.format(port=8080, uwsgi="/bin/true")
            (directory / "router.ini").write_text(f"[uwsgi]\n{lines}")
            loaded = load("router.ini", Surroundings(cwd=str(directory.resolve())))
            for note in loaded.settings.notes:
                self.assertTrue(note.startswith("not ours: a uWSGI worker's options: "), note)

    def test_subscribed(self) -> None:
        """
        What subscribes is sent where its router takes subscriptions, for the
        host that is asked for; only uWSGI is there to compare with.
        """
        self.assertEqual((Who.UWSGI,), SUBSCRIBED.rivals())
        server = "127.0.0.1:8080"
        self.assertIn(
            f"fastrouter-subscription-server = {server}", SUBSCRIBED.lines.format(port=8080)
        )
        key = host_key(HOST.encode())
        self.assertIn(f"subscribe2 = server={server},key={key}\n", NODE.format(port=8080))
