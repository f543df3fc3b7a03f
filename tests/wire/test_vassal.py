"""
Tests for L{emperor.wire.vassal}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.vassal import Order, Said, parse_orders, parse_said


class VassalPipeTests(SynchronousTestCase):
    def test_words(self) -> None:
        """
        A first start with two workers, as a real uWSGI says it.
        """
        self.assertEqual(
            [Said.READY, Said.ALIVE, Said.ACCEPTING, Said.LOYAL],
            list(parse_said(b"\x01\x1a\x05\x11")),
        )

    def test_unknown_bytes(self) -> None:
        """
        Words that we do not know are passed over.
        """
        self.assertEqual([Said.ACCEPTING], list(parse_said(b"\x00\xff\x05\x63")))

    def test_orders(self) -> None:
        """
        The orders are the bytes that uWSGI reads.
        """
        self.assertEqual([0, 1, 2], list(Order))

    @given(st.binary(), st.integers(0, 100))
    def test_cut_anywhere(self, data: bytes, cut: int) -> None:
        """
        It does not matter in which pieces the words arrive.
        """
        pieces = dict.fromkeys([*parse_said(data[:cut]), *parse_said(data[cut:])])
        self.assertEqual(parse_said(data), list(pieces))

    @given(st.lists(st.sampled_from(Said)))
    def test_round_trip(self, words: list[Said]) -> None:
        """
        What is said is what is heard, but a word that is repeated only once.
        """
        self.assertEqual(list(dict.fromkeys(words)), parse_said(bytes(words)))

    @given(st.binary(), st.integers(0, 100))
    def test_orders_cut_anywhere(self, data: bytes, cut: int) -> None:
        """
        The same with what an Emperor says.
        """
        pieces = dict.fromkeys([*parse_orders(data[:cut]), *parse_orders(data[cut:])])
        self.assertEqual(parse_orders(data), list(pieces))

    def test_unknown_orders(self) -> None:
        """
        An Emperor may know more words than we do.
        """
        self.assertEqual(parse_orders(b"\x63\x01\xff\x00"), [Order.RELOAD, Order.STOP])
