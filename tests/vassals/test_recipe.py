"""
Tests for L{emperor.vassals.recipe}.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.attributes import Attributes
from emperor.config.errors import Problem
from emperor.config.launchsettings import LaunchSettings
from emperor.config.limits import Limit
from emperor.config.settings import EmperorSettings, Origin
from emperor.testing.vassals import make_spec
from emperor.vassals import recipe as module
from emperor.vassals.commandline import Program
from emperor.vassals.recipe import LaunchFailed, Recipes
from emperor.vassals.tyrant import NoOwner, Owner
from emperor.wire.keeping import Start
from emperor.wire.rights import Capabilities, GroupLimit, ResourceLimit, Rights, User

SPEC = make_spec("a.ini", directory="/tmp")


class RecipesTests(SynchronousTestCase):
    def make(self, attributes: Attributes | None = None, **launch: object) -> Start:
        settings = EmperorSettings(launch=LaunchSettings(**launch))  # type: ignore[arg-type]
        recipes = Recipes(
            settings,
            {"HOME": "/h"},
            lambda binary: Program("/usr/bin/uwsgi"),
            lambda spec: attributes or Attributes(),
        )
        return recipes.make(SPEC)

    def test_plain(self) -> None:
        """
        Usually a vassal may do what the program may.
        """
        order = self.make()
        self.assertEqual(("/usr/bin/uwsgi",), order.programs)
        self.assertEqual(("--ini", "a.ini"), order.argv)
        self.assertEqual(Rights(), order.rights)

    def test_rights(self) -> None:
        """
        Capabilities and namespaces are those of the settings.
        """
        rights = self.make(capabilities=(6, 7), namespaces=("pid",)).rights
        self.assertEqual(Rights(None, Capabilities((6, 7)), ("pid",)), rights)

    def test_limits(self) -> None:
        """
        Limits are those of the vassal's file, of several the last one.
        """
        limits = (Limit("rlimit-as", 5), Limit("pids-max", 5), Limit("pids-max", 9))
        rights = self.make(Attributes(limits=limits)).rights
        self.assertEqual((ResourceLimit("as", 5),), rights.resources)
        self.assertEqual((GroupLimit("pids.max", "9"),), rights.group)

    def test_bad_limits(self) -> None:
        """
        With a limit that is wrong a vassal is not started.
        """
        wrong = Attributes(refusals=(Problem("pids-max: 'x'", Origin("a.ini", 2)),))
        error = self.assertRaises(LaunchFailed, self.make, wrong)
        self.assertEqual("a.ini:2: pids-max: 'x'", str(error))

    def test_tyrant(self) -> None:
        """
        The owner of the file is the user; its limits can only be lowered.
        """
        asked: list[object] = []

        def owner_of(path: str, *, nofollow: bool) -> Owner:
            asked.append((path, nofollow))
            return Owner(5, 6)

        self.patch(module, "owner_of", owner_of)
        limits = (Limit("pids-max", 5), Limit("pids-max", 9))
        rights = self.make(
            Attributes(limits=limits), tyrant=True, tyrant_nofollow=True, tyrant_groups=True
        ).rights
        self.assertEqual(User(5, 6, True), rights.user)
        self.assertEqual((GroupLimit("pids.max", "5"),), rights.group)
        self.assertEqual([("/tmp/a.ini", True)], asked)

    def test_nobodys(self) -> None:
        """
        A file without an owner as whom it can run is not started.
        """

        def owner_of(path: str, *, nofollow: bool) -> Owner:
            raise NoOwner("it is root's")

        self.patch(module, "owner_of", owner_of)
        error = self.assertRaises(LaunchFailed, self.make, tyrant=True)
        self.assertEqual("it is root's", str(error))

    def test_directory(self) -> None:
        """
        A missing directory is named.
        """
        self.patch(os, "stat", self._missing)
        self.assertIn("/tmp: No such", str(self.assertRaises(LaunchFailed, self.make)))

    def _missing(self, path: str) -> os.stat_result:
        raise FileNotFoundError(2, "No such file or directory")
