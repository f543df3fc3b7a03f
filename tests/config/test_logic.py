"""
L{emperor.config.logic}
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SkipTest

from emperor.config.logic import LOOP_LIMIT, Context, Items, open_block
from emperor.identity import NOBODY
from tests.config.fixtures import HERE, ConfigurationCase


class BlockTests(ConfigurationCase):
    """
    What a block's lines are read for.
    """

    def items(self, name: str, value: str, *, careful: bool = False) -> Items:
        """
        Open a block on a machine with C{A=1} and the option C{foo = bar}.
        """
        context = Context(
            surroundings=self.surroundings({"A": "1"}),
            first={"foo": "bar", "flag": ""}.get,
            careful=careful,
            origin=HERE,
        )
        return open_block(name, value, context).items

    def test_loops(self) -> None:
        """
        A turn for each word, number, line or file.
        """
        self.write("l.txt", "one\n\n two\n")
        self.assertEqual(self.items("for", " a  b "), ("a", "b"))
        self.assertEqual(self.items("for-times", "2x"), ("1", "2"))
        self.assertEqual(self.items("for-readline", "l.txt"), ("one", "", " two"))
        self.assertEqual(self.items("for-glob", "*.txt"), ("l.txt",))
        self.assertEqual(self.items("for-glob", f"{self.cwd}*"), (f"{self.cwd}/",))
        self.assertEqual(self.items("for-glob", "no*"), ("no*",))

    def test_no_turns(self) -> None:
        """
        A loop over nothing has no turns.
        """
        self.write("empty.txt", "")
        for name, value in (("for", ""), ("for-times", "-3"), ("for-readline", "empty.txt")):
            self.assertEqual(self.items(name, value), (), name)

    def test_values(self) -> None:
        """
        The environment and options, with or without an expected value.
        """
        for name, value, expected in (
            ("if-env", "A", ("1",)),
            ("if-env", "A=1", ("1",)),
            ("if-env", "A=", ()),
            ("if-not-env", "A", ()),
            ("if-not-env", "B", (None,)),
            ("if-opt", "foo=bar", ("bar",)),
            ("if-opt", "flag", ("",)),
            ("if-opt", "no", ()),
            ("if-not-opt", "foo=x", (None,)),
        ):
            self.assertEqual(self.items(name, value), expected, f"{name} {value}")

    def test_facts(self) -> None:
        """
        Files, the host, plugins, a reload.
        """
        self.write("f", "")
        for name, value, holds in (
            ("if-exists", "f", True),
            ("if-exists", "no", False),
            ("if-exists", "a\0b", False),
            ("if-file", "f", True),
            ("if-file", ".", False),
            ("if-dir", ".", True),
            ("if-directory", "f", False),
            ("if-hostname", "box", True),
            ("if-hostname-match", "^b", True),
            ("if-hostname-match", "^x", False),
            ("if-plugin", "fastrouter", True),
            ("if-plugin", "php", False),
        ):
            expected = (value,) if holds else ()
            self.assertEqual(self.items(name, value), expected, f"{name} {value}")
            negation = name.replace("if-", "if-not-")
            self.assertEqual(self.items(negation, value), () if holds else (value,), negation)
        self.assertEqual(self.items("if-reload", ""), ())
        self.assertEqual(self.items("if-not-reload", ""), (None,))

    def test_as_somebody(self) -> None:
        """
        What a user's file asks about files is answered as he would be.
        """
        if os.geteuid():
            raise SkipTest("only root can look as somebody else")
        self.write("home/site", "", 0o600)
        os.mkdir(f"{self.cwd}/home/dir")
        facts = self.surroundings(reads_as=NOBODY)
        tests = (("if-exists", "site"), ("if-file", "site"), ("if-dir", "dir"))
        for mode, expected in ((0o700, [0, 0, 0]), (0o755, [0, 1, 1])):
            os.chmod(self.cwd, 0o755)
            os.chmod(f"{self.cwd}/home", mode)
            for (name, value), found in zip(tests, expected, strict=True):
                context = Context(
                    surroundings=facts, first=lambda name: None, careful=True, origin=HERE
                )
                items = open_block(name, f"home/{value}", context).items
                self.assertEqual(found, len(items), (name, mode))

    def test_limits(self) -> None:
        """
        A loop has a greatest length.
        """
        self.write("many.txt", "x\n" * (LOOP_LIMIT + 1))
        self.assert_refused(f"at most {LOOP_LIMIT}", self.items, "for-times", "99999999999")
        self.assert_refused(f"at most {LOOP_LIMIT}", self.items, "for-readline", "many.txt")

    def test_bad(self) -> None:
        """
        A bad pattern or a missing list says where it is written.
        """
        self.assert_refused("test.ini:7: '(' is no regular", self.items, "if-hostname-match", "(")
        self.assert_refused("test.ini:7: ", self.items, "for-readline", "no")

    def test_careful(self) -> None:
        """
        In somebody else's file nothing slow is followed.
        """
        for name in ("for-glob", "for-readline", "if-hostname-match"):
            error = self.refused(self.items, name, "x", careful=True)
            self.assertIn("not followed in a vassal's file", error[0])

    def test_else(self) -> None:
        """
        The other half of a condition; a loop has none.
        """
        context = Context(
            surroundings=self.surroundings(), first=dict[str, str]().get, careful=False, origin=HERE
        )
        block = open_block("if-exists", "no", context)
        self.assertEqual(block.otherwise(HERE).items, (None,))
        self.assertEqual(block.otherwise(HERE).otherwise(HERE).items, ())
        loop = open_block("for", "a", context)
        self.assert_refused("else belongs to an if", loop.otherwise, HERE)
