"""
L{emperor.config.options}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.options import BY_NAME, OPTIONS, Kind


class OptionsTests(SynchronousTestCase):
    """
    The table.
    """

    def test_names(self) -> None:
        """
        Every name and alias is there once.
        """
        self.assertEqual(sum(len(option.names) for option in OPTIONS), len(BY_NAME))
        self.assertIs(BY_NAME["vassal-set"], BY_NAME["vassals-set"])

    def test_rows(self) -> None:
        """
        Help is a sentence; a flag is off unless given; what follows another
        option follows one that is there.
        """
        for option in OPTIONS:
            self.assertTrue(option.help[0].isupper() and option.help.endswith("."), option.name)
            self.assertEqual(option.kind is Kind.FLAG, option.default == "off", option.name)
            if option.follows:
                self.assertIn(option.follows, BY_NAME)
