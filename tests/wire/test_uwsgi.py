"""
The uwsgi protocol's packets.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.uwsgi import (
    HEADER,
    PAYLOAD_LIMIT,
    BadPacket,
    PacketReader,
    PacketTooLarge,
    build_packet,
    check_size,
    encode_item,
    encode_variable,
    encode_variables,
    find_variables,
    iterate_variables,
)
from tests.wire.cutting import cuts

VARIABLES = st.lists(
    st.tuples(st.binary(min_size=1, max_size=40), st.binary(max_size=80)), max_size=20
)
BYTE = st.integers(0, 255)


class PacketTests(SynchronousTestCase):
    def test_bytes(self) -> None:
        """
        A packet has the bytes that the uWSGI documentation describes.
        """
        payload = encode_variables([(b"A", b"bc")])
        self.assertEqual(payload, b"\x01\x00A\x02\x00bc")
        self.assertEqual(build_packet(5, payload, 6), b"\x05\x07\x00\x06" + payload)

    @given(st.data(), BYTE, BYTE, VARIABLES, st.binary(max_size=20))
    def test_any_cut(
        self,
        data: st.DataObject,
        first: int,
        second: int,
        variables: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """
        A packet is the same wherever its bytes are cut, and what follows it
        comes back untouched.
        """
        payload = encode_variables(variables)
        whole = build_packet(first, payload, second) + body
        reader, rest = PacketReader(), b""
        packet = None
        for piece in data.draw(cuts(whole)):
            if packet is None:
                packet, behind = reader.feed(piece)
                rest = behind or b""
                self.assertFalse(reader.started and packet is not None)
            else:
                rest += piece
        assert packet is not None
        self.assertEqual((packet.modifier1, packet.modifier2), (first, second))
        self.assertEqual(list(iterate_variables(packet.payload)), variables)
        self.assertEqual(rest, body)

    def test_started(self) -> None:
        """
        A reader knows whether a part of a packet has come.
        """
        reader = PacketReader()
        self.assertFalse(reader.started)
        self.assertEqual(reader.feed(b"\0"), (None, None))
        self.assertTrue(reader.started)
        packet, rest = reader.feed(b"\0\0\0")
        assert packet is not None
        self.assertEqual((packet.payload, rest), (b"", b""))
        self.assertFalse(reader.started)

    def test_largest(self) -> None:
        """
        The largest packet is complete with its last byte, not before.
        """
        reader = PacketReader()
        whole = HEADER.pack(0, PAYLOAD_LIMIT, 0) + bytes(PAYLOAD_LIMIT)
        self.assertEqual(reader.feed(whole[:-1]), (None, None))
        packet, rest = reader.feed(whole[-1:])
        assert packet is not None
        self.assertEqual((len(packet.payload), rest), (PAYLOAD_LIMIT, b""))


class VariablesTests(SynchronousTestCase):
    def test_order_and_repetition(self) -> None:
        """
        Variables keep their order, and names may repeat.
        """
        variables = [(b"B", b"1"), (b"A", b""), (b"B", b"2")]
        self.assertEqual(list(iterate_variables(encode_variables(variables))), variables)

    def test_errors(self) -> None:
        """
        A name that is empty and a length that points past the end are reported.
        """
        malformed = {
            b"\0\0\1\0a": "without a name at byte 0",
            b"\1\0a\1\0": "at byte 3 points past the end",
            b"\1\0a\1": "at byte 3 points past the end",
            b"\1\0a": "at byte 3 points past the end",
            b"\2\0a": "at byte 0 points past the end",
            b"\1": "at byte 0 points past the end",
            b"\xff\xffab": "at byte 0 points past the end",
        }
        for payload, message in malformed.items():
            error = self.assertRaises(BadPacket, list, iterate_variables(payload))
            self.assertIn(message, str(error))

    @given(st.binary(max_size=60))
    def test_any_garbage(self, payload: bytes) -> None:
        """
        Any bytes are either variables, which encode to the same bytes, or an error.
        """
        try:
            variables = list(iterate_variables(payload))
        except BadPacket:
            return
        self.assertEqual(encode_variables(variables), payload)

    @given(VARIABLES, st.frozensets(st.sampled_from([b"A", b"BC", b"KEY"])), st.binary(max_size=9))
    def test_find(
        self, variables: list[tuple[bytes, bytes]], names: frozenset[bytes], more: bytes
    ) -> None:
        """
        To look for a few variables finds what reading all of them finds, also
        in garbage.
        """
        pairs = [*variables, (b"KEY", b"1"), *variables[:1], (b"A", b"")]
        for payload in (encode_variables(pairs) + more, more, more + encode_variables(pairs)):
            try:
                expected = {n: value for n, value in iterate_variables(payload) if n in names}
            except BadPacket:
                self.assertRaises(BadPacket, find_variables, payload, names)
            else:
                self.assertEqual(find_variables(payload, names), expected)

    def test_largest_variable(self) -> None:
        """
        A value of 65,535 bytes has a length; one more has none.
        """
        self.assertEqual(encode_variable(b"A", bytes(PAYLOAD_LIMIT))[:5], b"\1\0A\xff\xff")
        for name, value in [(b"A", bytes(PAYLOAD_LIMIT + 1)), (bytes(PAYLOAD_LIMIT + 1), b"")]:
            self.assertRaises(PacketTooLarge, encode_variable, name, value)

    def test_unusual_lengths(self) -> None:
        """
        A name, or a value, has its length before it, however long it is.
        """
        for size in (0, 1, 4095, 4096, PAYLOAD_LIMIT):
            item = size.to_bytes(2, "little") + bytes(size)
            self.assertEqual(encode_item(bytes(size)), item)
            self.assertEqual(encode_variable(b"A", bytes(size)), b"\1\0A" + item)

    def test_too_many(self) -> None:
        """
        Variables that do not fit into one packet are refused.
        """
        self.assertRaises(PacketTooLarge, encode_variables, [(b"AAAA", bytes(40000))] * 2)
        check_size(bytes(PAYLOAD_LIMIT))
        self.assertRaises(PacketTooLarge, check_size, bytes(PAYLOAD_LIMIT + 1))
