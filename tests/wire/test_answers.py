"""
A node's answer on its way to an HTTP/1 client.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.answers import HEAD_LIMIT, AnswerWriter, BadAnswer, Framing
from tests.wire.cutting import cuts

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
UNSIZED = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"


def writer(
    *, head_only: bool = False, minor_version: int = 1, persistent: bool = True
) -> AnswerWriter:
    return AnswerWriter(head_only=head_only, minor_version=minor_version, persistent=persistent)


class FramingTests(SynchronousTestCase):
    def test_sized(self) -> None:
        """
        A sized answer is complete with its last byte; more is dropped.
        """
        answer = writer()
        self.assertFalse(answer.started)
        self.assertEqual(answer.feed(SIZED + b"a"), SIZED + b"a")
        self.assertEqual((answer.framing, answer.complete), (Framing.SIZED, False))
        self.assertTrue(answer.started)
        self.assertEqual(answer.feed(b"bcd"), b"bc")
        self.assertTrue(answer.complete and answer.persistent)
        self.assertEqual(answer.feed(b"e"), b"")

    def test_truncated(self) -> None:
        """
        A sized answer that stops early is not complete.
        """
        answer = writer()
        answer.feed(SIZED + b"ab")
        self.assertEqual(answer.finish(), b"")
        self.assertFalse(answer.complete)

    def test_chunked_here(self) -> None:
        """
        An answer that ends by closing gets chunks for a client that knows them.
        """
        answer = writer()
        head = UNSIZED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(answer.feed(UNSIZED), head)
        self.assertEqual(answer.feed(b"0123456789"), b"a\r\n0123456789\r\n")
        self.assertEqual(answer.feed(b""), b"")
        self.assertFalse(answer.complete)
        self.assertEqual(answer.finish(), b"0\r\n\r\n")
        self.assertTrue(answer.complete and answer.persistent)

    def test_chunked_by_node(self) -> None:
        """
        A node's own chunks pass untouched; only closing shows their end here.
        """
        answer = writer()
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"3\r\nabc\r\n0\r\n\r\n"
        closing = head[:-2] + b"Connection: close\r\n\r\n"
        self.assertEqual(answer.feed(head + body), closing + body)
        self.assertEqual((answer.framing, answer.persistent), (Framing.CLOSING, False))
        self.assertEqual((answer.complete, answer.finish(), answer.complete), (False, b"", True))

    def test_chunked_for_the_old(self) -> None:
        """
        A client of HTTP/1.0 cannot read a node's chunks (RFC 9112 section 6.1).
        """
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertRaises(BadAnswer, writer(minor_version=0, persistent=False).feed, answer)

    def test_closing(self) -> None:
        """
        A client that does not go on gets an unsized answer as it is.
        """
        for answer in (writer(persistent=False), writer(minor_version=0, persistent=False)):
            self.assertEqual(
                answer.feed(UNSIZED + b"ab"), UNSIZED[:-2] + b"Connection: close\r\n\r\nab"
            )
            self.assertEqual(answer.framing, Framing.CLOSING)
            self.assertEqual(answer.feed(b"c"), b"c")
            self.assertEqual(answer.finish(), b"")
            self.assertTrue(answer.complete)

    def test_sized_and_closing(self) -> None:
        """
        A sized answer to a client that does not go on says that it closes.
        """
        answer = writer(persistent=False)
        self.assertEqual(answer.feed(SIZED), SIZED[:-2] + b"Connection: close\r\n\r\n")

    def test_no_body(self) -> None:
        """
        Answers to HEAD and 304 end with their head.
        """
        for status, head_only in ((200, True), (304, False)):
            for lines in (b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"):
                answer = writer(head_only=head_only)
                head = b"HTTP/1.1 %d X\r\n%b\r\n" % (status, lines)
                self.assertEqual(answer.feed(head + b"12345"), head)
                self.assertTrue(answer.complete and answer.persistent)

    def test_never_a_body(self) -> None:
        """
        204 and interim answers are not said to have a body, whatever the node
        says: a client that believed it would wait.
        """
        lines = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        for status in (103, 204):
            answer = writer()
            head = b"HTTP/1.1 %d X\r\nA: b\r\n%b\r\n" % (status, lines)
            self.assertEqual(answer.feed(head), head.replace(lines, b""))
            self.assertEqual(answer.complete, status == 204)

    def test_empty(self) -> None:
        """
        Content-Length 0 is complete at once.
        """
        answer = writer()
        answer.feed(SIZED.replace(b"3", b"0"))
        self.assertTrue(answer.complete)

    def test_nothing(self) -> None:
        """
        A node that closes at once has answered nothing.
        """
        answer = writer()
        self.assertEqual(answer.finish(), b"")
        self.assertFalse(answer.complete or answer.started)


class HeadTests(SynchronousTestCase):
    def test_version(self) -> None:
        """
        A node's HTTP/1.0 becomes the router's own version.
        """
        old = SIZED.replace(b"/1.1", b"/1.0")
        self.assertEqual(writer().feed(old), SIZED)
        self.assertTrue(writer(minor_version=0, persistent=False).feed(old).startswith(old[:8]))

    def test_headers_of_the_connection(self) -> None:
        """
        What a node says of its own connection is not the client's.
        """
        lines = b"Connection: close\r\nkeep-alive: 5\r\nProxy-Connection: x\r\n"
        head = SIZED.replace(b"OK\r\n", b"OK\r\n" + lines)
        self.assertEqual(writer().feed(head), SIZED)

    def test_encoding_overrides_length(self) -> None:
        """
        A length beside an encoding is dropped (RFC 9112 section 6.3).
        """
        for more in (b"", b"Connection: x\r\n"):
            head = SIZED[:-2] + b"Transfer-Encoding: chunked\r\n" + more + b"\r\n"
            passed = writer().feed(head)
            self.assertNotIn(b"Content-Length", passed)
            self.assertEqual(passed.count(b"Connection"), 1)
            self.assertIn(b"Transfer-Encoding: chunked\r\n", passed)

    def test_interim(self) -> None:
        """
        Interim answers pass, but not to HTTP/1.0.
        """
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        answer = writer()
        self.assertEqual(answer.feed(interim), interim)
        self.assertFalse(answer.started)
        self.assertEqual(answer.feed(interim + SIZED), interim + SIZED)
        self.assertTrue(writer(minor_version=0).feed(interim + SIZED).startswith(SIZED[:17]))

    def test_many_interims(self) -> None:
        """
        Thousands of interim answers in one piece pass.
        """
        many = b"HTTP/1.1 100 \r\n\r\n" * 3000
        self.assertEqual(writer().feed(many), many)

    def test_status_without_phrase(self) -> None:
        """
        A status needs no phrase.
        """
        head = SIZED.replace(b" OK", b"")
        self.assertEqual(writer().feed(head), head)

    def test_malformed(self) -> None:
        """
        What is no HTTP answer is the node's fault.
        """
        for data in (
            b"SSH",
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 099 OK\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
            b"HTTP/1.1 200 OK\nA: b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            SIZED.replace(b"3", b"3, 3"),
            SIZED.replace(b"3", b"-3"),
            SIZED.replace(b"3", b""),
            SIZED.replace(b"3", b"9" * 5000),
            SIZED[:-2] + SIZED[17:],
        ):
            self.assertRaises(BadAnswer, writer().feed, data)

    def test_limit(self) -> None:
        """
        A head may have 64 KiB, wherever it is cut.
        """
        head = SIZED[:-2] + b"A: " + b"a" * (HEAD_LIMIT - len(SIZED) - 1) + b"\r\n\r\n"
        self.assertEqual(len(head), HEAD_LIMIT + 4)
        for place in (*range(len(head) - 6, len(head)), len(head)):
            answer = writer()
            passed = answer.feed(head[:place]) + answer.feed(head[place:])
            self.assertEqual(passed, head, place)
        self.assertRaises(BadAnswer, writer().feed, head.replace(b"A: ", b"A: a"))
        endless = writer()
        self.assertRaises(BadAnswer, lambda: [endless.feed(head[:-4]) for _ in range(2)])


WRITERS = st.builds(
    writer, head_only=st.booleans(), minor_version=st.sampled_from([0, 1]), persistent=st.booleans()
)
LINES = st.lists(
    st.sampled_from(
        [b"A: b", b"Content-Length: 4", b"Transfer-Encoding: x", b"Connection: close", b"bad"]
    ),
    max_size=3,
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 \r\n\r\n"]))
    status = draw(st.sampled_from([b"200 OK", b"204 No", b"304 Not", b"101 Up"]))
    lines = b"".join(line + b"\r\n" for line in draw(LINES))
    return interim + b"HTTP/1.0 " + status + b"\r\n" + lines + b"\r\n" + draw(st.binary(max_size=9))


def outcome(answer: AnswerWriter, pieces: list[bytes]) -> tuple[bytes, Framing, bool, bool] | str:
    """
    What a client gets, with chunks taken off.
    """
    passed = b""
    try:
        for piece in pieces:
            more = answer.feed(piece)
            passed += more
    except BadAnswer:
        return "bad"
    passed += answer.finish()
    if answer.framing is Framing.CHUNKED:
        head, _, chunks = passed.rpartition(b"Transfer-Encoding: chunked\r\n")
        passed = head + decode(chunks)
    return passed, answer.framing, answer.complete, answer.persistent


def decode(text: bytes) -> bytes:
    """
    The rest of a head, and the body without its chunks.
    """
    end = text.index(b"\r\n") + 2
    head, text = text[:end], text[end:]
    body = b""
    while text != b"0\r\n\r\n":
        size, _, text = text.partition(b"\r\n")
        length = int(size, 16)
        assert length and text[length : length + 2] == b"\r\n"
        body, text = body + text[:length], text[length + 2 :]
    return head + body


class AnyCutTests(SynchronousTestCase):
    @given(st.data(), answers(), st.booleans(), st.sampled_from([0, 1]), st.booleans())
    @settings(max_examples=300)
    def test_answers(
        self, data: st.DataObject, whole: bytes, head_only: bool, minor: int, persistent: bool
    ) -> None:
        """
        A client gets the same answer wherever the node's bytes are cut.
        """

        def fresh() -> AnswerWriter:
            return writer(head_only=head_only, minor_version=minor, persistent=persistent)

        self.assertEqual(outcome(fresh(), data.draw(cuts(whole))), outcome(fresh(), [whole]))

    @given(
        WRITERS, st.lists(st.sampled_from([b"HTTP/1.1 200", b"\r\n", b" ", b"A:"]) | st.binary())
    )
    def test_garbage(self, answer: AnswerWriter, pieces: list[bytes]) -> None:
        """
        Any garbage is passed on or the node's fault.
        """
        outcome(answer, [b"HTTP/1.", *pieces])

    @given(st.lists(st.binary(max_size=40)))
    def test_chunks(self, pieces: list[bytes]) -> None:
        """
        The chunks that are made here decode to what the node sent.
        """
        answer = writer()
        answer.feed(UNSIZED)
        passed = b"".join(map(answer.feed, pieces)) + answer.finish()
        self.assertEqual(decode(b"\r\n" + passed), b"\r\n" + b"".join(pieces))
