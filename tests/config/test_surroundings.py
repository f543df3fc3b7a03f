"""
L{emperor.config.surroundings}
"""

from __future__ import annotations

import os
import pwd

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.surroundings import Surroundings


class SurroundingsTests(SynchronousTestCase):
    """
    The facts outside the files.
    """

    def test_this_process(self) -> None:
        """
        They are those of the process; the time is given.
        """
        here = Surroundings.of_this_process(12.5)
        self.assertEqual((here.cwd, here.uid, here.now), (os.getcwd(), os.getuid(), 12.5))
        self.assertEqual(here.user, pwd.getpwuid(os.getuid()).pw_name)

    def test_nameless(self) -> None:
        """
        A user or group without a name is its number.
        """
        self.patch(os, "getuid", lambda: 54321)
        self.patch(os, "getgid", lambda: 54322)
        here = Surroundings.of_this_process(0)
        self.assertEqual((here.user, here.group), ("54321", "54322"))
