"""
Tests for L{emperor.wire.proxying}.
"""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.proxying import (
    GREETING,
    MOST,
    SIZE,
    BadHandOver,
    build_hand_over,
    parse_hand_over,
)


class HandOverTests(SynchronousTestCase):
    def test_as_uwsgi_sends_it(self) -> None:
        """
        Thirteen letters and a native int.
        """
        self.assertEqual(parse_hand_over(b"uwsgi-emperor" + struct.pack("=i", 2)), 2)

    @given(st.integers(1, MOST), st.integers(0, SIZE - 1))
    def test_cut_anywhere(self, count: int, cut: int) -> None:
        """
        What is not whole asks for more.
        """
        message = build_hand_over(count)
        self.assertIsNone(parse_hand_over(message[:cut]))
        self.assertEqual(parse_hand_over(message), count)

    @given(st.binary(max_size=2 * SIZE))
    def test_anything(self, data: bytes) -> None:
        """
        Whatever comes is a message, the beginning of one, or an error.
        """
        try:
            count = parse_hand_over(data)
        except BadHandOver:
            return
        if count is None:
            self.assertTrue(GREETING.startswith(data[: len(GREETING)]))
        else:
            self.assertEqual(build_hand_over(count), data)

    def test_wrong(self) -> None:
        """
        Another greeting, more bytes, or a count that cannot be.
        """
        for data in (b"uwsgi-zerg", build_hand_over(1) + b"x", build_hand_over(0)):
            self.assertRaises(BadHandOver, parse_hand_over, data)
