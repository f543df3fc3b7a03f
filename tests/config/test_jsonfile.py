"""
L{emperor.config.jsonfile}
"""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from emperor.config.errors import ConfigurationError
from emperor.config.jsonfile import parse_json
from tests.config.fixtures import BOUNDED, ConfigurationCase

_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab"), inner),
)


class JsonTests(ConfigurationCase):
    """
    JSON without types.
    """

    def parse(self, text: str, section: str = "uwsgi") -> list[tuple[str, str]]:
        """
        Keys and values of a section that is there.
        """
        pairs = parse_json(text, "f.json", section)
        assert pairs is not None
        return [(pair.key, pair.value) for pair in pairs]

    def test_texts(self) -> None:
        """
        Numbers stay what is written; true is 1; repeats are kept; nested
        things are passed over.
        """
        text = '{"uwsgi": {"a": [1e3, "x", [2]], "b": true, "c": null, "a": 1.50, "d": {"e": 1}}}'
        self.assertEqual(
            self.parse(text), [("a", "1e3"), ("a", "x"), ("b", "1"), ("c", "0"), ("a", "1.50")]
        )

    def test_sections(self) -> None:
        """
        A section is an object of the root.
        """
        self.assertEqual(self.parse('{"x": {"a": ""}}', "x"), [("a", "")])
        for text in ("{}", "[1]", '{"uwsgi": 1}'):
            self.assertIsNone(parse_json(text, "f.json", "uwsgi"), text)

    def test_lines(self) -> None:
        """
        Each option has the line in which it stands.
        """
        text = '{"other": {"a": 1},\n"uwsgi": {\n"a": 1, "b": ["x",\n"y"],\n"a": 2}}'
        pairs = parse_json(text, "f.json", "uwsgi")
        assert pairs is not None
        self.assertEqual([pair.origin.line for pair in pairs], [3, 3, 3, 5])

    def test_not_json(self) -> None:
        """
        A slip is shown with its line.
        """
        self.assert_refused("f.json:2: no JSON", self.parse, '{"uwsgi":\n}')
        self.assert_refused("NaN is no JSON number", self.parse, '{"a": NaN}')

    def test_deep(self) -> None:
        """
        A nest of brackets is refused.
        """
        self.assert_refused("no JSON", self.parse, "[" * 100_000)

    @settings(deadline=BOUNDED)
    @given(st.text() | _anything.map(json.dumps))
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        with contextlib.suppress(ConfigurationError):
            parse_json(text, "f.json", "a")
