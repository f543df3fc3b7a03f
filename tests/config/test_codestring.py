"""
Names of functions in files.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.codestring import CodeSource, parse_code_string
from emperor.config.values import BadValue


class CodeStringTests(SynchronousTestCase):
    def test_read(self) -> None:
        """
        Language, file and function; the file may have colons.
        """
        self.assertEqual(parse_code_string("0:mapper.py:get"), CodeSource("mapper.py", "get", 5.0))
        source = parse_code_string("0:/srv/a:b.py:get", timeout=1)
        self.assertEqual(source, CodeSource("/srv/a:b.py", "get", 1))
        self.assertEqual(str(source), "get() of /srv/a:b.py")

    def test_refused(self) -> None:
        """
        What is wrong is named, with what is accepted.
        """
        for text, part in (
            ("", "accepted: 0:FILE:FUNCTION"),
            ("mapper.py", "accepted: 0:FILE:FUNCTION"),
            ("0:mapper.py", "accepted: 0:FILE:FUNCTION"),
            ("0::get", "accepted: 0:FILE:FUNCTION"),
            ("0:mapper.py:", "accepted: 0:FILE:FUNCTION"),
            ("6:mapper.lua:get", "only Python"),
            ("0:mapper.py:get it", "no name of a function"),
        ):
            error = self.assertRaises(BadValue, parse_code_string, text)
            self.assertIn(part, str(error), text)

    @given(st.text())
    def test_any(self, text: str) -> None:
        """
        Any text is a source or refused.
        """
        try:
            source = parse_code_string(text)
        except BadValue:
            return
        self.assertEqual(f"0:{source.path}:{source.function}", text)
