"""
Tests for L{emperor.arguments}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.arguments import Arguments, methods, refusals
from emperor.config.loading import COMMAND_LINE
from emperor.config.pairs import Pair


class MethodTests(SynchronousTestCase):
    """
    What each argument does.
    """

    def setUp(self) -> None:
        self.methods = dict(methods())

    def written(self, name: str, *value: str) -> Pair:
        collector = Arguments()
        self.methods[f"opt_{name}"](collector, *value)
        (pair,) = collector.written
        return pair

    def test_values(self) -> None:
        """
        An option, by each of its names, a file and a template.
        """
        for name, key in (("emperor_freq", "emperor-freq"), ("vassal_set", "vassals-set")):
            self.assertEqual(self.written(name, "3"), Pair(key, "3", COMMAND_LINE))
        for word in ("ini", "yaml", "include", "inherit", "set"):
            self.assertEqual(self.written(word, "a"), Pair(word, "a", COMMAND_LINE))

    def test_flags(self) -> None:
        """
        A flag has no value.
        """
        self.assertEqual(self.written("strict"), Pair("strict", "", COMMAND_LINE))

    def test_help(self) -> None:
        """
        Each says what it is for, with its default.
        """
        self.assertTrue(all(method.__doc__ for method in self.methods.values()))
        self.assertIn("[default: 3]", self.methods["opt_emperor_freq"].__doc__ or "")

    def test_config(self) -> None:
        """
        C{--config} is twistd's way to name the file, and not one more of these.
        """
        self.assertNotIn("opt_config", self.methods)


class RefusalTests(SynchronousTestCase):
    """
    Options that are refused in a file.
    """

    def refusals(self, *words: str) -> list[str]:
        return [str(problem) for problem in refusals(words)]

    def test_reasons(self) -> None:
        """
        They are refused with the same reason, whatever follows them; one that is the
        beginning of another option is not taken for that.
        """
        self.assertEqual(
            [
                "command line: zeus is not in txemperor, because uWSGI has never finished it",
                "command line: uid is not ours: start twistd with --uid",
                "command line: route is not supported by this version of txemperor",
            ],
            self.refusals("--emperor", "v", "--zeus", "x", "--uid=5", "--route"),
        )

    def test_others(self) -> None:
        """
        What is accepted, or unknown, or no option, is left to the parser.
        """
        self.assertEqual([], self.refusals("--emperor=zeus", "zeus", "-z", "--slip", "--", "--uid"))
