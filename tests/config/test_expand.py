"""
L{emperor.config.expand}
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from emperor.config.expand import VALUE_LIMIT, expand, references
from emperor.config.pairs import Budget
from tests.config.fixtures import BOUNDED, HERE, ConfigurationCase

_OPTIONS = {"foo": "F", "x": "oo", "deep": "%(foo)", "self": "a%(self)", "big": "%(x)" * 9}


def expanded(value: str) -> str:
    """
    A value with the options above.
    """
    return expand(value, "%", _OPTIONS.get, Budget(10**6), HERE)


class ExpandTests(ConfigurationCase):
    """
    References replaced by what they stand for.
    """

    def test_references(self) -> None:
        """
        Known names are replaced; everything else stays as written.
        """
        for value, result in {
            "%(foo)%(foo)": "FF",
            "%(un)%(foo)": "%(un)F",
            "%(open %(foo)": "%(open F",
            "a%((foo))": "a%((foo))",
            "%%(foo)": "%F",
            "%()": "%()",
            "a%(f%(x))": "aF",
            "% (foo)": "% (foo)",
        }.items():
            self.assertEqual(expanded(value), result, value)

    def test_again(self) -> None:
        """
        What a replacement brings in is replaced too, but not at the very
        beginning, as in uWSGI.
        """
        self.assertEqual(expanded("a%(deep)"), "aF")
        self.assertEqual(expanded("%(deep)"), "%(foo)")

    def test_endless(self) -> None:
        """
        Differs from uWSGI, which never ends: a value that names itself is
        an error with its place.
        """
        self.assert_refused("grows", expanded, "x%(self)")

    def test_limit(self) -> None:
        """
        A value has a greatest length.
        """
        self.assert_refused(
            "test.ini:7: the value grows over", expanded, "y" * VALUE_LIMIT + "%(deep)"
        )

    def test_inner(self) -> None:
        """
        Of nested references the inner is found; parentheses are counted.
        """
        self.assertEqual(references("%(a%(b))", "%"), (3, 7))
        self.assertEqual(references("@(exec://a (b) $(c))", "@"), (0, 20))

    @settings(deadline=BOUNDED)
    @given(st.text("%$@()abfox "), st.sampled_from("%$@"))
    def test_anything(self, value: str, symbol: str) -> None:
        """
        A text without answers stays as it is.
        """
        self.assertEqual(expand(value, symbol, lambda name: None, Budget(10**6), HERE), value)
