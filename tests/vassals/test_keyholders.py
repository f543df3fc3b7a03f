"""
Tests for L{emperor.vassals.keyholders}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals import keyholders
from emperor.vassals.keyholders import KeyHolders
from emperor.vassals.spec import VassalId

A, B, C = IDS = [VassalId("dir:///v", f"{name}.ini") for name in "abc"]

WISHES = st.lists(st.tuples(st.sampled_from(IDS), st.lists(st.sampled_from("vwxyz"))))


class KeyHoldersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.holders = KeyHolders()

    def test_first_key(self) -> None:
        """
        The best key that anybody names counts, with all who name it.
        """
        self.assertEqual([], self.holders.holders(["x"]))
        self.holders.hold(A, ["x", "z"])
        self.holders.hold(B, ["y", "x"])
        self.assertEqual([A, B], self.holders.holders(["w", "x", "y"]))
        self.assertEqual([B], self.holders.holders(["y", "z"]))

    def test_news(self) -> None:
        """
        The same again is nothing new.
        """
        self.assertTrue(self.holders.hold(A, ["x"]))
        self.assertFalse(self.holders.hold(A, ["x", "x"]))
        self.assertTrue(self.holders.hold(A, []))
        self.assertFalse(self.holders.hold(A, []))

    def test_what_is_in_no_request(self) -> None:
        """
        What no host can be takes no room, here and in messages.
        """
        self.holders.hold(A, ["é", "a\n", "\udcff", "x"])
        self.assertEqual(("x",), self.holders.keys(A))

    def test_limit(self) -> None:
        """
        There is a most of all keys together; who has less makes room.
        """
        self.patch(keyholders, "KEYS_LIMIT", 3)
        self.holders.hold(A, "vw")
        self.holders.hold(B, "xyz")
        self.assertEqual(("x",), self.holders.keys(B))
        self.holders.hold(A, "w")
        self.holders.hold(B, "xyz")
        self.assertEqual(("x", "y"), self.holders.keys(B))

    @given(WISHES)
    def test_both_ways(self, wishes: list[tuple[VassalId, list[str]]]) -> None:
        """
        Whoever names a key is found by it, and nobody else.
        """
        holders = KeyHolders()
        wanted: dict[VassalId, set[str]] = {id: set() for id in IDS}
        for id, keys in wishes:
            holders.hold(id, keys)
            wanted[id] = set(keys)
        for key in "vwxyz":
            expected = {id for id in IDS if key in wanted[id]}
            self.assertEqual(expected, set(holders.holders([key])))
