"""
Listening sockets that were open when the program was started.
"""

from __future__ import annotations

import os
import socket

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import PassedSocket, TcpAddress, UnixAddress
from emperor.proxy.inherited import (
    FIRST,
    KEPT,
    MOST,
    NotPassed,
    PassedSockets,
    Place,
    has_returned,
    initial_environment,
    where,
)


class PassedCase(SynchronousTestCase):
    def listen(self, family: int, name: object) -> int:
        """
        A listening socket as an exec leaves it: a number that nobody owns.
        """
        with socket.socket(family) as listener:
            listener.bind(name)  # type: ignore[arg-type]
            listener.listen(5)
            number = os.dup(listener.fileno())
        os.set_inheritable(number, True)
        return number

    def tcp(self) -> int:
        return self.listen(socket.AF_INET, ("127.0.0.1", 0))

    def port(self, number: int) -> int:
        copy = socket.socket(fileno=os.dup(number))
        self.addCleanup(copy.close)
        return int(copy.getsockname()[1])

    def adopt(self, names: dict[int, str] | None = None) -> PassedSockets:
        passed = PassedSockets(names)
        self.addCleanup(passed.close)
        return passed

    def path(self) -> str:
        # The paths of trial's own directories can be too long for a socket.
        path: str = os.path.relpath(self.mktemp())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def check(self, found: tuple[Place, socket.socket], shown: str) -> None:
        """
        It is a listening socket of the program's own.
        """
        place, listener = found
        self.addCleanup(listener.close)
        self.assertEqual(str(place), shown)
        self.assertFalse(listener.getblocking())
        self.assertFalse(listener.get_inheritable())
        self.assertTrue(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


class PassedTests(PassedCase):
    def test_by_number_and_name(self) -> None:
        """
        fd://N and fd://NAME are the same socket, of which each has a copy.
        """
        number = self.tcp()
        port = self.port(number)
        passed = self.adopt({number: "http"})
        for name in (str(number), "http", "http"):
            found = passed.named(PassedSocket(name))
            self.check(found, f"127.0.0.1:{port} (fd://http)")
        self.assertFalse(os.get_inheritable(number))

    def test_by_address(self) -> None:
        """
        An address of the configuration at which somebody listens for us already
        is taken from there; any other is not.
        """
        number = self.tcp()
        port = self.port(number)
        passed = self.adopt({number: ""})
        self.assertIsNone(passed.bound_to(TcpAddress("", port)))
        self.assertIsNone(passed.bound_to(TcpAddress("127.0.0.1", port + 1)))
        self.assertIsNone(passed.bound_to(UnixAddress(b"/run/a")))
        found = passed.bound_to(TcpAddress("127.0.0.1", port))
        assert found is not None
        self.check(found, f"127.0.0.1:{port} (fd://{number})")

    def test_every_interface(self) -> None:
        """
        Where only a port is asked for, a socket for every interface will do,
        also one for IPv6 and IPv4 together, as systemd opens it.
        """
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            try:
                number = self.listen(family, (host, 0))
            except OSError as error:
                self.skipTest(f"no {host} here: {error}")
            passed = self.adopt({number: ""})
            for asked in ("", "0.0.0.0"):
                found = passed.bound_to(TcpAddress(asked, self.port(number)))
                assert found is not None
                found[1].close()
            self.assertIsNone(passed.bound_to(TcpAddress("127.0.0.1", self.port(number))))

    def test_unix(self) -> None:
        """
        Paths are compared as they lead; an abstract name with and without the
        NUL at its end.
        """
        path, name = self.path(), b"txemperor-passed-%d" % os.getpid()
        for bound, asked in (
            (path, os.fsencode(os.path.abspath(path))),
            (b"\0" + name, b"\0" + name + b"\0"),
        ):
            passed = self.adopt({self.listen(socket.AF_UNIX, bound): ""})
            self.assertIsNone(passed.bound_to(UnixAddress(b"/elsewhere")))
            found = passed.bound_to(UnixAddress(asked))
            assert found is not None
            found[1].close()

    def test_claim(self) -> None:
        """
        Any open descriptor can be named, if it is a listening socket.
        """
        number = self.tcp()
        passed = self.adopt()
        passed.claim([PassedSocket(str(number)), TcpAddress("", 80), PassedSocket("http")])
        passed.claim([PassedSocket(str(number))])
        passed.named(PassedSocket(str(number)))[1].close()
        self.assertEqual(passed.idle(), [])

    def test_no_listener(self) -> None:
        """
        What is none is refused and left as it is.
        """
        pair = socket.socketpair()
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each in (*pair, udp):
            self.addCleanup(each.close)
        null = os.open(os.devnull, os.O_RDONLY)
        self.addCleanup(os.close, null)
        for number in (*(each.fileno() for each in (*pair, udp)), null):
            error = self.assertRaises(NotPassed, self.adopt().claim, [PassedSocket(str(number))])
            self.assertIn(f"fd://{number} is no listening socket", str(error))
            os.fstat(number)
            self.assertEqual(self.adopt({number: "x"}).idle(), [])

    def test_not_there(self) -> None:
        """
        Who asks for what was not passed is told what was.
        """
        number = self.tcp()
        passed = self.adopt({number: "http"})
        error = self.assertRaises(NotPassed, passed.named, PassedSocket("https"))
        self.assertIn(f"as fd://https; there are fd://{number} or fd://http", str(error))
        error = self.assertRaises(NotPassed, self.adopt().named, PassedSocket("1000"))
        self.assertIn("none was passed at all", str(error))
        error = self.assertRaises(NotPassed, passed.claim, [PassedSocket("99999")])
        self.assertIn("Bad file descriptor", str(error))

    def test_idle(self) -> None:
        """
        What nobody took is known.
        """
        one, two = self.tcp(), self.tcp()
        passed = self.adopt({one: "", two: ""})
        passed.named(PassedSocket(str(two)))[1].close()
        self.assertEqual(passed.idle(), [f"fd://{one} (127.0.0.1:{self.port(one)})"])

    def test_left_to_itself(self) -> None:
        """
        A socket that the program has left itself is its own: it listens where the
        configuration says, and its file goes with it, or with nobody who takes it.
        """
        taken, idle, abstract = self.path(), self.path(), b"\0txemperor-kept-%d" % os.getpid()
        paths = [os.fsencode(taken), os.fsencode(idle), abstract]
        passed = self.adopt({self.listen(socket.AF_UNIX, path): KEPT for path in paths})
        wanted = UnixAddress(os.fsencode(os.path.abspath(taken)))
        found = passed.bound_to(wanted)
        assert found is not None
        self.assertEqual(found[0], wanted)
        found[1].close()
        self.assertEqual(passed.idle(), [])
        passed.close()
        self.assertEqual([os.path.exists(path) for path in (taken, idle)], [True, False])

    def test_both_kinds_left_to_itself(self) -> None:
        """
        The program opens IPv4 and IPv6 apart, and finds each again.
        """
        with socket.socket(socket.AF_INET6) as six:
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                six.bind(("::", 0))
            except OSError as error:
                self.skipTest(f"no :: here: {error}")
            port = six.getsockname()[1]
            six.listen()
            first = os.dup(six.fileno())
        second = self.listen(socket.AF_INET, ("0.0.0.0", port))
        passed = self.adopt({first: KEPT, second: KEPT})
        for host, family in (("", socket.AF_INET), ("::", socket.AF_INET6)):
            found = passed.bound_to(TcpAddress(host, port))
            assert found is not None
            found[1].close()
            self.assertEqual((found[0], found[1].family), (TcpAddress(host, port), family))

    def test_returned(self) -> None:
        """
        The program knows that it was there before.
        """
        environ = {"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": f"web:{KEPT}"}
        self.assertTrue(has_returned(environ, 7))
        self.assertFalse(has_returned(environ, 8))
        self.assertFalse(has_returned({**environ, "LISTEN_FDS": "1"}, 7))
        self.assertFalse(has_returned({**environ, "LISTEN_FDNAMES": "web:"}, 7))
        self.assertFalse(has_returned({}, 7))

    def test_closed(self) -> None:
        """
        When everybody has what it wants, the copies stay.
        """
        number = self.tcp()
        passed = self.adopt({number: ""})
        _, listener = passed.named(PassedSocket(str(number)))
        self.addCleanup(listener.close)
        passed.close()
        self.assertRaises(OSError, os.fstat, number)
        self.assertTrue(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        self.assertEqual(passed.idle(), [])

    def test_where(self) -> None:
        """
        The address of a socket is spelled as in a configuration.
        """
        with socket.socket() as listener:
            listener.bind(("0.0.0.0", 0))
            self.assertEqual(where(listener), TcpAddress("", listener.getsockname()[1]))


class EnvironmentTests(SynchronousTestCase):
    def read(self, pid: int = 7, **environ: str) -> dict[int, str]:
        """
        Which descriptors would be looked at, and their names.
        """
        found: dict[int, str] = {}

        class Noted(PassedSockets):
            def __init__(self, names: dict[int, str] | None = None) -> None:
                found.update(names or {})

        Noted.of_environment(environ, pid)
        return found

    def test_systemd(self) -> None:
        """
        The variables of systemd: for this process, so many, from 3 on.
        """
        self.assertEqual(self.read(LISTEN_PID="7", LISTEN_FDS="2"), {3: "", 4: ""})
        names = self.read(LISTEN_PID="7", LISTEN_FDS="3", LISTEN_FDNAMES="a:b")
        self.assertEqual(names, {3: "a", 4: "b", 5: ""})
        self.assertEqual(self.read(LISTEN_PID="8", LISTEN_FDS="2"), {})
        self.assertEqual(self.read(LISTEN_FDS="2"), {})
        self.assertEqual(self.read(), {})

    def test_initial(self) -> None:
        """
        The variables of the start are there though somebody took them out; on a
        system that does not show them there are those of now.
        """
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"LISTEN_PID=7\0A=b=c\0E=\0broken\0\0")
        found = initial_environment(path)
        self.assertEqual(found, {"LISTEN_PID": "7", "A": "b=c", "E": ""})
        self.assertEqual(initial_environment("/nowhere"), dict(os.environ))
        self.assertEqual(initial_environment().get("PATH"), os.environ.get("PATH"))

    @given(st.text() | st.integers().map(str), st.text())
    def test_any_environment(self, count: str, names: str) -> None:
        """
        Whatever is in them, it is a bounded number of descriptors.
        """
        found = self.read(LISTEN_PID="7", LISTEN_FDS=count, LISTEN_FDNAMES=names)
        self.assertEqual(list(found), list(range(FIRST, FIRST + len(found))))
        self.assertLessEqual(len(found), MOST)
