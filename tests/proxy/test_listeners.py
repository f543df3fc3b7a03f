"""
Listening sockets, on loopback and in a temporary directory.
"""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import (
    BorrowedSocket,
    ListenAddress,
    NamedAddress,
    PassedSocket,
    SharedSocket,
    TcpAddress,
    UnixAddress,
)
from emperor.config.settings import RouterSettings
from emperor.proxy import listeners
from emperor.proxy.binding import CannotListen
from emperor.proxy.inherited import PassedSockets
from emperor.proxy.listeners import OpenRouter, open_listeners, open_routers, remove_files


class RouterTests(SynchronousTestCase):
    """
    The sockets of a router, for each of its processes.
    """

    def setUp(self) -> None:
        self.path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(self.path), exist_ok=True)

    def open(self, processes: int, *addresses: ListenAddress) -> list[list[socket.socket]]:
        self.settings = RouterSettings(kind="http", listen=addresses, processes=processes)
        opened = open_listeners(self.settings)
        self.addCleanup(opened.close)
        return opened.rows

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


class BorrowingTests(SynchronousTestCase):
    """
    Sockets that are not, or not only, the router's own.
    """

    def setUp(self) -> None:
        self.path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(self.path), exist_ok=True)

    def open(
        self,
        *listen: ListenAddress,
        shared: tuple[ListenAddress, ...] = (),
        passed: PassedSockets | None = None,
        processes: int = 1,
    ) -> OpenRouter:
        settings = RouterSettings(kind="http", listen=listen, processes=processes)
        (opened,) = open_routers([settings], shared, passed)
        self.addCleanup(opened.close)
        return opened

    def passed(self, name: object) -> tuple[int, PassedSockets]:
        """
        A socket at C{name} that was passed, under the name C{www}.
        """
        family = socket.AF_INET if isinstance(name, tuple) else socket.AF_UNIX
        with socket.socket(family) as listener:
            listener.bind(name)  # type: ignore[arg-type]
            listener.listen(5)
            number = os.dup(listener.fileno())
        passed = PassedSockets({number: "www"})
        self.addCleanup(passed.close)
        return number, passed

    def test_shared(self) -> None:
        """
        =1 is the second shared socket; with several processes it is one for all
        of them, since it may be others' too.
        """
        shared = (UnixAddress(self.path), TcpAddress("127.0.0.1", 0))
        opened = self.open(SharedSocket(1), shared=shared, processes=2)
        (one,), (two,) = opened.rows
        self.assertEqual(one.family, socket.AF_INET)
        self.assertIs(one, two)
        self.assertEqual(opened.settings.listen, shared[1:])
        with socket.create_connection(one.getsockname()):
            one.accept()[0].close()

    def test_shared_file(self) -> None:
        """
        The file of a shared socket goes when its router goes; that of one that
        nobody uses at once.
        """
        other = UnixAddress(self.path + b"2")
        opened = self.open(SharedSocket(0), shared=(UnixAddress(self.path), other))
        self.assertTrue(os.path.exists(self.path))
        self.assertFalse(os.path.exists(other.path))
        opened.close()
        self.assertFalse(os.path.exists(self.path))

    def test_two_routers(self) -> None:
        """
        Two routers can have the same shared socket.
        """
        both = [
            RouterSettings(kind=kind, listen=(SharedSocket(0),)) for kind in ("http", "fastrouter")
        ]
        opened = open_routers(both, [TcpAddress("127.0.0.1", 0)])
        for each in opened:
            self.addCleanup(each.close)
        one, two = (each.rows[0][0] for each in opened)
        self.assertIsNot(one, two)
        self.assertEqual(one.getsockname(), two.getsockname())

    def test_not_shared(self) -> None:
        """
        A number that no shared socket has is an error; the others are closed.
        """
        shared = (UnixAddress(self.path),)
        error = self.assertRaises(CannotListen, self.open, SharedSocket(1), shared=shared)
        self.assertIn("on =1: there are 1 shared sockets", str(error))
        self.assertFalse(os.path.exists(self.path))

    def test_no_router(self) -> None:
        """
        Shared sockets without a router are not opened.
        """
        self.assertEqual(open_routers([], [UnixAddress(self.path)]), [])
        self.assertFalse(os.path.exists(self.path))

    def test_passed(self) -> None:
        """
        A socket that was passed is taken by number, name or address, and its
        file is left alone.
        """
        number, passed = self.passed(self.path)
        for address in (PassedSocket(str(number)), PassedSocket("www"), UnixAddress(self.path)):
            opened = self.open(address, passed=passed, processes=2)
            (one,), (two,) = opened.rows
            self.assertIs(one, two)
            place = BorrowedSocket(UnixAddress(self.path), "fd://www")
            self.assertEqual(opened.settings.listen, (place,))
            opened.close()
            self.assertTrue(os.path.exists(self.path))

    def test_passed_and_shared(self) -> None:
        """
        So is one that is asked for as a shared socket.
        """
        _, passed = self.passed(self.path)
        opened = self.open(SharedSocket(0), shared=(UnixAddress(self.path),), passed=passed)
        opened.close()
        self.assertTrue(os.path.exists(self.path))

    def test_not_passed(self) -> None:
        """
        One that was not passed is an error.
        """
        error = self.assertRaises(CannotListen, self.open, PassedSocket("www"))
        self.assertIn("on fd://www: no socket was passed", str(error))
        error = self.assertRaises(CannotListen, self.open, PassedSocket("99999"))
        self.assertIn("fd://99999 is no listening socket", str(error))

    def test_name(self) -> None:
        """
        A name is looked up.
        """
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
        self.patch(socket, "getaddrinfo", lambda *names, **details: found)
        opened = self.open(NamedAddress("localhost", 0))
        self.assertEqual(opened.settings.listen, (TcpAddress("127.0.0.1", 0),))

    def test_zerg(self) -> None:
        """
        The sockets of a zerg server come after the router's own.
        """
        given = [socket.socket(), socket.socket()]
        for each in given:
            each.bind(("127.0.0.1", 0))
            each.listen(1)
        self.patch(listeners, "take_sockets", lambda server: given)
        own = TcpAddress("127.0.0.1", 0)
        zerg = (UnixAddress(b"/run/zerg"),)
        settings = RouterSettings(kind="http", listen=(own,), zerg=zerg, processes=2)
        opened = open_listeners(settings)
        self.addCleanup(opened.close)
        for row in opened.rows:
            self.assertEqual(row[1:], given)
        places = [
            BorrowedSocket(TcpAddress(*each.getsockname()), "zerg /run/zerg") for each in given
        ]
        self.assertEqual(list(opened.settings.listen), [own, *places])
        self.assertEqual(opened.settings.zerg, ())

    def test_no_zerg(self) -> None:
        """
        A zerg server that is not there is an error.
        """
        settings = RouterSettings(kind="http", listen=(), zerg=(UnixAddress(self.path),))
        error = self.assertRaises(CannotListen, open_listeners, settings)
        self.assertIn(f"the zerg server {os.fsdecode(self.path)}: No such file", str(error))
        settings = RouterSettings(kind="http", listen=(), zerg=(TcpAddress("", 1),))
        self.assertIn("UNIX", str(self.assertRaises(CannotListen, open_listeners, settings)))

    def test_one_fails(self) -> None:
        """
        If one router cannot have its sockets, those of the others are closed.
        """
        routers = [
            RouterSettings(kind="http", listen=(UnixAddress(self.path),)),
            RouterSettings(kind="fastrouter", listen=(PassedSocket("www"),)),
        ]
        self.assertRaises(CannotListen, open_routers, routers)
        self.assertFalse(os.path.exists(self.path))
