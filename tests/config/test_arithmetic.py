"""
L{emperor.config.arithmetic}
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.arithmetic import evaluate, integer
from tests.config.fixtures import BOUNDED

_OPTIONS = {"a": "17", "b": "30", "text": "12abc"}


class EvaluateTests(SynchronousTestCase):
    """
    Sums as uWSGI does them.
    """

    def test_sums(self) -> None:
        """
        From left to right; two operands without an operator are put
        together; unknown words are empty.
        """
        for expression, result in {
            "a + b + 3 * 2": "100",
            "a b": "1730",
            "a - 20": "-3",
            "0 - 7 / 2": "-3",
            "a / 0": "0",
            "a ++ + 3": "21",
            "++ 3": "3",
            "1 + ++ 3": "23",
            "- 5": "-5",
            "* 5": "0",
            "nope + 1": "1",
            "nope nope": "",
            "text + 1": "13",
            "007 7": "0077",
            "9223372036854775807 ++": "-9223372036854775808",
            "99999999999999999999 + 0": "9223372036854775807",
        }.items():
            self.assertEqual(evaluate(expression, _OPTIONS.get), result, expression)

    def test_nothing(self) -> None:
        """
        Without an operand there is no result.
        """
        for expression in (" ", "++ ", "+ +", "+ ++"):
            self.assertIsNone(evaluate(expression, _OPTIONS.get), expression)

    @settings(deadline=BOUNDED)
    @given(st.lists(st.sampled_from(["+", "-", "*", "/", "++", "--", "a", "7", "x"])))
    def test_range(self, tokens: list[str]) -> None:
        """
        A sum with an operator at its end fits 64 bits.
        """
        result = evaluate(" ".join(["1", *tokens, "+", "1"]), _OPTIONS.get)
        assert result is not None
        self.assertTrue(-(2**63) <= int(result) < 2**63)


class IntegerTests(SynchronousTestCase):
    """
    The number at the beginning of a text.
    """

    def test_prefix(self) -> None:
        """
        Blanks and a sign may come before, anything after.
        """
        for text, number in {"12abc": 12, " -3": -3, "": 0, "x": 0, "+07": 7, "٣": 0}.items():
            self.assertEqual(integer(text), number, text)

    def test_long(self) -> None:
        """
        A number too long for the machine is its largest.
        """
        self.assertEqual(integer("9" * 100_000), 2**63 - 1)
        self.assertEqual(integer("-" + "9" * 30), -(2**63))
