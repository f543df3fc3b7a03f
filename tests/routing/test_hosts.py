"""
The route-host rules.
"""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import HostRule, Origin
from emperor.routing.hosts import HostRules, captures, fill


def rule(pattern: str, template: str = "/a") -> HostRule:
    return HostRule(re.compile(pattern, re.IGNORECASE), template, 0, 0, Origin("test.ini", 1))


class HostRulesTests(SynchronousTestCase):
    def test_first_match(self) -> None:
        """
        The first pattern that is found decides, anywhere in the host.
        """
        rules = [rule("^a"), rule("example"), rule("b")]
        for host, expected in (("a.example", 0), ("b.example", 1), ("b", 2)):
            found = HostRules(rules).find(host)
            assert found is not None
            self.assertIs(found[0], rules[expected])
        self.assertIsNone(HostRules(rules).find("c"))
        self.assertIsNone(HostRules([]).find("a"))

    def match(self, pattern: str, host: str) -> re.Match[str]:
        match = re.search(pattern, host)
        assert match is not None
        return match

    def test_fill(self) -> None:
        """
        $0 to $9 are the captures; an unused or missing group is empty.
        """
        match = self.match(r"^(a)(x)?\.(.*)$", "a.b.c")
        self.assertEqual(fill("/$1/$2/$3/$0/$9", match), "/a//b.c/a.b.c/")
        self.assertEqual(captures("/$1/$2/$3/$9", match), ("a", "", "b.c", ""))
        self.assertEqual(captures("/plain$", match), ())

    def test_once(self) -> None:
        """
        What a capture brings is not expanded again.
        """
        self.assertEqual(fill("/$1", self.match("(.*)", "$0$0")), "/$0$0")

    def test_one_digit(self) -> None:
        """
        $12 is the first capture and a 2.
        """
        self.assertEqual(fill("$12", self.match("(a)", "a")), "a2")
