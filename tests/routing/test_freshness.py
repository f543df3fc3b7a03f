"""
Tests for L{emperor.routing.freshness}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.freshness import (
    MICROSECONDS,
    NODES_LIMIT,
    Mark,
    Marks,
    Nonces,
    SealFreshness,
    SignatureFreshness,
    Stale,
)
from tests.routing.nodes import taken

NODE = ("foo.com", "127.0.0.1:3031")
OTHER = ("foo.com", "127.0.0.1:3032")
DAY = 86400
NOW = 1_700_000_000


class SignatureFreshnessTests(SynchronousTestCase):
    """
    uWSGI's signatures: what real clients send is accepted, what somebody has
    recorded is not.
    """

    def setUp(self) -> None:
        self.freshness = SignatureFreshness(DAY)

    def accepts(
        self,
        sent: int,
        *,
        leaving: bool = False,
        now: float | None = None,
        node: tuple[str, str] = NODE,
    ) -> bool:
        try:
            self.freshness.admit(
                "k", node, sent=sent, leaving=leaving, now=sent if now is None else now
            )
        except Stale:
            return False
        return True

    def test_life(self) -> None:
        """
        A node starts, says so again in the same second, refreshes, and leaves
        by a word dated a second ahead.
        """
        self.assertTrue(self.accepts(NOW))
        self.assertTrue(self.accepts(NOW, now=NOW + 1.1))
        self.assertTrue(self.accepts(NOW + 1))
        self.assertTrue(self.accepts(NOW + 11))
        self.assertTrue(self.accepts(NOW + 15, leaving=True, now=NOW + 14))

    def test_restart(self) -> None:
        """
        A node that comes back within the second in which it left is taken.
        """
        self.accepts(NOW)
        self.accepts(NOW + 6, leaving=True, now=NOW + 5)
        for now in (5, 5.9, 6, 7):
            self.assertTrue(self.accepts(int(NOW + now), now=NOW + now))

    def test_recorded(self) -> None:
        """
        Nothing that was accepted is accepted again later, as the one or as the
        other.
        """
        self.accepts(NOW)
        self.accepts(NOW + 10)
        for sent in (NOW, NOW + 10):
            for leaving in (False, True):
                self.assertFalse(self.accepts(sent, leaving=leaving, now=NOW + 13))
        self.accepts(NOW + 21, leaving=True, now=NOW + 20)
        for sent in (NOW, NOW + 10, NOW + 21):
            for leaving in (False, True):
                self.assertFalse(self.accepts(sent, leaving=leaving, now=NOW + 21))

    def test_same_second_after_leaving(self) -> None:
        """
        The second that may be said twice ends when the node leaves.
        """
        self.accepts(NOW)
        self.accepts(NOW + 1, leaving=True, now=NOW)
        self.assertFalse(self.accepts(NOW))

    def test_left_twice(self) -> None:
        """
        Of two leavings neither is accepted as a coming.
        """
        self.accepts(NOW + 1, leaving=True, now=NOW)
        self.accepts(NOW + 2, leaving=True, now=NOW + 1)
        for sent in (NOW + 1, NOW + 2):
            self.assertFalse(self.accepts(sent, now=NOW + 2))

    def test_held_back(self) -> None:
        """
        What was said before the node left does not bring it back.
        """
        self.accepts(NOW)
        self.accepts(NOW + 21, leaving=True, now=NOW + 20)
        self.assertFalse(self.accepts(NOW + 19, now=NOW + 25))

    def test_clocks(self) -> None:
        """
        The sender's clock may differ by the tolerance.
        """
        self.assertFalse(self.accepts(NOW - DAY - 1, now=NOW))
        self.assertFalse(self.accepts(NOW + DAY + 1, now=NOW))
        self.assertFalse(self.accepts(0, now=NOW))
        self.assertTrue(self.accepts(NOW - DAY, now=NOW))
        self.assertTrue(self.accepts(NOW + DAY, now=NOW))

    def test_nodes_by_themselves(self) -> None:
        """
        A node's clock says nothing about another node.
        """
        self.accepts(NOW + 100, now=NOW)
        self.assertTrue(self.accepts(NOW, node=OTHER))

    def test_snapshot(self) -> None:
        """
        A restart does not forget; what it is told is JSON.
        """
        self.accepts(NOW)
        self.accepts(NOW + 6, leaving=True, now=NOW + 5)
        rows = taken(self.freshness.snapshot())
        self.freshness = SignatureFreshness(DAY)
        self.freshness.restore(rows)
        self.assertFalse(self.accepts(NOW, now=NOW + 7))
        self.assertFalse(self.accepts(NOW + 6, now=NOW + 7))
        self.assertTrue(self.accepts(NOW + 7))

    def test_no_snapshot(self) -> None:
        """
        Rows of another shape are refused.
        """
        for rows in ([["k"]], [1], [["k", "key", "address", None, 1]], [["k", "a", "b", "x", 1]]):
            self.assertRaises(ValueError, self.freshness.restore, rows)

    @given(
        st.lists(
            st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 30)),
            max_size=30,
        )
    )
    def test_no_repetition(self, words: list[tuple[int, bool, int]]) -> None:
        """
        Whatever comes in whatever order: after a node has left by a word,
        everything up to the second before is refused for ever; and each word is
        accepted once, but for the moment of repetition; and to leave is not
        accepted as to come unless the node has come already.
        """
        self.freshness = SignatureFreshness(DAY)
        accepted: dict[tuple[int, bool], int] = {}
        last_left, present = 0, False
        for sent, leaving, now in sorted(words, key=lambda word: word[2]):
            if not self.accepts(NOW + sent, leaving=leaving, now=NOW + now):
                continue
            again = accepted.setdefault((sent, leaving), now)
            self.assertTrue(now == again or (now - again <= 2 and not leaving))
            self.assertTrue((sent, not leaving) not in accepted or (present and not leaving))
            present = not leaving
            self.assertGreaterEqual(sent, last_left - 1)
            if leaving:
                last_left = sent


class MarksTests(SynchronousTestCase):
    """
    The memory of marks is bounded, and forgetting is safe.
    """

    def test_bounded(self) -> None:
        """
        Who is forgotten for want of room is as if it had been accepted.
        """
        marks = Marks(2)
        for number in range(5):
            marks.put(("key", str(number)), Mark(NOW + number, 0), 0)
        self.assertEqual(len(marks), 2)
        self.assertEqual(marks.of(("key", "4")), Mark(NOW + 4, 0))
        self.assertEqual(marks.of(("key", "0")), Mark(NOW + 2, NOW + 2))

    def test_expired(self) -> None:
        """
        What is too old to be accepted anyway is forgotten without a trace.
        """
        marks = Marks(2)
        marks.put(NODE, Mark(NOW, 0), 0)
        marks.put(OTHER, Mark(NOW + 100, 0), NOW + 50)
        self.assertEqual([node for node, _ in marks], [OTHER])
        self.assertEqual(marks.of(NODE), Mark(0, 0))

    def test_by_key(self) -> None:
        """
        A key with very many nodes, dated in the future, does not keep those of
        other keys out.
        """
        freshness = SignatureFreshness(DAY)
        for number in range(NODES_LIMIT + 1):
            node = ("a", str(number))
            freshness.admit("a", node, sent=NOW + 5000, leaving=False, now=NOW)
        freshness.admit("b", NODE, sent=NOW, leaving=False, now=NOW)
        self.assertRaises(Stale, freshness.admit, "a", NODE, sent=NOW, leaving=False, now=NOW)


class SealFreshnessTests(SynchronousTestCase):
    """
    Seals: each nonce once.
    """

    def setUp(self) -> None:
        self.freshness = SealFreshness(60)
        self.nonces = 0

    def accepts(
        self,
        sent: float,
        *,
        leaving: bool = False,
        now: float | None = None,
        nonce: bytes = b"",
    ) -> bool:
        self.nonces += 1
        try:
            self.freshness.admit(
                "k",
                NODE,
                time=int(sent * MICROSECONDS),
                nonce=nonce or b"%d" % self.nonces,
                leaving=leaving,
                now=sent if now is None else now,
            )
        except Stale:
            return False
        return True

    def test_life(self) -> None:
        """
        A node comes, refreshes, leaves, and comes back at once.
        """
        self.assertTrue(self.accepts(NOW))
        self.assertTrue(self.accepts(NOW))
        self.assertTrue(self.accepts(NOW + 10))
        self.assertTrue(self.accepts(NOW + 10.001, leaving=True))
        self.assertTrue(self.accepts(NOW + 10.002))

    def test_clock_set_back(self) -> None:
        """
        A node whose clock is corrected within the tolerance goes on.
        """
        self.accepts(NOW)
        self.assertTrue(self.accepts(NOW - 30, now=NOW + 10))

    def test_repeated(self) -> None:
        """
        A nonce is accepted once, as long as its time would pass; then its time
        does not.
        """
        self.assertTrue(self.accepts(NOW, nonce=b"n"))
        self.assertFalse(self.accepts(NOW, nonce=b"n"))
        self.assertFalse(self.accepts(NOW, nonce=b"n", now=NOW + 60))
        self.accepts(NOW + 61)
        self.assertFalse(self.accepts(NOW, nonce=b"n", now=NOW + 61))

    def test_held_back(self) -> None:
        """
        What was said before the node left does not bring it back, and what was
        said before it came does not take it away.
        """
        self.accepts(NOW + 5)
        self.assertFalse(self.accepts(NOW + 4, leaving=True, now=NOW + 6))
        self.accepts(NOW + 10, leaving=True)
        self.assertFalse(self.accepts(NOW + 9, now=NOW + 11))
        self.assertFalse(self.accepts(NOW + 10, now=NOW + 11))

    def test_clocks(self) -> None:
        """
        The sender's clock may differ by the tolerance.
        """
        self.assertFalse(self.accepts(NOW - 61, now=NOW))
        self.assertFalse(self.accepts(NOW + 61, now=NOW))
        self.assertTrue(self.accepts(NOW - 60, now=NOW))
        self.assertTrue(self.accepts(NOW + 60, now=NOW))

    def test_nonces_are_bounded(self) -> None:
        """
        With its room used up, a key's older words are refused.
        """
        nonces = Nonces(3)
        for number in range(5):
            nonces.admit(b"%d" % number, 100 + number, 0)
        self.assertEqual(len(nonces), 3)
        self.assertRaises(Stale, nonces.admit, b"new", 101, 0)
        nonces.admit(b"new", 102, 0)
        nonces.admit(b"last", 200, 150)
        self.assertEqual(len(nonces), 1)
