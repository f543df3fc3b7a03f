"""
L{emperor.config.hostrules}
"""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.hostrules import names_port, parse_rule
from emperor.config.settings import HostRule
from emperor.config.values import BadValue
from tests.config.fixtures import BOUNDED, HERE


def rule(text: str, *, raw: bool = False) -> HostRule:
    """
    A rule of the test file.
    """
    return parse_rule(text, HERE, raw_host_key=raw)


class HostRuleTests(SynchronousTestCase):
    """
    C{route-host}.
    """

    def test_example(self) -> None:
        """
        The pattern, the template and both modifiers.
        """
        found = rule(r"^([-\w]+)\.example\.com$ uwsgi:/tmp/uwsgi_$1.sock,5,1")
        self.assertEqual(found.template, "/tmp/uwsgi_$1.sock")
        self.assertEqual((found.modifier1, found.modifier2, found.origin), (5, 1, HERE))
        match = found.pattern.search("site.example.com")
        assert match is not None
        self.assertEqual(match[1], "site")

    def test_case(self) -> None:
        """
        The case of a host counts only where hosts are taken as sent.
        """
        self.assertTrue(rule("^a$ uwsgi:/a,0,0").pattern.search("A"))
        self.assertFalse(rule("^a$ uwsgi:/a,0,0", raw=True).pattern.search("A"))

    def test_ascii(self) -> None:
        r"""
        C{\w} is what it is in uWSGI.
        """
        self.assertFalse(rule(r"^\w$ uwsgi:/a,0,0").pattern.search("é"))

    def test_named_group(self) -> None:
        """
        A named group as PCRE writes it; a look-behind stays one.
        """
        found = rule(r"^(?<app>a)\(?<x(?<!y)(?<=x)b uwsgi:/$1,0,0").pattern
        self.assertEqual(found.groupindex, {"app": 1})
        self.assertTrue(found.search("a<xb"))

    def test_templates(self) -> None:
        """
        An address that is complete, or is so once the captures are in.
        """
        for template in ("/run/$1", "@$1", "127.0.0.1:80$1", "[::1]:$1", ":3031", "/$0"):
            self.assertEqual(rule(f"(.) uwsgi:{template},0,0").template, template)

    def test_refused(self) -> None:
        """
        Everything else says what is accepted.
        """
        for text, reason in (
            ("", "has no pattern"),
            ("a", "is no action"),
            ("a http:/x,0,0", "is no action"),
            ("a uwsgi:/x", "two commas"),
            ("a uwsgi:/x,0", "two commas"),
            ("a uwsgi:/x,0,0,0", "two commas"),
            ("a uwsgi:/x,0,256", "out of range"),
            ("a uwsgi:/x,,0", "is no number"),
            ("a uwsgi:,0,0", "is no address"),
            ("a uwsgi:host:99999,0,0", "is no address"),
            ("(a) uwsgi:/$2,0,0", "has 1 groups, there is no $2"),
            ("( uwsgi:/x,0,0", "no regular expression"),
            ("[[:alpha:]] uwsgi:/x,0,0", "write [a-z]"),
            ("[a[:digit:]] uwsgi:/x,0,0", "write [a-z]"),
            (r"\Qa\E uwsgi:/x,0,0", "no regular expression"),
            ("a{99999999999} uwsgi:/x,0,0", "no regular expression"),
        ):
            error = self.assertRaises(BadValue, rule, text)
            self.assertIn(reason, str(error), text)

    def test_port(self) -> None:
        """
        A pattern that asks for a port is told from other colons.
        """
        for pattern, asks in (
            (r":8080$", True),
            (r":\d+$", True),
            (":[0-9]", True),
            ("(?:8|9)", False),
            ("a$", False),
        ):
            self.assertEqual(names_port(rule(f"{pattern} uwsgi:/x,0,0")), asks, pattern)

    @settings(deadline=BOUNDED)
    @given(st.text() | st.text("()[]<?P=!:{}*+\\^$,0a").map("{} uwsgi:/x,0,0".format))
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        with contextlib.suppress(BadValue):
            rule(text)
