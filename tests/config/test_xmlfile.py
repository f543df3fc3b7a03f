"""
L{emperor.config.xmlfile}
"""

from __future__ import annotations

import contextlib
import sys
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from emperor.config.errors import ConfigurationError
from emperor.config.xmlfile import parse_xml
from tests.config.fixtures import BOUNDED, ConfigurationCase

_BOMB = '<!DOCTYPE u [<!ENTITY a "b">]><uwsgi><a>&a;</a></uwsgi>'


class XmlTests(ConfigurationCase):
    """
    XML elements as options.
    """

    def parse(self, text: str, section: str = "uwsgi") -> list[tuple[str, str, int]]:
        """
        Keys, values and lines of a section that is there.
        """
        pairs = parse_xml(text, "f.xml", section)
        assert pairs is not None
        return [(pair.key, pair.value, pair.origin.line) for pair in pairs]

    def test_elements(self) -> None:
        """
        A child is an option; an empty one is on; text is kept as it is.
        """
        text = "<uwsgi>\n<a>1</a>\n<b/><c> x&amp;y </c>\n<a><![CDATA[<]]></a></uwsgi>"
        self.assertEqual(
            self.parse(text), [("a", "1", 2), ("b", "1", 3), ("c", " x&y ", 3), ("a", "<", 4)]
        )

    def test_ids(self) -> None:
        """
        Below another root a section is chosen by its id; one without an id
        is for everybody.
        """
        text = (
            "<r><a>0</a><uwsgi id='x'><a>1</a></uwsgi><uwsgi id='y'><a>2</a></uwsgi>"
            "<uwsgi><a>3</a></uwsgi><z><uwsgi id='q'><a>4</a></uwsgi></z></r>"
        )
        for section, value in (("uwsgi", "1"), ("x", "1"), ("y", "2"), ("q", "3")):
            self.assertEqual(self.parse(text, section), [("a", value, 1)], section)

    def test_absent(self) -> None:
        """
        Another document has no section; C{<emperor>} is one of its own.
        """
        self.assertIsNone(parse_xml("<a><b>1</b></a>", "f.xml", "uwsgi"))
        self.assertEqual(self.parse("<emperor><b>1</b></emperor>", "emperor"), [("b", "1", 1)])

    def test_nested(self) -> None:
        """
        An option holds no elements.
        """
        text = "<uwsgi>\n<a>\n<b/></a></uwsgi>"
        self.assert_refused("f.xml:3: <b> inside an option", self.parse, text)

    def test_not_xml(self) -> None:
        """
        A slip is shown with its line; a document type is refused.
        """
        self.assert_refused("f.xml:2: no XML", self.parse, "<uwsgi>\n</a>")
        self.assert_refused("no XML", self.parse, _BOMB)
        self.assert_refused("no XML", self.parse, "<?xml version='1.0' encoding='nope'?><a/>")

    def test_without_library(self) -> None:
        """
        Without defusedxml the error names the extra.
        """
        self.enterContext(patch.dict(sys.modules, {"defusedxml.ElementTree": None}))
        self.assert_refused("pip install txemperor[formats]", self.parse, "<uwsgi/>")

    @settings(deadline=BOUNDED)
    @given(
        st.text() | st.lists(st.sampled_from(["<a>", "</a>", "<uwsgi>", "</uwsgi>"])).map("".join)
    )
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        with contextlib.suppress(ConfigurationError):
            parse_xml(text, "f.xml", "uwsgi")
