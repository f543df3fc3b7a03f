"""
Listening sockets, on loopback and in a temporary directory.
"""

from __future__ import annotations

import os
import socket
import stat

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.proxy.listeners import CannotListen, open_listener


class ListenerCase(SynchronousTestCase):
    def open(self, address: Address, mode: int = 0o600) -> socket.socket:
        listener = open_listener(address, mode=mode, backlog=5)
        self.addCleanup(listener.close)
        return listener

    def refused(self, address: Address) -> str:
        error = self.assertRaises(CannotListen, open_listener, address, mode=0o600, backlog=5)
        self.assertIn(f"cannot listen on {address}: ", str(error))
        return str(error)


class TcpTests(ListenerCase):
    def test_accepts(self) -> None:
        """
        Clients can connect as soon as the socket is open; it does not block.
        """
        listener = self.open(TcpAddress("127.0.0.1", 0))
        self.assertFalse(listener.getblocking())
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()

    def test_every_interface(self) -> None:
        """
        Without a host it listens on every IPv4 interface.
        """
        self.assertEqual(self.open(TcpAddress("", 0)).getsockname()[0], "0.0.0.0")

    def test_in_use(self) -> None:
        """
        A port that is taken is reported with advice.
        """
        port = self.open(TcpAddress("127.0.0.1", 0)).getsockname()[1]
        self.assertIn("stop the program that has it", self.refused(TcpAddress("127.0.0.1", port)))

    def test_not_ours(self) -> None:
        """
        An address of another machine is refused, without that advice.
        """
        self.assertNotIn("stop", self.refused(TcpAddress("192.0.2.1", 0)))

    def test_ipv6(self) -> None:
        """
        IPv6 leaves the same port of IPv4 alone.
        """
        try:
            listener = self.open(TcpAddress("::1", 0))
        except CannotListen as error:
            self.skipTest(f"no IPv6 here: {error}")
        self.assertEqual(listener.family, socket.AF_INET6)
        self.assertTrue(listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))


class UnixTests(ListenerCase):
    def setUp(self) -> None:
        # The paths of trial's own directories can be too long for a socket.
        self.path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.address = UnixAddress(self.path)

    def test_mode(self) -> None:
        """
        The socket's file has the permissions of chmod-socket from the start,
        and the umask is as before.
        """
        mask = os.umask(0o027)
        self.addCleanup(os.umask, mask)
        self.open(self.address, mode=0o666)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o666)
        self.assertEqual(os.umask(0o027), 0o027)

    def test_stale(self) -> None:
        """
        A socket that a dead program left behind is replaced.
        """
        self.open(self.address).close()
        self.assertTrue(os.path.exists(self.path))
        listener = self.open(self.address)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path)
            listener.accept()[0].close()

    def test_live(self) -> None:
        """
        A socket that a program listens on is left to it.
        """
        listener = self.open(self.address)
        self.assertIn("stop the program that has it", self.refused(self.address))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path)
        listener.accept()[0].close()

    def test_file(self) -> None:
        """
        A file that is no socket is never removed.
        """
        with open(self.path, "w") as file:
            file.write("precious")
        self.refused(self.address)
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    def test_no_directory(self) -> None:
        """
        A directory that does not exist is reported as such.
        """
        self.assertIn("No such file", self.refused(UnixAddress(self.path + b"/a")))

    def test_below_a_file(self) -> None:
        """
        A file where a directory should be is reported as such.
        """
        with open(self.path, "w"):
            pass
        self.assertIn("Not a directory", self.refused(UnixAddress(self.path + b"/a")))

    def test_abstract(self) -> None:
        """
        An abstract name makes no file; a taken one is refused.
        """
        address = UnixAddress(b"\0txemperor-test-%d\0" % os.getpid())
        self.open(address)
        self.assertIn("stop the program that has it", self.refused(address))
