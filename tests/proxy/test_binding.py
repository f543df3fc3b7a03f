"""
One listening socket, on loopback and in a temporary directory.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.proxy.binding import CannotListen, find_named, open_listener


class ListenerCase(SynchronousTestCase):
    def open(self, address: SocketAddress, mode: int = 0o600, owner: str = "") -> socket.socket:
        listener = open_listener(address, mode=mode, backlog=5, owner=owner)
        self.addCleanup(listener.close)
        return listener

    def refused(self, address: SocketAddress, owner: str = "") -> str:
        error = self.assertRaises(CannotListen, self.open, address, owner=owner)
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
        told = self.refused(TcpAddress("192.0.2.1", 0))
        self.assertNotIn("stop", told)
        self.assertIn("this machine does not have that address", told)

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

    def test_no_interface(self) -> None:
        """
        A link-local address of an interface that is not there says so.
        """
        self.assertIn(
            "no network interface of the name after %", self.refused(TcpAddress("fe80::1%none", 0))
        )


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
        self.assertIn("no socket; remove it", self.refused(self.address))
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    def test_no_directory(self) -> None:
        """
        A directory that does not exist is reported as such.
        """
        self.assertIn(
            "No such file or directory; make the directory",
            self.refused(UnixAddress(self.path + b"/a")),
        )

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

    def test_owner(self) -> None:
        """
        The file belongs to whom chown-socket names, by name or number.
        """
        user, group = pwd.getpwuid(os.getuid()), grp.getgrgid(os.getgid())
        for owner in (
            user.pw_name,
            str(user.pw_uid),
            f"{user.pw_name}:{group.gr_name}",
            f"{user.pw_uid}:{group.gr_gid}",
            f":{group.gr_name}",
        ):
            self.open(self.address, owner=owner).close()
            status = os.stat(self.path)
            self.assertEqual((status.st_uid, status.st_gid), (user.pw_uid, group.gr_gid))

    def test_other_owner(self) -> None:
        """
        Root can give it to others; who cannot is told, and leaves no file.
        """
        if os.getuid():
            self.assertIn("only root may", self.refused(self.address, owner="0:0"))
            self.assertFalse(os.path.exists(self.path))
        else:
            self.open(self.address, owner="65534:65533")
            status = os.stat(self.path)
            self.assertEqual((status.st_uid, status.st_gid), (65534, 65533))

    def test_forbidden(self) -> None:
        """
        An owner that the system refuses is an error, and leaves no file.
        """
        self.patch(os, "chown", self.forbid)
        self.assertIn("only root may", self.refused(self.address, owner="0:0"))
        self.assertFalse(os.path.exists(self.path))

    def forbid(self, *details: object, **more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    def test_nobody(self) -> None:
        """
        A user or group that does not exist is named.
        """
        self.assertIn("user 'no such user'", self.refused(self.address, owner="no such user"))
        self.assertIn("group 'no-such'", self.refused(self.address, owner=":no-such"))
        self.assertFalse(os.path.exists(self.path))


class NameTests(SynchronousTestCase):
    def test_found(self) -> None:
        """
        A name is looked up when the program starts; IPv4 is preferred.
        """

        def found(host: str, port: int, *, type: int, flags: int) -> list[object]:
            stream = socket.SOCK_STREAM
            return [
                (socket.AF_INET6, stream, 6, "", ("::1", port, 0, 0)),
                (socket.AF_INET, stream, 6, "", ("127.0.0.1", port)),
            ]

        self.patch(socket, "getaddrinfo", found)
        self.assertEqual(find_named("localhost", 80), TcpAddress("127.0.0.1", 80))

    def test_unknown(self) -> None:
        """
        One that is nobody's is an error.
        """

        def unknown(*details: object, **more: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        self.patch(socket, "getaddrinfo", unknown)
        error = self.assertRaises(CannotListen, find_named, "nobody.invalid", 80)
        self.assertEqual(
            str(error), "cannot listen on nobody.invalid:80: Name or service not known"
        )
