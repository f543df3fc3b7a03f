"""
L{emperor.config.launchbuilder}
"""

from __future__ import annotations

from emperor.config.launchsettings import LaunchSettings
from tests.config.fixtures import ConfigurationCase


class LaunchBuilderTests(ConfigurationCase):
    """
    Options about processes built into settings.
    """

    def test_defaults(self) -> None:
        """
        The defaults of the table are those of the settings.
        """
        self.assertEqual(self.settings("").emperor.launch, LaunchSettings())

    def test_tyrant(self) -> None:
        """
        Whose vassals are, and what they may do.
        """
        text = (
            "emperor-tyrant = true\nemperor-tyrant-nofollow\nemperor-tyrant-initgroups = 1\n"
            "vassal-cap = setgid,setuid\nemperor-use-clone = pid,mnt\n"
        )
        self.assertEqual(
            self.settings(text).emperor.launch,
            LaunchSettings(
                tyrant=True,
                tyrant_nofollow=True,
                tyrant_groups=True,
                capabilities=(6, 7),
                namespaces=("pid", "mount"),
            ),
        )

    def test_refused(self) -> None:
        """
        A namespace that cannot work is refused with the reason.
        """
        (problem,) = self.refused(self.settings, "emperor-use-clone = user")
        self.assertIn("emperor-use-clone: user is not in txemperor, because", problem)
