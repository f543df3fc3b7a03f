"""
Tests for L{emperor.vassals.recipe}.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.attributes import Attributes
from emperor.config.errors import Problem
from emperor.config.launchsettings import LaunchSettings
from emperor.config.limits import Limit
from emperor.config.settings import EmperorSettings, Origin
from emperor.config.spelling import ENVIRONMENT
from emperor.testing.vassals import make_spec
from emperor.vassals import origins
from emperor.vassals import recipe as module
from emperor.vassals.commandline import Program
from emperor.vassals.recipe import LaunchFailed, Recipes
from emperor.vassals.spec import VassalId
from emperor.vassals.tyrant import NoOwner, Owner
from emperor.wire.hooks import Command, Hooks
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

    def test_values(self) -> None:
        """
        What the options and the environment say is the vassal's own.
        """
        recipes = Recipes(
            EmperorSettings(set=("socket=/run/%n.sock",), include=("/t/%n",)),
            {"UWSGI_VASSAL_STATS": "/run/%n.stats", "UWSGI_RELOADS": "1"},
            lambda binary: Program("/usr/bin/uwsgi"),
            lambda spec: Attributes(),
        )
        order = recipes.make(SPEC)
        words = ("--set", "socket=/run/a.sock", "--ini", "a.ini", "--include", "/t/a")
        self.assertEqual(words, order.argv)
        self.assertEqual(
            {"UWSGI_STATS": "/run/a.stats", "UWSGI_EMPEROR_FD": "3"}, dict(order.environ)
        )

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
        wrong = Attributes(refusals=(Problem("it cannot be read", Origin("a.ini", 2)),))
        for found in (None, wrong):  # What says how to mend it comes first.
            error = self.assertRaises(LaunchFailed, self.make, found, tyrant=True)
            self.assertEqual("it is root's", str(error))

    def test_directory(self) -> None:
        """
        A missing directory is named.
        """
        self.patch(os, "stat", self._missing)
        self.assertIn("/tmp: No such", str(self.assertRaises(LaunchFailed, self.make)))

    def _missing(self, path: str) -> os.stat_result:
        raise FileNotFoundError(2, "No such file or directory")

    def test_programs(self) -> None:
        """
        What is tried, in its order; a vassal's own program is for it alone.
        """
        options: dict[str, Any] = {"wrapper_override": ("/a",), "wrapper_fallback": ("/z",)}
        self.assertEqual(("/a", "/usr/bin/uwsgi", "/z"), self.make(**options).programs)
        self.assertEqual(("/a", "/w", "/z"), self.make(**options, wrapper="/w").programs)
        own = Attributes(values=(("program", "/o"), ("place", "/p")))
        order = self.make(own, wrapper="/w", wrapper_attribute="program", chdir_attribute="place")
        self.assertEqual((("/o",), "/p"), (order.programs, order.chdir))
        self.assertEqual(("--ini", "/tmp/a.ini"), order.argv)

    def test_wheel_as_wrapper(self) -> None:
        """
        The script of the wheel knows its interpreter also where a vassal names it.
        """
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as file:
            file.write("#!/venv/bin/python3\nfrom pyuwsgi import run\n")
        expected = ("--set", "binary-path=/venv/bin/python3", "--ini", "a.ini")
        self.assertEqual(expected, self.make(wrapper=path).argv)

    def test_hooks(self) -> None:
        """
        What the process runs, with which rights, and what that finds.
        """
        self.assertEqual(Hooks(), self.make().hooks)
        first, second, third = (Command(name, (name,)) for name in "abc")
        hooks = self.make(
            before_vassal=(first,),
            before_drop=(second,),
            as_vassal=(third,),
            start_hook="/hook",
            hook_timeout=7,
        ).hooks
        self.assertEqual((first, second), hooks.before)
        start = Command("vassals-start-hook", ("/hook", "a.ini"), fatal=False)
        self.assertEqual(((start, third), 7), (hooks.after, hooks.limit))
        self.assertEqual(
            {
                "UWSGI_VASSALS_DIR": "/tmp",
                "UWSGI_VASSAL_CONFIG": "a.ini",
                "UWSGI_VASSAL_UID": str(os.geteuid()),
                "UWSGI_VASSAL_GID": str(os.getegid()),
            },
            dict(hooks.environ),
        )

    def test_without_a_file(self) -> None:
        """
        The uWSGI of our own file is given its options, and has nothing that is for
        vassals.
        """
        spec = replace(SPEC, config=b"[uwsgi]\na = b\n", is_instance=True)
        launch = LaunchSettings(tyrant=True, wrapper="/w", wrapper_override=("/o",), start_hook="h")
        recipes = Recipes(
            EmperorSettings(launch=launch),
            {},
            lambda binary: Program("/usr/bin/uwsgi", ("--x",)),
            lambda spec: Attributes(limits=(Limit("pids-max", 5),)),
        )
        order = recipes.make(spec)
        self.assertEqual(("/usr/bin/uwsgi",), order.programs)
        self.assertEqual(("--x", "--inherit", "emperor://instance.ini"), order.argv)
        self.assertLessEqual(ENVIRONMENT.items(), dict(order.environ).items())
        self.assertEqual((Rights(), Hooks()), (order.rights, order.hooks))

    def test_in_no_file(self) -> None:
        """
        A vassal that its monitor has goes by the same rules as others, but that it
        is nobody's, and its name leads nowhere.
        """
        spec = replace(SPEC, config=b"[uwsgi]\n")
        launch = LaunchSettings(chdir_attribute="place", wrapper="/w")
        read = Attributes(limits=(Limit("pids-max", 5),), values=(("place", "/p"),))
        order = self.recipes(launch, read).make(spec)
        self.assertEqual(("/w", "--ini", "emperor://a.ini"), (*order.programs, *order.argv))
        self.assertEqual((GroupLimit("pids.max", "5"),), order.rights.group)
        tyrant = self.recipes(LaunchSettings(tyrant=True), read)
        error = self.assertRaises(LaunchFailed, tyrant.make, spec)
        self.assertIn("dir:///v does not say as which user it should run", str(error))

    def recipes(self, launch: LaunchSettings, read: Attributes) -> Recipes:
        settings = EmperorSettings(launch=launch)
        return Recipes(settings, {}, lambda binary: Program("/usr/bin/uwsgi"), lambda spec: read)

    def test_zerg_of_another_source(self) -> None:
        """
        A zerg is told its section whatever its parent's configuration comes from.
        """
        zerg = replace(SPEC, id=VassalId("m", "a.ini:zerg"), parent=SPEC.id, number=7)
        self.patch(origins, "is_program", lambda spec, launch: spec.config is None)
        for config, place, source in (
            (b"[zerg]\n", "", "emperor://a.ini:zerg"),
            (b"[zerg]\n", "/p", "emperor://a.ini:zerg"),
            (None, "", "exec://./a.ini:zerg"),
            (None, "/p", "exec:///tmp/a.ini:zerg"),
        ):
            read = Attributes(values=(("place", place),) if place else ())
            recipes = self.recipes(LaunchSettings(chdir_attribute="place"), read)
            order = recipes.make(replace(zerg, config=config))
            self.assertEqual(("--ini", source), order.argv)
            expected = None if config is None else "4"
            environ = dict(order.environ)
            self.assertEqual(expected, environ.get("UWSGI_EMPEROR_FD_CONFIG"))
            self.assertEqual("7", environ["UWSGI_BROODLORD_NUM"])

    def test_zerg(self) -> None:
        """
        A zerg is its parent, but for the section and a variable: the same file
        has its owner, its limits and its directory.
        """
        asked: list[str] = []

        def owner_of(path: str, *, nofollow: bool) -> Owner:
            asked.append(path)
            return Owner(5, 6)

        self.patch(module, "owner_of", owner_of)
        zerg = replace(SPEC, id=VassalId("m", "a.ini:zerg2"), parent=SPEC.id, number=7)
        for place, name in (("", "a.ini:zerg"), ("/p", "/tmp/a.ini:zerg")):
            own = Attributes(values=(("place", place),) if place else ())
            launch = LaunchSettings(tyrant=True, chdir_attribute="place", start_hook="/h")
            recipes = Recipes(
                EmperorSettings(launch=launch),
                {"UWSGI_BROODLORD_NUM": "99"},
                lambda binary: Program("/usr/bin/uwsgi"),
                lambda spec, own=own: own,  # type: ignore[misc]
            )
            order = recipes.make(zerg)
            self.assertEqual(("--ini", name), order.argv)
            self.assertEqual("7", dict(order.environ)["UWSGI_BROODLORD_NUM"])
            self.assertNotIn("UWSGI_BROODLORD_NUM", dict(recipes.make(SPEC).environ))
            self.assertEqual(("/h", "a.ini:zerg"), order.hooks.after[0].argv)
            self.assertEqual("a.ini:zerg", dict(order.hooks.environ)["UWSGI_VASSAL_CONFIG"])
        self.assertEqual({"/tmp/a.ini"}, set(asked))
