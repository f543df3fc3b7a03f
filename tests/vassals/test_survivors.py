"""
Tests for L{emperor.vassals.survivors}.
"""

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.survivors import holders, kill_holders


class HoldersTests(SynchronousTestCase):
    def test_found(self) -> None:
        """
        A process that has the socket open is found, and others are not.
        """
        proc = self.mktemp()
        for pid, target in (("12", "socket:[7]"), ("13", "socket:[8]"), ("self", "socket:[7]")):
            os.makedirs(os.path.join(proc, pid, "fd"))
            os.symlink(target, os.path.join(proc, pid, "fd", "3"))
        os.makedirs(os.path.join(proc, "14"))
        self.assertEqual([12], list(holders(7, proc)))

    def test_no_proc(self) -> None:
        """
        Where processes cannot be looked at, nobody is found.
        """
        self.assertEqual([], list(holders(7, "/no/such/place")))

    def test_not_ourselves(self) -> None:
        """
        We hold the socket for a moment too, and are spared.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            inode = os.fstat(theirs.fileno()).st_ino
            self.assertEqual([os.getpid()], list(holders(inode)))
            kill_holders(inode)
