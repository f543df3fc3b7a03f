"""
Header lines and what is remembered of them.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire import headers
from emperor.wire.headers import KNOWN_LIMIT, LINE_LIMIT, Field, make_field, read_fields


class FieldTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.known: dict[bytes, Field] = {}
        self.patch(headers, "_known", self.known)

    def test_parts(self) -> None:
        """
        A line is taken apart and encoded for a node.
        """
        [field] = read_fields([b"X-A:\t b c "])
        self.assertEqual((field.name, field.value), (b"x-a", b"b c"))
        self.assertEqual(field.variable, b"\x08\x00HTTP_X_A\x03\x00b c")
        self.assertFalse(field.decides or field.ignored)

    def test_names(self) -> None:
        """
        Content-Type has no prefix; some headers are not for the node, and a
        name with an underscore is for nobody.
        """
        self.assertEqual(
            make_field(b"content-type", b"a").variable, b"\x0c\x00CONTENT_TYPE\x01\x00a"
        )
        for name in (b"content-length", b"transfer-encoding", b"expect", b"proxy", b"x_a"):
            self.assertEqual(make_field(name, b"1").variable, b"", name)
        self.assertTrue(make_field(b"x_a", b"1").ignored)

    def test_malformed(self) -> None:
        """
        What is no line is refused, also when it comes again.
        """
        for line in (
            b"",
            b"a",
            b"a b: 1",
            b": 1",
            b"a : 1",
            b" a: 1",
            b"a: \0",
            b"a: \n",
            b"a: \x7f",
        ):
            for _ in range(2):
                self.assertRaises(ValueError, read_fields, [line])
        self.assertEqual(self.known, {})

    @given(st.lists(st.sampled_from([b"A: 1", b"a: 1", b"A:2", b"Cookie: x", b"B: "]), max_size=9))
    def test_again(self, lines: list[bytes]) -> None:
        """
        A line means the same the first time and later.
        """
        self.known.clear()
        first = read_fields(lines)
        self.assertEqual(first, read_fields(lines))
        self.assertEqual(first, [read_fields([line])[0] for line in lines])

    def test_not_remembered(self) -> None:
        """
        Long lines and cookies do not take others' places.
        """
        read_fields([b"Cookie: a", b"X: " + b"a" * LINE_LIMIT])
        self.assertEqual(self.known, {})

    def test_many(self) -> None:
        """
        However many lines clients invent, few are kept, and all are read.
        """
        for number in range(2 * KNOWN_LIMIT + 5):
            [field] = read_fields([b"X-%d: %d" % (number, number)])
            self.assertEqual(field.value, b"%d" % number)
            self.assertLessEqual(len(self.known), KNOWN_LIMIT)
