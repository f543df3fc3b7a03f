"""
Tests for L{emperor.wire.vassal}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.vassal import (
    CONFIGURATION_LIMIT,
    BadConfiguration,
    Order,
    Said,
    build_configuration,
    parse_configuration,
    parse_orders,
    parse_said,
)


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


class ConfigurationTests(SynchronousTestCase):
    """
    A vassal's configuration on its way.
    """

    def test_bytes(self) -> None:
        """
        The bytes are those that a real uWSGI reads.
        """
        self.assertEqual(b"s\x03\x00\x00a=b", build_configuration(b"a=b"))
        longest = build_configuration(b"x" * CONFIGURATION_LIMIT)
        self.assertEqual(b"s\xff\xff\x00x", longest[:5])

    def test_size(self) -> None:
        """
        What the length has no room for is refused, and so is nothing at all.
        """
        error = self.assertRaises(BadConfiguration, build_configuration, b"x" * 65536)
        self.assertEqual(
            "its configuration has 65536 bytes; a uWSGI takes at most 65535", str(error)
        )
        error = self.assertRaises(BadConfiguration, build_configuration, b"")
        self.assertEqual("its configuration is empty", str(error))

    @given(st.lists(st.binary(min_size=1), min_size=1, max_size=3), st.data())
    def test_round_trip(self, bodies: list[bytes], data: st.DataObject) -> None:
        """
        One after the other comes out as it went in, cut anywhere.
        """
        whole = b"".join(map(build_configuration, bodies))
        cut = data.draw(st.integers(0, len(whole)))
        rest, found = b"", []
        for piece in (whole[:cut], whole[cut:]):
            rest += piece
            while (parsed := parse_configuration(rest)) is not None:
                body, rest = parsed
                found.append(body)
        self.assertEqual((bodies, b""), (found, rest))

    @given(st.binary())
    def test_garbage(self, data: bytes) -> None:
        """
        Anything else is refused as soon as it can be told, or waits for more.
        """
        try:
            parsed = parse_configuration(data)
        except BadConfiguration:
            self.assertNotEqual(b"s", data[:1] if len(data) < 4 else b"")
        else:
            self.assertTrue(parsed is None or b"".join(map(bytes, parsed)) == data[4:])
