"""
L{emperor.config.magic}
"""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.magic import FileFacts, file_facts, magic_table, substitute
from emperor.config.surroundings import Surroundings
from tests.config.fixtures import BOUNDED, ConfigurationCase

_SITE = FileFacts("v/blog.v2.ini", "/etc/vassals/blog.v2.ini", "prod", 2**32 - 1)
_MAIN = FileFacts("main.ini", "/srv/main.ini", "", 5)
_BOX = Surroundings(cwd="/run", hostname="box", now=12.5, uid=7, gid=8, user="u", group="g", cpus=3)


class SubstituteTests(SynchronousTestCase):
    """
    Letters into values.
    """

    def expand(self, text: str) -> str:
        """
        A site's text below the main file.
        """
        return substitute(text, magic_table(_SITE, _MAIN, _BOX))

    def test_file(self) -> None:
        """
        Small letters tell of the file; the directory has its slash.
        """
        self.assertEqual(
            self.expand("%o|%p|%s|%d|%n|%e|%c|%x|%i|%0|%1|%2"),
            "v/blog.v2.ini|/etc/vassals/blog.v2.ini|blog.v2.ini|/etc/vassals/|blog.v2|ini"
            "|vassals|prod|-1|etc|vassals|",
        )

    def test_first(self) -> None:
        """
        Capitals tell of the first file, and of nothing before there is one.
        """
        self.assertEqual(
            self.expand("%O|%P|%S|%D|%N|%E|%C|%X"),
            "main.ini|/srv/main.ini|main.ini|/srv/|main|ini|srv|",
        )
        self.assertEqual(substitute("[%N]", magic_table(_SITE, None, _BOX)), "[]")

    def test_process(self) -> None:
        """
        The machine and the process.
        """
        self.assertEqual(
            self.expand("%v %h %k %t %T %u %U %g %G"), "/run box 3 12 12500000 7 u 8 g"
        )

    def test_hash(self) -> None:
        """
        C{%j} is the hash that uWSGI shows for the same path.
        """
        facts = FileFacts("", "/tmp/x/g1.v2.ini", "", 0)
        self.assertEqual(substitute("%j", magic_table(facts, None, _BOX)), "278738F8")

    def test_escapes(self) -> None:
        """
        C{%%} is a percent sign; placeholders are left; unknown letters go.
        """
        self.assertEqual(self.expand("100%% %(a) %q%[x"), "100% %(a) \033x")

    def test_line_end(self) -> None:
        """
        Differs from uWSGI, where it joins two lines: a percent sign at the
        end of a line stays.
        """
        self.assertEqual(self.expand("a = 100%\nb = 5%"), "a = 100%\nb = 5%")

    @settings(deadline=BOUNDED)
    @given(st.text())
    def test_anything(self, text: str) -> None:
        """
        Lines stay lines, whatever stands in them.
        """
        self.assertEqual(self.expand(text).count("\n"), text.count("\n"))


class FileFactsTests(ConfigurationCase):
    """
    Where a file is.
    """

    def test_link(self) -> None:
        """
        A link is itself; a linked directory is what it leads to.
        """
        self.write("real/site.ini", "")
        os.symlink("real/site.ini", f"{self.cwd}/link.ini")
        os.symlink("real", f"{self.cwd}/dir")
        link = file_facts("./link.ini", "", self.cwd)
        self.assertEqual(link.path, f"{self.cwd}/./link.ini")
        self.assertEqual(link.inode, os.lstat(f"{self.cwd}/link.ini").st_ino)
        self.assertEqual(file_facts("dir/site.ini", "", self.cwd).path, f"{self.cwd}/real/site.ini")

    def test_missing(self) -> None:
        """
        A file that is not there is named.
        """
        for name in ("no.ini", "a\0b.ini"):
            self.assert_refused("cannot be read", file_facts, name, "", self.cwd)
