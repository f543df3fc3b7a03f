"""
L{emperor.config.ini}
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.ini import parse_ini
from emperor.config.pairs import Pair
from emperor.config.settings import Origin
from tests.config.fixtures import BOUNDED

_words = st.text(st.characters(exclude_characters="\n\r\t =;#["))
_keys = _words.filter(bool)
_values = st.text(st.characters(exclude_characters="\n")).map(lambda text: text.strip(" \t\r"))


def serialize(options: list[tuple[str, str]], section: str = "uwsgi") -> str:
    """
    A section with these options.
    """
    return f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in options)


class IniTests(SynchronousTestCase):
    """
    uWSGI's ini dialect.
    """

    def parse(self, text: str, section: str = "uwsgi") -> list[tuple[str, str]]:
        """
        Keys and values of a section that is there.
        """
        pairs = parse_ini(text, "f.ini", section)
        assert pairs is not None
        return [(pair.key, pair.value) for pair in pairs]

    def test_lines(self) -> None:
        """
        Comments stand on lines of their own; a value keeps everything; a
        lone word is a flag; repeats are kept.
        """
        text = "[uwsgi]\n; no\n  # no\na = x # y ; z\nflag\na = b = 'c' \\\nkey : v\n = v\n"
        self.assertEqual(
            self.parse(text),
            [("a", "x # y ; z"), ("flag", ""), ("a", "b = 'c' \\"), ("key : v", ""), ("", "v")],
        )

    def test_sections(self) -> None:
        """
        A section may come in parts; its name is not trimmed; what stands
        before the first section belongs to none.
        """
        text = "z = 0\n[uwsgi]\na = 1\n[ uwsgi ]\nb = 2\n[]\ne = 5\n[uwsgi]\r\nc = 3\r\n"
        self.assertEqual(self.parse(text), [("a", "1"), ("c", "3")])
        self.assertEqual(self.parse(text, " uwsgi "), [("b", "2")])

    def test_absent(self) -> None:
        """
        A section that is not there is told from an empty one.
        """
        self.assertEqual(parse_ini("[uwsgi]\n", "f.ini", "uwsgi"), [])
        self.assertIsNone(parse_ini("[uwsgi]\na = 1\n", "f.ini", "other"))

    def test_origin(self) -> None:
        """
        Each option knows its line.
        """
        self.assertEqual(
            parse_ini("\n[uwsgi]\n\na = 1", "f.ini", "uwsgi"),
            [Pair("a", "1", Origin("f.ini", 4))],
        )

    @settings(deadline=BOUNDED)
    @given(st.lists(st.tuples(_keys, _values)))
    def test_round_trip(self, options: list[tuple[str, str]]) -> None:
        """
        What is written comes back.
        """
        self.assertEqual(self.parse(serialize(options)), options)

    @settings(deadline=BOUNDED)
    @given(st.text())
    def test_anything(self, text: str) -> None:
        """
        No text is an error.
        """
        parse_ini(text, "f.ini", "uwsgi")
