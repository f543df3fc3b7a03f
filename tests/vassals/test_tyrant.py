"""
Tests for L{emperor.vassals.tyrant}.
"""

from __future__ import annotations

import os
import stat
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.tyrant import NoOwner, Owner, owner_of

A, B = (1001, 1001), (1002, 1002)
ROOT = (0, 0)


class Tree:
    """
    Files in memory: paths to modes, owners and, of links, targets.
    """

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, tuple[int, int], str]] = {}
        for path in ("/", "/v", "/home"):
            self.directory(path)
        for name, owner in (("a", A), ("b", B)):
            self.directory(f"/home/{name}", owner=owner)

    def directory(self, path: str, mode: int = 0o755, owner: tuple[int, int] = ROOT) -> None:
        self.files[path] = (stat.S_IFDIR | mode, owner, "")

    def file(self, path: str, owner: tuple[int, int]) -> None:
        self.files[path] = (stat.S_IFREG | 0o644, owner, "")

    def link(self, path: str, target: str, owner: tuple[int, int]) -> None:
        self.files[path] = (stat.S_IFLNK | 0o777, owner, target)

    def look(self, path: str) -> os.stat_result:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory")
        mode, (uid, gid), _ = self.files[path]
        return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))

    def owner(self, path: str, nofollow: bool = False) -> Owner:
        with patch("os.geteuid", lambda: 0):
            return owner_of(
                path, nofollow=nofollow, look=self.look, follow=lambda link: self.files[link][2]
            )


class OwnerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tree = Tree()

    def refusal(self, path: str, nofollow: bool = False) -> str:
        return str(self.assertRaises(NoOwner, self.tree.owner, path, nofollow))

    def test_file(self) -> None:
        """
        The owner of a file in a directory of root's, or of his own.
        """
        for path in ("/v/x.ini", "/home/a/x.ini"):
            self.tree.file(path, A)
            self.assertEqual(Owner(*A), self.tree.owner(path))

    def test_root(self) -> None:
        """
        Never root, by user or by group; it says what to do.
        """
        for owner, word in ((ROOT, "user root"), ((0, 5), "user root"), ((5, 0), "group root")):
            self.tree.file("/v/x.ini", owner)
            self.assertIn(word, self.refusal("/v/x.ini"))
        self.assertIn("chown", self.refusal("/v/x.ini"))

    def test_missing(self) -> None:
        """
        What is not there is nobody's.
        """
        self.assertEqual("/v/x.ini: No such file or directory", self.refusal("/v/x.ini"))

    def test_link(self) -> None:
        """
        A link of root's, or of the owner's, leads to the owner of the file; with
        nofollow the link's own owner counts.
        """
        self.tree.file("/home/a/x.ini", A)
        for maker in (ROOT, A):
            self.tree.link("/v/x.ini", "../home/./a//x.ini", maker)
            self.assertEqual(Owner(*A), self.tree.owner("/v/x.ini"))
        self.tree.file("/v/template", ROOT)
        self.tree.link("/v/x.ini", "template", A)
        self.assertEqual(Owner(*A), self.tree.owner("/v/x.ini", nofollow=True))
        self.assertIn("root", self.refusal("/v/x.ini"))

    def test_links_in_the_way(self) -> None:
        """
        With nofollow, links that are not the last name are followed.
        """
        self.tree.link("/w", "/v", ROOT)
        self.tree.file("/v/x.ini", A)
        self.assertEqual(Owner(*A), self.tree.owner("/w/x.ini", nofollow=True))

    def test_somebody_elses_file(self) -> None:
        """
        A link to somebody else's file does not make it run.
        """
        self.tree.file("/home/b/x.ini", B)
        self.tree.link("/v/x.ini", "/home/b/x.ini", A)
        self.assertIn("/v/x.ini belongs to user 1001", self.refusal("/v/x.ini"))

    def test_somebody_elses_directory(self) -> None:
        """
        In a directory of A's, whose a file is cannot be told.
        """
        self.tree.file("/home/a/x.ini", B)
        self.assertIn("/home/a belongs to user 1001", self.refusal("/home/a/x.ini"))
        self.tree.link("/home/a/y.ini", "/home/b/y.ini", ROOT)
        self.tree.file("/home/b/y.ini", B)
        self.assertIn("/home/a belongs to user 1001", self.refusal("/home/a/y.ini"))

    def test_open_directory(self) -> None:
        """
        Nor in one where everybody may write, unless it is sticky.
        """
        self.tree.file("/v/x.ini", A)
        self.tree.directory("/v", 0o777)
        self.assertIn("everybody may write into /v", self.refusal("/v/x.ini"))
        self.tree.directory("/v", 0o1777)
        self.assertEqual(Owner(*A), self.tree.owner("/v/x.ini"))

    def test_group_directory(self) -> None:
        """
        A group may write only if it is the owner's own, or root's.
        """
        self.tree.file("/v/x.ini", A)
        for group in (0, A[1]):
            self.tree.directory("/v", 0o775, (0, group))
            self.assertEqual(Owner(*A), self.tree.owner("/v/x.ini"))
        self.tree.directory("/v", 0o775, (0, 50))
        self.assertIn("group 50 may write into /v", self.refusal("/v/x.ini"))

    def test_circle(self) -> None:
        """
        A circle of links ends.
        """
        self.tree.link("/v/x.ini", "x.ini", A)
        self.assertIn("links", self.refusal("/v/x.ini"))

    @given(st.lists(st.sampled_from(["..", ".", "", "v", "home", "a", "x.ini", "l"]), max_size=8))
    def test_any_path(self, names: list[str]) -> None:
        """
        Whatever the path is, it has an owner or a reason.
        """
        tree = Tree()
        tree.file("/home/a/x.ini", A)
        tree.link("/v/l", "../home/../home/a", A)
        try:
            owner = tree.owner("/" + "/".join(names))
        except NoOwner:
            return
        self.assertEqual(Owner(*A), owner)
