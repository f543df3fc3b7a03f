"""
Tests for L{emperor.status.jsontext}.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import UnixAddress
from emperor.status.jsontext import PIECE, pieces, readable, write

#: What JSON can say, in the types of ours.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
#: Decoded paths.
PATHS = st.binary(min_size=1, max_size=60).map(lambda path: path.replace(b"\0", b"?"))


def lazy(value: Any) -> Any:
    """
    The same with iterators for lists.
    """
    if isinstance(value, list):
        return map(lazy, value)
    return {key: lazy(each) for key, each in value.items()} if isinstance(value, dict) else value


class WriteTests(SynchronousTestCase):
    @given(VALUES, st.sampled_from(["", "\n"]))
    def test_roundtrip(self, value: Any, line: str) -> None:
        """
        What is written is JSON and means what was given, also from iterators.
        """
        for given_value in (value, lazy(value)):
            self.assertEqual(value, json.loads("".join(write(given_value, line))))

    @given(VALUES)
    def test_minified(self, value: Any) -> None:
        """
        Minified is what C{json} makes of it without blanks.
        """
        compact = json.dumps(value, separators=(",", ":"))
        self.assertEqual(compact, "".join(write(value, "")))

    def test_lines(self) -> None:
        """
        Otherwise each item has a line, with tabs before it as uWSGI has them.
        """
        value = {"a": [1, {"b": "x"}], "c": [], "d": {}}
        text = '{\n\t"a":[\n\t\t1,\n\t\t{\n\t\t\t"b":"x"\n\t\t}\n\t],\n\t"c":[],\n\t"d":{}\n}'
        self.assertEqual(text, "".join(write(value, "\n")))


class ReadableTests(SynchronousTestCase):
    @given(PATHS)
    def test_paths(self, path: bytes) -> None:
        """
        Any path becomes text that every reader of JSON takes.
        """
        shown = readable(str(UnixAddress(path)))
        self.assertEqual(shown, json.loads(json.dumps(shown).encode("utf-8")))
        shown.encode("utf-8")

    def test_bytes(self) -> None:
        """
        Text stays as it is; what is no UTF-8 is spelled out.
        """
        self.assertEqual("/ä\\xff", readable(str(UnixAddress("/ä".encode() + b"\xff"))))


class PiecesTests(SynchronousTestCase):
    def test_pieces(self) -> None:
        """
        However much there is, it is made in small pieces, each when it is asked
        for.
        """
        made: list[int] = []

        def numbers() -> Any:
            for number in range(20_000):
                made.append(number)
                yield number

        text = pieces({"a": numbers(), "b": {}}, minified=True)
        first = next(text)
        self.assertLess(len(first), PIECE + 100)
        self.assertLess(len(made), 10_000)
        whole = json.loads(first + b"".join(text))
        self.assertEqual({"a": [*range(20_000)], "b": {}}, whole)

    def test_end(self) -> None:
        """
        Minified or not, it is one text.
        """
        self.assertEqual([b"{}"], list(pieces({}, minified=True)))
        self.assertEqual([b"{}\n"], list(pieces({}, minified=False)))
