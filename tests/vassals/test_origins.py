"""
Tests for L{emperor.vassals.origins}; with real uWSGIs they are in
tests/integration/test_origins.py.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.launchsettings import LaunchSettings
from emperor.config.vassalfile import HIDDEN
from emperor.identity import NOBODY, Identity
from emperor.testing.vassals import make_spec
from emperor.vassals import origins as module
from emperor.vassals.origins import is_program, readable, reader_of, source_of
from emperor.vassals.spec import VassalId
from emperor.vassals.tyrant import NoOwner, Owner

MAGIC = LaunchSettings(magic_exec=True)
TYRANT = LaunchSettings(magic_exec=True, tyrant=True, tyrant_nofollow=True)
HELD = replace(make_spec("a.ini"), config=b"[uwsgi]\n")


class OriginTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = os.path.abspath(self.mktemp())
        os.mkdir(self.place)
        self.spec = make_spec("a.ini", directory=self.place)
        with open(os.path.join(self.place, "a.ini"), "w"):
            pass

    def make(self, mode: int) -> None:
        os.chmod(os.path.join(self.place, "a.ini"), mode)

    def test_file(self) -> None:
        """
        Usually it is the file of its name, whatever its mode is.
        """
        self.make(0o755)
        self.assertEqual("", source_of(self.spec, "a.ini", LaunchSettings()))
        self.assertIsNone(readable(self.spec, LaunchSettings()))

    def test_held(self) -> None:
        """
        What the monitor has comes before a file of the same name.
        """
        self.make(0o755)
        held = replace(self.spec, config=b"[uwsgi]\n")
        self.assertEqual("emperor://a.ini", source_of(held, "a.ini", MAGIC))
        self.assertEqual(b"[uwsgi]\n", readable(held, MAGIC))

    def test_program(self) -> None:
        """
        A file that can be executed is a program, which a shell finds where it is;
        no shell reads anything else in its name.
        """
        self.make(0o644)
        self.assertEqual("", source_of(self.spec, "a.ini", MAGIC))
        self.make(0o755)
        self.assertEqual("exec://./a.ini", source_of(self.spec, "a.ini", MAGIC))
        self.assertEqual("exec:///v/a.ini", source_of(self.spec, "/v/a.ini", MAGIC))
        self.assertEqual("exec://'./$(x) y.ini'", source_of(self.spec, "$(x) y.ini", MAGIC))
        self.assertIs(HIDDEN, readable(self.spec, MAGIC))

    def test_zerg(self) -> None:
        """
        A zerg's configuration is its parent's.
        """
        id = VassalId(self.spec.id.monitor, "a.ini:zerg")
        zerg = replace(self.spec, id=id, parent=self.spec.id, number=1)
        self.make(0o755)
        self.assertEqual("exec://./a.ini", source_of(zerg, zerg.file, MAGIC))
        self.assertIs(HIDDEN, readable(zerg, MAGIC))

    def test_both_rights(self) -> None:
        """
        It must be readable too, for a shell script is read.
        """
        asked: list[tuple[str, int, bool]] = []

        def access(path: str, mode: int, *, effective_ids: bool) -> bool:
            asked.append((path, mode, effective_ids))
            return True

        self.assertTrue(is_program(self.spec, MAGIC, access))
        self.assertEqual([(f"{self.place}/a.ini", os.R_OK | os.X_OK, True)], asked)
        self.assertFalse(is_program(HELD, MAGIC, access))

    def test_tyrant(self) -> None:
        """
        With emperor-tyrant what counts is what the vassal's user may do, not root.
        """
        self.patch(module, "owner_of", lambda path, *, nofollow: Owner(5, 6))
        for uid, gid, mode, expected in (
            (5, 6, 0o500, True),
            (5, 6, 0o477, False),
            (5, 6, 0o177, False),
            (9, 6, 0o050, True),
            (9, 6, 0o705, False),
            (9, 9, 0o005, True),
            (9, 9, 0o770, False),
        ):
            found = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))
            self.assertEqual(
                expected,
                is_program(self.spec, TYRANT, find=lambda _, found=found: found),  # type: ignore[misc]
            )

    def test_nobodys(self) -> None:
        """
        A file that will not be started is no program, nor is one that is not there.
        """

        def owner_of(path: str, *, nofollow: bool) -> Owner:
            raise NoOwner("it is root's")

        self.patch(module, "owner_of", owner_of)
        self.assertFalse(is_program(self.spec, TYRANT))
        self.assertFalse(is_program(make_spec("b.ini", directory=self.place), MAGIC))

    def test_reader(self) -> None:
        """
        With emperor-tyrant a vassal's configuration is read as its user; one that is
        nobody's, or in no file, as nobody; ours as ourselves.
        """
        self.patch(module, "owner_of", lambda path, *, nofollow: Owner(5, 6))
        self.assertEqual(Identity(5, 6), reader_of(self.spec, TYRANT))
        self.assertIsNone(reader_of(self.spec, MAGIC))
        self.assertIsNone(reader_of(replace(self.spec, is_instance=True), TYRANT))
        self.assertEqual(NOBODY, reader_of(HELD, TYRANT))

        def owner_of(path: str, *, nofollow: bool) -> Owner:
            raise NoOwner("it is root's")

        self.patch(module, "owner_of", owner_of)
        self.assertEqual(NOBODY, reader_of(self.spec, TYRANT))
