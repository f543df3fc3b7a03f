"""
Tests for L{emperor.superior.summons}.
"""

from __future__ import annotations

import os
import socket

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.superior.summons import NoPipe, Summons, as_pipe, take_summons


class SummonsTests(SynchronousTestCase):
    """
    What of the environment makes the program a vassal.
    """

    def setUp(self) -> None:
        self.theirs, ours = socket.socketpair()
        self.addCleanup(self.theirs.close)
        self.number = ours.detach()
        os.set_inheritable(self.number, True)

    def close(self) -> None:
        os.close(self.number)

    def test_nobody(self) -> None:
        """
        Without the variables it is nobody's vassal.
        """
        environ = {"PATH": "/bin"}
        self.assertFalse(take_summons(environ))
        self.assertEqual(environ, {"PATH": "/bin"})

    def test_pipe(self) -> None:
        """
        The descriptor is ours, is not inherited any more, and works; the variable
        has gone.
        """
        environ = {"UWSGI_EMPEROR_FD": str(self.number), "PATH": "/bin"}
        summons = take_summons(environ)
        self.assertTrue(summons)
        assert summons.pipe is not None
        self.addCleanup(summons.pipe.close)
        self.assertEqual(environ, {"PATH": "/bin"})
        self.assertFalse(os.get_inheritable(self.number))
        self.theirs.send(b"\1")
        self.assertEqual(summons.pipe.recv(9), b"\1")

    def test_proxy(self) -> None:
        """
        One who hands the pipe on counts more than a descriptor.
        """
        self.addCleanup(self.close)
        environ = {"UWSGI_EMPEROR_FD": str(self.number), "UWSGI_EMPEROR_PROXY": "/run/p"}
        summons = take_summons(environ)
        self.assertEqual(summons, Summons(proxy="/run/p"))
        self.assertTrue(summons)
        self.assertEqual(environ, {})

    def test_pipe_for_the_configuration(self) -> None:
        """
        Our configuration is a file: the second pipe is closed.
        """
        environ = {"UWSGI_EMPEROR_FD_CONFIG": str(self.number)}
        self.assertFalse(take_summons(environ))
        self.assertEqual(environ, {})
        self.assertEqual(self.theirs.recv(1), b"")

    def test_left_over(self) -> None:
        """
        A variable that is older than the process names what we have opened
        ourselves, or nothing: it is told and passed over.
        """
        os.set_inheritable(self.number, False)
        self.addCleanup(self.close)
        for text in (str(self.number), "9999999", "", "3x", "-1", "٣", "1" * 90):
            self.assertFalse(take_summons({"UWSGI_EMPEROR_FD": text}), text)
        self.assertRaises(NoPipe, as_pipe, str(self.number))

    def test_something_else(self) -> None:
        """
        A file, another socket, or one that listens is no pipe, and stays open.
        """
        self.addCleanup(self.close)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(b"\0" + os.urandom(8).hex().encode())
        listener.listen()
        others = [socket.socket(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), listener]
        with open(os.devnull) as file:
            for number in [file.fileno(), *(each.fileno() for each in others)]:
                os.set_inheritable(number, True)
                self.assertRaises(NoPipe, as_pipe, str(number))
                os.fstat(number)
        for each in others:
            each.close()

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """
        No text makes it fail in another way.
        """
        if not (text.isascii() and text.isdecimal()):
            self.assertRaises(NoPipe, as_pipe, text)
