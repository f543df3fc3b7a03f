"""
Tests for L{emperor.config.spelling}; with real uWSGIs they are in
tests/integration/test_configpipe.py.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.ini import parse_ini
from emperor.config.magic import facts_of_no_file, magic_table, substitute
from emperor.config.spelling import ENVIRONMENT, Unspeakable, check, spell
from emperor.config.surroundings import Surroundings

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
VALUES = st.text("ab %$@(_)\n\t\r;#=[]\\'\"\udc80\u00e9\0", max_size=30)


def read(blob: bytes) -> list[tuple[str, str]]:
    """
    What a uWSGI makes of it: magic variables, ini, blocks.
    """
    facts = facts_of_no_file("emperor://x.ini", "")
    text = blob.decode("utf-8", "surrogateescape")
    text = substitute(text, magic_table(facts, None, Surroundings(cwd="/")))
    found, item = [], None
    for pair in parse_ini(text, "x.ini", "uwsgi") or []:
        if pair.key == "if-env":
            item = ENVIRONMENT[pair.value]
        elif pair.key == "endif":
            item = None
        else:
            value = pair.value if item is None else pair.value.replace("%(_)", item)
            found.append((pair.key, value))
    return found


class SpellingTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """
        Usually it is what a person would write.
        """
        self.assertEqual(
            b"[uwsgi]\nsocket = :1\nmaster = \nenv = A=100%%\n",
            spell([("socket", ":1"), ("master", ""), ("env", "A=100%")]),
        )

    def test_lines_and_blanks(self) -> None:
        """
        What ini cannot say comes from the environment.
        """
        self.assertEqual(
            b"[uwsgi]\nif-env = TXEMPEROR_LINE_END\nkey = a%(_)50%%%(_)\nendif =\n"
            b"if-env = TXEMPEROR_NOTHING\nb = %(_) x%(_)\nendif =\n",
            spell([("key", "a\n50%\n"), ("b", " x")]),
        )

    def test_unspeakable(self) -> None:
        """
        What nobody can say is refused.
        """
        for key, value, why in (
            ("a=b", "", "'a=b' cannot be the name of an option"),
            ("#a", "", "'#a' cannot be"),
            ("", "x", "'' cannot be"),
            ("a", "\0", "a NUL byte"),
            ("a", " x\ny", "no blank at its beginning or end"),
            ("a", "%(_)\n", "can have no %(_)"),
            ("a", " %(_)", "can have no %(_)"),
        ):
            error = self.assertRaises(Unspeakable, spell, [(key, value)])
            self.assertIn(why, str(error))
        self.assertEqual(b"[uwsgi]\na = %%(_)\n", spell([("a", "%(_)")]))

    @given(st.lists(st.tuples(KEYS, VALUES), max_size=5))
    def test_round_trip(self, options: list[tuple[str, str]]) -> None:
        """
        Whatever can be said is read as it was meant, in order.
        """
        said = []
        for key, value in options:
            try:
                check(key, value)
            except Unspeakable:
                continue
            if key not in ("if-env", "endif"):
                said.append((key, value))
        self.assertEqual(said, read(spell(said)))
