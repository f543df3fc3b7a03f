"""
Tests for L{emperor.stale}.
"""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.stale import leave_socket, remove_stale_socket


class StaleSocketTests(SynchronousTestCase):
    """
    Which files are removed.
    """

    def setUp(self) -> None:
        os.mkdir(folder := self.mktemp())
        self.path = os.path.relpath(os.path.join(folder, "a.sock"))

    def bind(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path)
        listener.listen(1)
        return listener

    def remove(self) -> bool:
        remove_stale_socket(os.fsencode(self.path))
        return not os.path.lexists(self.path)

    def test_left_behind(self) -> None:
        """
        A socket that nobody listens on any more is removed.
        """
        self.bind().close()
        self.assertTrue(self.remove())

    def test_in_use(self) -> None:
        """
        A socket that a program listens on stays.
        """
        self.bind()
        self.assertFalse(self.remove())

    def test_datagrams(self) -> None:
        """
        So it is for datagrams; a live socket of another kind stays.
        """
        path = os.fsencode(self.path)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.bind(self.path)
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            remove_stale_socket(path, kind)
            self.assertTrue(os.path.lexists(path))
        server.close()
        remove_stale_socket(path, socket.SOCK_DGRAM)
        self.assertFalse(os.path.lexists(path))

    def test_other_files(self) -> None:
        """
        A file that is no socket stays, and so does a link to a dead socket.
        """
        with open(self.path, "w"):
            pass
        self.assertFalse(self.remove())
        os.unlink(self.path)
        os.symlink("nowhere", self.path)
        self.assertFalse(self.remove())

    def test_untold(self) -> None:
        """
        Where a socket cannot be probed it stays, and nobody is disturbed.
        """
        folder = os.path.dirname(self.path)
        long = os.path.join(folder, "x" * 200)
        self.bind().close()
        os.rename(self.path, long)
        remove_stale_socket(os.fsencode(long))
        self.assertTrue(os.path.lexists(long))
        os.rename(long, self.path)
        self.patch(socket, "socket", self.no_descriptor)
        self.assertFalse(self.remove())

    def no_descriptor(self, *arguments: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    def test_no_file(self) -> None:
        """
        Nothing there is nothing to do.
        """
        self.assertTrue(self.remove())

    def test_left_alone(self) -> None:
        """
        Where others say what is to be removed nothing is.
        """
        self.bind().close()
        leave_socket(os.fsencode(self.path))
        self.assertTrue(os.path.exists(self.path))
