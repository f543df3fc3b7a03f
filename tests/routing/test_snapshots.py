"""
Subscribed nodes as plain values.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.routing.balancing import algorithm
from emperor.routing.health import Quarantine
from emperor.routing.members import Member, Sleeper
from emperor.routing.snapshots import BadSnapshot, Remembered, dump, load
from emperor.routing.subscribed import SubscribedPool
from emperor.wire.subscription import Announcement
from tests.routing.nodes import announcement, taken

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def whole(**changes: Any) -> dict[str, object]:
    """
    A snapshot of one node.
    """
    said = {"leaving": False, "key": "a", "address": "/a"}
    return {"version": 1, "nodes": [{"age": 1.5, "silent": False, "announcement": said, **changes}]}


class SnapshotTests(SynchronousTestCase):
    @given(st.builds(Announcement, leaving=st.just(False), clear=st.just(False)), st.booleans())
    def test_round_trip(self, said: Announcement, silent: bool) -> None:
        """
        What was known is known again, through JSON.
        """
        pool = SubscribedPool("a", algorithm("wrr"), Quarantine(lambda: 0))
        way = ("a" * 16, "b" * 16)
        node = Member(parse_address("/a"), said, last_check=3, deadline=20, hops=way, silent=silent)
        pool.members[node.address] = node
        pool.sleepers["v"] = Sleeper(said, 5, 22)
        snapshot = taken(dump([pool], 10))
        self.assertEqual(load(snapshot), [Remembered(said, 7, silent, way), Remembered(said, 5)])

    def test_meanwhile(self) -> None:
        """
        What comes, goes or is heard of while a snapshot is taken does not
        spoil it.
        """
        pools = [SubscribedPool(key, algorithm("wrr"), Quarantine(lambda: 0)) for key in "ab"]
        for pool in pools:
            for path in ("/a", "/b"):
                address, said = parse_address(path), announcement(path)
                pool.members[address] = Member(address, said, last_check=3, deadline=20)
        snapshot: Any = dump(pools, 10)
        rows = [next(snapshot["nodes"])]
        late = pools[1].members[parse_address("/b")]
        late.last_check = 11
        for pool in pools:
            del pool.members[parse_address("/a")]
        pools.clear()
        rows += snapshot["nodes"]
        known = load(taken({**snapshot, "nodes": rows}))
        self.assertEqual(
            [(node.announcement.address, node.age) for node in known],
            [("/a", 7), ("/b", 7), ("/b", 0)],
        )

    def test_other_version(self) -> None:
        """
        Fields of a later version are left out, missing ones have their default.
        """
        said = {"leaving": False, "key": "a", "address": "/a", "colour": "red"}
        self.assertEqual(load(whole(announcement=said)), [Remembered(announcement("/a"), 1.5)])

    def test_malformed(self) -> None:
        """
        What cannot be a snapshot is refused with its place.
        """
        said = {"leaving": False, "key": "a", "address": "/a"}
        wrong: list[dict[str, object]] = [
            {"age": "1"},
            {"age": -1},
            {"age": float("nan")},
            {"age": float("inf")},
            {"silent": 0},
            {"hops": "abc"},
            {"hops": [1]},
            {"announcement": []},
            {"announcement": {}},
            {"announcement": {**said, "weight": "1"}},
            {"announcement": {**said, "weight": True}},
            {"announcement": {**said, "leaving": True}},
            {"announcement": {**said, "clear": True, "vassal": "v"}},
        ]
        for changes in wrong:
            error = self.assertRaises(BadSnapshot, load, whole(**changes))
            self.assertIn("node 0", str(error))
        others: list[object] = [
            None,
            [],
            {},
            {"version": 2, "nodes": []},
            {"version": 1, "nodes": {}},
        ]
        for snapshot in others:
            self.assertRaises(BadSnapshot, load, snapshot)

    @given(JSON, JSON, JSON)
    def test_anything(self, first: object, second: object, third: object) -> None:
        """
        No file can do more than be refused.
        """
        for snapshot in (first, {"version": 1, "nodes": [second]}, whole(announcement=third)):
            with contextlib.suppress(BadSnapshot):
                load(snapshot)
