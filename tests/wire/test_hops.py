"""
Tests for L{emperor.wire.hops}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.fields import BadAnnouncement
from emperor.wire.hops import (
    HOPS_LIMIT,
    WAY,
    WAY_LIMIT,
    add_hops,
    add_mark,
    make_mark,
    marks_of,
    read_hops,
)
from emperor.wire.subscription import build_announcement, parse_announcement
from emperor.wire.uwsgi import encode_variables, find_variables
from tests.wire.announcements import ANNOUNCEMENTS, announcement, datagram

MARKS = st.lists(
    st.text("0123456789abcdef", min_size=16, max_size=16), min_size=1, max_size=HOPS_LIMIT
).map(tuple)


class HopsTests(SynchronousTestCase):
    @given(ANNOUNCEMENTS, MARKS)
    def test_round_trip(self, announced: object, marks: tuple[str, ...]) -> None:
        """
        What is marked says the same as before, and by whom it was marked.
        """
        plain = build_announcement(announced)  # type: ignore[arg-type]
        marked = add_hops(plain, marks)
        self.assertEqual(read_hops(marked), marks)
        self.assertEqual(parse_announcement(marked), parse_announcement(plain))

    def test_too_long(self) -> None:
        """
        What no server would take is not sent.
        """
        for size, fits in ((3850, True), (3950, False)):
            plain = build_announcement(announcement(sni_key="x" * size))
            marks = [make_mark()] * 4
            if fits:
                parse_announcement(add_hops(plain, marks))
            else:
                self.assertRaises(BadAnnouncement, add_hops, plain, marks)

    def test_none(self) -> None:
        """
        What a node itself says bears no mark, also if it is called so.
        """
        self.assertEqual(read_hops(datagram()), ())
        self.assertEqual(read_hops(build_announcement(announcement(key="hops"))), ())

    @given(st.lists(st.binary(max_size=80), min_size=1, max_size=3))
    def test_garbage(self, values: list[bytes]) -> None:
        """
        Anything else is refused, or is marks.
        """
        try:
            hops = read_hops(datagram(*((b"hops", value) for value in values)))
        except BadAnnouncement as error:
            self.assertIn("accepted", str(error))
        else:
            self.assertEqual(b",".join(values).decode(), ",".join(hops))

    def test_too_many(self) -> None:
        """
        Somebody leads it in a circle.
        """
        marked = add_hops(datagram(), [make_mark() for _ in range(HOPS_LIMIT + 1)])
        error = self.assertRaises(BadAnnouncement, read_hops, marked)
        self.assertIn("through 9 routers", str(error))

    def test_unequal(self) -> None:
        """
        No two routers have the same mark.
        """
        self.assertEqual(len({make_mark() for _ in range(100)}), 100)


class RequestTests(SynchronousTestCase):
    @given(MARKS)
    def test_round_trip(self, marks: tuple[str, ...]) -> None:
        """
        Each router adds its mark behind those before it; the rest stays.
        """
        before = encode_variables([(b"HTTP_HOST", b"a"), (b"X", b"y")])
        payload = before
        for count, mark in enumerate(marks, start=1):
            longer = add_mark(payload, mark)
            self.assertLessEqual(len(longer) - len(payload), WAY_LIMIT)
            payload = longer
            way = find_variables(payload, frozenset([WAY]))[WAY]
            self.assertEqual(marks_of(way), [*marks[:count]])
        self.assertTrue(payload.startswith(before))

    @given(st.binary() | st.text("0123456789abcdef,").map(str.encode))
    def test_garbage(self, way: bytes) -> None:
        """
        Whatever somebody sends there, it is a few marks.
        """
        self.assertLessEqual(len(marks_of(way)), HOPS_LIMIT)
