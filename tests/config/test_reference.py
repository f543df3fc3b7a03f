"""
L{emperor.config.reference}
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.options import BY_NAME
from emperor.config.reference import render

_PAGE = Path(__file__).parents[2] / "docs/reference/options.md"


class ReferenceTests(SynchronousTestCase):
    """
    docs/reference/options.md.
    """

    def test_current(self) -> None:
        """
        The page says what the table says; if not, run
        C{python -m emperor.config.reference > docs/reference/options.md}.
        """
        self.assertEqual(_PAGE.read_text(), render())

    def test_complete(self) -> None:
        """
        Every name of every option is on it.
        """
        self.assertEqual([name for name in BY_NAME if f"`{name}`" not in render()], [])
