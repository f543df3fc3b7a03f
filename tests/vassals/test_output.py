"""
Tests for L{emperor.vassals.output}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.output import (
    BYTES_A_SECOND,
    LAST_LINE_LIMIT,
    LAST_LINES,
    LINE_LIMIT,
    LINES_A_SECOND,
    Lines,
    Output,
)


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


class OutputTests(SynchronousTestCase):
    """
    One vassal that prints much.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.found: list[str] = []
        self.calls: list[str] = []
        self.output = Output(
            self.clock,
            self.found.append,
            lambda: self.calls.append("pause"),
            lambda: self.calls.append("resume"),
        )

    def test_lines_left_out(self) -> None:
        """
        Of what is printed too fast the number is logged, once in a second, on
        both outputs together; the next second begins anew.
        """
        self.output.feed(1, b"y\n" * (LINES_A_SECOND + 10))
        self.output.feed(2, b"y\n" * 5 + b"half")
        self.assertEqual(["y"] * LINES_A_SECOND, self.found)
        self.clock.advance(1)
        self.assertEqual(["15 lines left out"], self.found[LINES_A_SECOND:])
        self.output.feed(1, b"z\n")
        self.assertEqual("z", self.found[-1])

    def test_pause(self) -> None:
        """
        One that prints without end has to wait for the next second.
        """
        self.output.feed(1, b"x" * (BYTES_A_SECOND + 1))
        self.assertEqual(["pause"], self.calls)
        self.clock.advance(1)
        self.assertEqual(["pause", "resume"], self.calls)

    def test_end(self) -> None:
        """
        What a vassal printed last is read, however much it was, and no timer is
        left behind.
        """
        self.output.feed(1, b"x\n" * BYTES_A_SECOND)
        self.output.read_to_the_end()
        self.output.feed(1, b"y\n" * BYTES_A_SECOND)
        self.assertEqual(["pause", "resume"], self.calls)
        self.output.close(1)
        self.output.finish()
        self.assertRegex(self.found[-1], r"^\d+ lines left out$")
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_last_lines(self) -> None:
        """
        The last lines are kept, of both outputs, and of a long line its beginning.
        """
        for number in range(30):
            self.output.feed(1 + number % 2, f"{number}\n".encode())
        self.output.feed(1, b"x" * 2 * LAST_LINE_LIMIT + b"\n")
        expected = [str(number) for number in range(31 - LAST_LINES, 30)]
        self.assertEqual([*expected, "x" * LAST_LINE_LIMIT], list(self.output.last))

    def test_endless_line_left_out(self) -> None:
        """
        A line without end takes no memory either when it is left out.
        """
        self.output.feed(1, b"y\n" * LINES_A_SECOND)
        for _ in range(5):
            self.output.feed(1, b"x" * LINE_LIMIT)
        self.output.close(1)
        self.assertEqual(["y"] * LINES_A_SECOND, self.found)
