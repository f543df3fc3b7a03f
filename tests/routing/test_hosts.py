"""
The route-host rules.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import HostRule, Origin
from emperor.routing.hosts import HostRules, captures, fill, fixed_ending, literal_host


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


#: What patterns are made of, plain and nasty.
PIECES = st.sampled_from(
    [
        r"^",
        r"$",
        r"a",
        r"b-1",
        r"\.",
        r".",
        r"com",
        r"\.com",
        r"\.a\.com$",
        r"|",
        r"(",
        r")",
        r"*",
        r"[ab]",
        r"\\",
        r"([-\w]+)",
        r"(?:a)",
        r"(?=a)",
        r"(?i)",
        r"\$",
        r"A",
    ]
)
#: What people write, with what looks like it and is not.
USUAL = st.sampled_from(
    [
        r"^a\.com$",
        r"^A\.COM$",
        r"\.com$",
        r"^(.*)\.com$",
        r"^([-\w]+)\.a\.com$",
        r"a",
        r"^a",
        r"^a\.com$|x",
        r"(a\.com)?$",
        r"^b\.a\.com$",
        r"\.a\.com$",
        r"com$",
        r"^a.com$",
        r"^.+$",
    ]
)
PATTERNS = st.one_of(USUAL, st.lists(PIECES, max_size=6).map("".join))
HOSTS = st.one_of(
    st.sampled_from(["a.com", "b.a.com", "x.com", "x.b.a.com", "com", "acom", "b"]),
    st.lists(st.sampled_from(["a", "b-1", "com", "x", ""]), max_size=5).map(".".join),
)


def compiled(patterns: list[str]) -> list[HostRule]:
    found = []
    for pattern in patterns:
        try:
            found.append(rule(pattern))
        except re.error:
            continue
    return found


class IndexTests(SynchronousTestCase):
    @given(st.lists(PATTERNS, max_size=40), HOSTS)
    def test_like_the_loop(self, patterns: list[str], host: str) -> None:
        """
        However a rule is found, it is the first whose pattern is found.
        """
        rules = compiled(patterns)
        expected = next((each for each in rules if each.pattern.search(host)), None)
        found = HostRules(rules).find(host)
        self.assertIs(expected, None if found is None else found[0])

    def test_literal(self) -> None:
        """
        A pattern for exactly one host is told from all others.
        """
        self.assertEqual(literal_host(r"^www\.my-site\.org$"), "www.my-site.org")
        for pattern in (r"^a.org$", r"a\.org$", r"^a\.org", r"^(a)\.org$", r"^a\.org$|b", ""):
            self.assertEqual(literal_host(pattern), "", pattern)

    def test_ending(self) -> None:
        """
        What every host ends in is found at a glance, and never guessed.
        """
        for pattern, ending in (
            (r"^([-\w]+)\.Example\.com$", ".example.com"),
            (r"^.*foo\.com$", ".com"),
            (r"^WWW\.a\.com$", "www.a.com"),
            (r"(?P<name>a)\.com$", ".com"),
        ):
            self.assertEqual(fixed_ending(pattern), ending, pattern)
        for pattern in (r"a\.com", r"a|b\.com$", r"(a\.com)?$", r"a\\.com$", r"(?=a).*\.com$", ""):
            self.assertEqual(fixed_ending(pattern), "", pattern)

    def test_few_are_tried(self) -> None:
        """
        A host is compared with the rules of its own domain only.
        """
        tried: list[int] = []

        class Pattern:
            def __init__(self, number: int) -> None:
                self.number = number
                self.pattern = rf"^(.*)\.site{number}\.com$"
                self.flags = 0

            def search(self, host: str) -> None:
                tried.append(self.number)

        rules = [replace(rule("a"), pattern=cast("re.Pattern[str]", Pattern(n))) for n in range(99)]
        self.assertIsNone(HostRules(rules).find("www.site7.com"))
        self.assertEqual(tried, [7])
