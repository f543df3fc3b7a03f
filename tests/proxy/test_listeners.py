"""
Listening sockets, on loopback and in a temporary directory.
"""

from __future__ import annotations

import os
import socket
import stat

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.config.settings import RouterSettings
from emperor.proxy.listeners import (
    CannotListen,
    close_listeners,
    open_listener,
    open_listeners,
    remove_files,
)


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


class RouterTests(SynchronousTestCase):
    """
    The sockets of a router, for each of its processes.
    """

    def setUp(self) -> None:
        self.path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(self.path), exist_ok=True)

    def open(self, processes: int, *addresses: Address) -> list[list[socket.socket]]:
        self.settings = RouterSettings(kind="http", listen=addresses, processes=processes)
        rows = open_listeners(self.settings)
        self.addCleanup(close_listeners, rows)
        return rows

    def test_one_process(self) -> None:
        """
        One row, in the order of the addresses; nobody else may share its port.
        """
        ((tcp, unix),) = self.open(1, TcpAddress("127.0.0.1", 0), UnixAddress(self.path))
        self.assertEqual([socket.AF_INET, socket.AF_UNIX], [tcp.family, unix.family])
        self.assertFalse(tcp.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))

    def test_shares(self) -> None:
        """
        Of a TCP port each process has a socket of its own, and each of them gets
        connections.
        """
        (one,), (two,) = self.open(2, TcpAddress("127.0.0.1", 0))
        self.assertEqual(one.getsockname(), two.getsockname())
        for _ in range(64):
            with socket.create_connection(one.getsockname()):
                pass
        for listener in (one, two):
            for _ in range(8):
                listener.accept()[0].close()

    def test_unix(self) -> None:
        """
        A UNIX socket is the same for all.
        """
        (one,), (two,), (three,) = self.open(3, UnixAddress(self.path))
        self.assertTrue(one is two is three)

    def test_no_second_program(self) -> None:
        """
        A second program does not come to share a port by accident.
        """
        (one,), _ = self.open(2, TcpAddress("127.0.0.1", 0))
        again = TcpAddress("127.0.0.1", one.getsockname()[1])
        self.assertRaises(CannotListen, self.open, 1, again)
        self.assertRaises(CannotListen, self.open, 2, again)

    def test_one_in_use(self) -> None:
        """
        If one address cannot be had the others are given back.
        """
        (taken,), _ = self.open(2, TcpAddress("127.0.0.1", 0))
        address = TcpAddress("127.0.0.1", taken.getsockname()[1])
        self.assertRaises(CannotListen, self.open, 2, UnixAddress(self.path), address)
        with socket.socket(socket.AF_UNIX) as client:
            self.assertRaises(FileNotFoundError, client.connect, self.path)

    def test_files(self) -> None:
        """
        Files are removed if they are there; other addresses have none.
        """
        abstract = UnixAddress(b"\0txemperor-files-%d\0" % os.getpid())
        self.open(1, TcpAddress("127.0.0.1", 0), abstract, UnixAddress(self.path))
        remove_files(self.settings.listen)
        self.assertFalse(os.path.exists(self.path))
        remove_files(self.settings.listen)
