"""
L{emperor.config.yamlfile}
"""

from __future__ import annotations

import contextlib
import sys
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from emperor.config.errors import ConfigurationError
from emperor.config.yamlfile import parse_yaml
from tests.config.fixtures import BOUNDED, ConfigurationCase


class YamlTests(ConfigurationCase):
    """
    YAML without types.
    """

    def parse(self, text: str, section: str = "uwsgi") -> list[tuple[str, str, int]]:
        """
        Keys, values and lines of a section that is there.
        """
        pairs = parse_yaml(text, "f.yml", section)
        assert pairs is not None
        return [(pair.key, pair.value, pair.origin.line) for pair in pairs]

    def test_texts(self) -> None:
        """
        Values stay what is written; lists and repeats are repeats.
        """
        text = "uwsgi:\n  a: 010\n  b: yes\n  b: 'q # r' # c\n  l: [1, two]\n  m:\n  - x\n"
        self.assertEqual(
            self.parse(text),
            [
                ("a", "010", 2),
                ("b", "yes", 3),
                ("b", "q # r", 4),
                ("l", "1", 5),
                ("l", "two", 5),
                ("m", "x", 7),
            ],
        )

    def test_empty(self) -> None:
        """
        A key without a value is dropped, but C{endif:} closes its block;
        there we differ from uWSGI, which swallows the rest of the file.
        """
        self.assertEqual(
            self.parse("uwsgi:\n  a:\n  endif:\n  else:\n  b: ''\n"),
            [("endif", "", 3), ("else", "", 4), ("b", "", 5)],
        )

    def test_sections(self) -> None:
        """
        A section is a top-level key; the first counts.
        """
        text = "x: {a: 1}\nuwsgi: {b: 2}\nx: {c: 3}\n"
        self.assertEqual(self.parse(text, "x"), [("a", "1", 1)])
        self.assertIsNone(parse_yaml(text, "f.yml", "y"))
        self.assertIsNone(parse_yaml("", "f.yml", "y"))
        self.assertEqual(self.parse("uwsgi: text"), [])

    def test_mapping(self) -> None:
        """
        An option is no mapping, nor a list of lists.
        """
        self.assert_refused("f.yml:2: a: accepted", self.parse, "uwsgi:\n  a: {b: 1}\n")
        self.assert_refused("f.yml:2: a: accepted", self.parse, "uwsgi:\n  a: [[1]]\n")
        self.assert_refused("plain text", self.parse, "uwsgi:\n  ? [a]\n  : 1\n")

    def test_not_yaml(self) -> None:
        """
        A slip is shown with its line.
        """
        self.assert_refused("f.yml:3: no YAML: ", self.parse, "uwsgi:\n  a: 'b\n")
        self.assert_refused("no YAML", self.parse, "uwsgi: \udcff")

    def test_deep(self) -> None:
        """
        A nest of brackets is refused before anything recurses.
        """
        for nest in ("[" * 100_000, "- " * 100_000, '{"a":' * 50_000):
            self.assert_refused("nested too deeply", self.parse, nest)

    def test_without_library(self) -> None:
        """
        Without PyYAML the error names the extra.
        """
        self.enterContext(patch.dict(sys.modules, {"yaml": None}))
        self.assert_refused("pip install txemperor[formats]", self.parse, "")

    @settings(deadline=BOUNDED)
    @given(st.text() | st.text("{}[]:-'\"|>&*!?# \nab"))
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        with contextlib.suppress(ConfigurationError):
            parse_yaml(text, "f.yml", "a")
