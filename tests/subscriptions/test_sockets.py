"""
Tests for L{emperor.subscriptions.sockets}.
"""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.config.settings import HttpSettings, SubscriptionSettings
from emperor.proxy.binding import CannotListen
from emperor.subscriptions.sockets import close_servers, open_server, open_servers


class SocketCase(SynchronousTestCase):
    def setUp(self) -> None:
        os.makedirs(folder := os.path.relpath(self.mktemp()))
        self.path = os.path.join(folder, "s")
        self.unix = UnixAddress(os.fsencode(self.path))

    def open(self, address: SocketAddress, mode: int = 0o600) -> socket.socket:
        server = open_server(address, mode)
        self.addCleanup(server.close)
        return server

    def refusal(self, address: SocketAddress, owner: str = "") -> str:
        return str(self.assertRaises(CannotListen, open_server, address, 0o600, owner))


class OpenTests(SocketCase):
    """
    One socket.
    """

    def test_udp(self) -> None:
        """
        A port of IPv4 or IPv6, which does not block.
        """
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            server = self.open(TcpAddress(host, 0))
            self.assertEqual((server.family, server.getsockname()[0]), (family, host))
            self.assertEqual(server.type, socket.SOCK_DGRAM)
            self.assertFalse(server.getblocking())

    def test_everywhere(self) -> None:
        """
        Without a host it is every interface; both families can have one port.
        """
        first = self.open(TcpAddress("", 0))
        port = first.getsockname()[1]
        self.assertEqual(first.getsockname()[0], "0.0.0.0")
        self.open(TcpAddress("::", port))

    def test_in_use(self) -> None:
        """
        A port that somebody has is not shared with him.
        """
        port = self.open(TcpAddress("127.0.0.1", 0)).getsockname()[1]
        text = self.refusal(TcpAddress("127.0.0.1", port))
        self.assertIn(f"cannot listen on 127.0.0.1:{port} for subscriptions: ", text)
        self.assertIn("stop the program that has it", text)

    def test_unix(self) -> None:
        """
        A file with the mode that was asked for; a dead one is replaced, a live
        one is not.
        """
        for _ in range(2):
            server = self.open(self.unix, 0o620)
            self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o620)
            self.assertIn("for subscriptions: Address already in use", self.refusal(self.unix))
            server.close()

    def test_live_stream(self) -> None:
        """
        Neither is a live socket of another kind.
        """
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(1)
            self.assertIn("in use", self.refusal(self.unix))

    def test_owner(self) -> None:
        """
        The file can be given away; nobody of that name is an error.
        """
        open_server(self.unix, 0o600, f"{os.getuid()}:{os.getgid()}").close()
        self.assertIn("no user 'nobody at all'", self.refusal(self.unix, "nobody at all"))

    def test_credentials(self) -> None:
        """
        The kernel says who sends.
        """
        server = self.open(self.unix)
        self.assertTrue(server.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED))

    def test_group(self) -> None:
        """
        A group is joined, and several programs may listen to it.
        """
        try:
            servers = [self.open(TcpAddress("239.1.2.3", 0))]
        except CannotListen as error:
            raise SkipTest(f"no multicast on this machine: {error}") from error
        port = servers[0].getsockname()[1]
        servers.append(self.open(TcpAddress("239.1.2.3", port)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            try:
                sender.sendto(b"x", ("239.1.2.3", port))
            except OSError as error:
                raise SkipTest(f"no way for multicast: {error}") from error
        for server in servers:
            server.settimeout(5)
            self.assertEqual(server.recv(10), b"x")

    def test_group6(self) -> None:
        """
        Also one of IPv6.
        """
        try:
            server = self.open(TcpAddress("ff05::1234", 0))
        except CannotListen as error:
            raise SkipTest(f"no IPv6 multicast on this machine: {error}") from error
        self.assertEqual(server.getsockname()[0], "ff05::1234")

    def test_broadcast(self) -> None:
        """
        What is sent to all comes in.
        """
        server = self.open(TcpAddress("255.255.255.255", 0))
        self.assertEqual(server.getsockname()[0], "255.255.255.255")


class OpenAllTests(SocketCase):
    """
    Those of all routers.
    """

    def router(self, *servers: SocketAddress) -> HttpSettings:
        return HttpSettings(
            listen=(TcpAddress("", 80),),
            socket_mode=0o640,
            subscriptions=SubscriptionSettings(servers=servers),
        )

    def test_all(self) -> None:
        """
        Each router has its own.
        """
        routers = [self.router(self.unix, TcpAddress("127.0.0.1", 0)), self.router()]
        opened = open_servers(routers)
        self.assertEqual([len(row) for row in opened], [2, 0])
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o640)
        close_servers(opened[0], [self.unix])
        self.assertFalse(os.path.lexists(self.path))
        self.assertEqual(opened[0][1].fileno(), -1)

    def test_none(self) -> None:
        """
        One that cannot be opened closes those before it, and leaves no file.
        """
        port = self.open(TcpAddress("127.0.0.1", 0)).getsockname()[1]
        routers = [self.router(self.unix), self.router(TcpAddress("127.0.0.1", port))]
        self.assertRaises(CannotListen, open_servers, routers)
        self.assertFalse(os.path.lexists(self.path))
