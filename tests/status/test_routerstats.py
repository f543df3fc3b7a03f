"""
Tests for L{emperor.status.routerstats}.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import Node
from emperor.proxy.refusals import Reason
from emperor.routing.pools import FixedStatistics
from emperor.status.jsontext import PIECE, pieces, readable
from emperor.status.routerstats import describe
from emperor.status.snapshot import take
from emperor.wire.control import Counts, RefusalCount
from tests.status.shown import ADDRESS, SETTINGS, ShownRouter

#: What may come in a subscription: bytes as characters, and decoded paths.
KEYS = st.text(st.characters(max_codepoint=255), min_size=1, max_size=255)
PATHS = st.binary(min_size=1, max_size=60).map(lambda path: path.replace(b"\0", b"?"))


class ReferenceTests(SynchronousTestCase):
    def test_reasons(self) -> None:
        """
        Each reason for a refusal is explained.
        """
        reference = Path(__file__).parents[2] / "docs" / "reference" / "stats.md"
        text = reference.read_text("utf-8")
        for reason in Reason:
            self.assertIn(f"\n| `{reason.value}` |", text)


class PiecesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.router = ShownRouter(SETTINGS)

    def pieces(self, minified: bool = False) -> list[bytes]:
        shown = describe(take(self.router), self.router.pools())
        return list(pieces(shown, minified=minified))

    def text(self, minified: bool = False) -> bytes:
        return b"".join(self.pieces(minified))

    def shown(self) -> dict[str, Any]:
        """
        What a reader gets, which does not depend on the form.
        """
        long, short = json.loads(self.text()), json.loads(self.text(minified=True))
        self.assertEqual(long, short)
        self.assertEqual(list(long), list(short))
        found: dict[str, Any] = long
        return found

    def test_names(self) -> None:
        """
        uWSGI's names are first, in its order; ours follow.
        """
        self.router.nodes = [FixedStatistics(Node(ADDRESS), 3, 1700000000.9)]
        self.router.announce("a.test", weight=2, cores=4)
        found = self.shown()
        self.assertEqual(
            "version pid uid gid cwd active_sessions fastrouter static_nodes subscriptions cheap"
            " connections requests refusals rejected processes",
            " ".join(found),
        )
        (fixed,) = found["static_nodes"]
        self.assertEqual({"name": "127.0.0.1:3031", "hits": 3, "grace": 1700000000}, fixed)
        self.assertEqual(["name", "hits", "grace"], list(fixed))
        (pool,) = found["subscriptions"]
        self.assertEqual("key hash hits sni_enabled algo nodes", " ".join(pool))
        (node,) = pool["nodes"]
        self.assertEqual(
            "name vassal modifier1 modifier2 last_check pid uid gid requests last_requests tx rx"
            " cores load weight backup proto wrr ref failcnt death_mark quarantined",
            " ".join(node),
        )
        self.assertEqual((2, 4, "uwsgi"), (node["weight"], node["cores"], node["proto"]))

    def test_without(self) -> None:
        """
        As in uWSGI there are no lists where there is nothing to list.
        """
        self.assertTrue({"static_nodes", "subscriptions", "rejected"}.isdisjoint(self.shown()))

    def test_no_pools_yet(self) -> None:
        """
        A router for subscribers shows an empty list.
        """
        servers = replace(SETTINGS.subscriptions, servers=(ADDRESS,))
        self.router.settings = replace(SETTINGS, subscriptions=servers)
        self.assertEqual([], self.shown()["subscriptions"])

    def test_rejected(self) -> None:
        """
        Where nodes can subscribe, there is how many were turned away, and why.
        """
        servers = replace(SETTINGS.subscriptions, servers=(ADDRESS,))
        self.router.settings = replace(SETTINGS, subscriptions=servers)
        self.assertEqual({}, self.shown()["rejected"])
        self.router.turned_away = {"malformed": 2, "stale": 1}
        self.assertEqual({"malformed": 2, "stale": 1}, self.shown()["rejected"])

    def test_counts(self) -> None:
        """
        Counts of all processes and of each.
        """
        self.router.shown = Counts(5, (RefusalCount("no-room", 2),), 9, 3)
        found = self.shown()
        sums = {"connections": 5, "requests": 9, "refusals": {"no-room": 2}}
        self.assertEqual(sums, {name: found[name] for name in sums})
        self.assertEqual(3, found["active_sessions"])
        self.assertEqual([{"pid": 7, "active_sessions": 3, **sums}], found["processes"])

    @given(KEYS, PATHS, st.text(max_size=20))
    def test_any_names(self, key: str, path: bytes, vassal: str) -> None:
        """
        Whatever keys and addresses are, it is JSON, and keys are what they were.
        """
        self.router = ShownRouter(SETTINGS)
        address = "/" + path.decode("utf-8", "surrogateescape")
        self.router.announce(key, address=address, vassal=vassal)
        (pool,) = self.shown()["subscriptions"]
        self.assertEqual(key, pool["key"])
        (node,) = pool["nodes"]
        self.assertEqual((readable(address), vassal), (node["name"], node["vassal"]))

    def test_pieces(self) -> None:
        """
        However much there is, it is made in small pieces; each when it is asked
        for, also within a pool.
        """
        for number in range(600):
            self.router.announce("a.test", address=f"127.0.0.1:{number + 1}")
        made = self.pieces()
        self.assertGreater(len(made), 10)
        self.assertLess(max(map(len, made)), 2 * PIECE)
        # 30 MB in fewer turns than there are in 60 s of 30 ms each
        self.assertGreater(min(map(len, made[:-1])), 30_000_000 / 2000)
        self.assertEqual(600, len(self.shown()["subscriptions"][0]["nodes"]))

    def test_readable_end(self) -> None:
        """
        A terminal's prompt comes on a line of its own, unless it is minified.
        """
        self.assertEqual((b"}\n", b"}"), (self.text()[-2:], self.text(minified=True)[-1:]))
