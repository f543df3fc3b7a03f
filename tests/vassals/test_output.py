"""
Tests for L{emperor.vassals.output}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.output import LINE_LIMIT, Lines


def lines_of(*pieces: bytes) -> list[str]:
    """
    What is logged of a stream that arrives in these pieces.
    """
    found: list[str] = []
    lines = Lines(found.append)
    for piece in pieces:
        lines.feed(piece)
    lines.finish()
    return found


class LinesTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """
        Each line is one; the last one may lack its end, empty ones are left out.
        """
        self.assertEqual(["a", "b", "c"], lines_of(b"a\r\n\nb", b"\nc"))

    def test_no_text(self) -> None:
        """
        Bytes that are no text are shown.
        """
        self.assertEqual(["\\xff!"], lines_of(b"\xff!\n"))

    def test_endless_line(self) -> None:
        """
        A line without end takes no memory without end.
        """
        found = lines_of(*[b"x" * 1000] * 20)
        self.assertEqual(20_000, sum(map(len, found)))
        self.assertLessEqual(max(map(len, found)), LINE_LIMIT)

    @given(st.lists(st.binary()))
    def test_cut_anywhere(self, pieces: list[bytes]) -> None:
        """
        It does not matter in which pieces the lines arrive.
        """
        self.assertEqual(lines_of(b"".join(pieces)), lines_of(*pieces))
