"""
L{emperor.config.launchbuilder}
"""

from __future__ import annotations

from emperor.config.launchsettings import Grant, LaunchSettings
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
            "vassal-domains = blog:a.com,b.com\nvassal-domains = 7:*\n"
            "vassal-cap = setgid,setuid\nemperor-use-clone = pid,mnt\n"
        )
        self.assertEqual(
            self.settings(text).emperor.launch,
            LaunchSettings(
                tyrant=True,
                tyrant_nofollow=True,
                tyrant_groups=True,
                domains=(Grant("blog", ("a.com", "b.com")), Grant("7", ("*",))),
                capabilities=(6, 7),
                namespaces=("pid", "mount"),
            ),
        )

    def test_programs(self) -> None:
        """
        What is executed, and where.
        """
        text = (
            "emperor-wrapper = w\nemperor-wrapper-override = a\nemperor-wrapper-override = b\n"
            "emperor-wrapper-fallback = c\nemperor-wrapper-attr = program\n"
            "emperor-chdir-attr = place\nemperor-magic-exec\nemperor-collect-attr = a\n"
            "emperor-collect-attribute = b\nemperor-collect-attr = a\n"
        )
        launch = self.settings(text).emperor.launch
        self.assertEqual(
            launch,
            LaunchSettings(
                wrapper="w",
                wrapper_override=("a", "b"),
                wrapper_fallback=("c",),
                wrapper_attribute="program",
                chdir_attribute="place",
                magic_exec=True,
                collected=("a", "b"),
            ),
        )
        self.assertEqual(launch.attributes, ("program", "place"))

    def test_hooks(self) -> None:
        """
        Hooks come before commands, each in its order.
        """
        text = (
            "vassals-start-hook = /start\nvassals-stop-hook = /stop\nexec-as-vassal = v\n"
            "hook-as-vassal = exec:x\nhook-as-vassal = exec:y\nexec-as-emperor = e\n"
            "hook-as-emperor = exec:z\nhook-as-vassal-before-drop = exec:d\n"
            "hook-as-emperor-before-vassal = exec:b\nvassal-hook-timeout = 5\n"
        )
        launch = self.settings(text).emperor.launch
        self.assertEqual((launch.start_hook, launch.stop_hook), ("/start", "/stop"))
        for commands, lines in (
            (launch.as_vassal, ["x", "y", "v"]),
            (launch.as_emperor, ["z", "e"]),
            (launch.before_drop, ["d"]),
            (launch.before_vassal, ["b"]),
        ):
            self.assertEqual([command.argv[-1] for command in commands], lines)
        self.assertEqual(launch.hook_timeout, 5)

    def test_what_does_not_go_together(self) -> None:
        """
        A user's file chooses no program; and namespaces come before a hook
        that must not be in them.
        """
        for text, words in (
            ("emperor-tyrant\nemperor-wrapper-attr = p\n", "owner of a file must not choose"),
            (
                "emperor-use-clone = pid\nhook-as-emperor-before-vassal = exec:x\n",
                "in the vassal's namespaces",
            ),
        ):
            (problem,) = self.refused(self.settings, text)
            self.assertIn(words, problem)

    def test_refused(self) -> None:
        """
        A namespace that cannot work is refused with the reason.
        """
        (problem,) = self.refused(self.settings, "emperor-use-clone = user")
        self.assertIn("emperor-use-clone: user is not in txemperor, because", problem)
