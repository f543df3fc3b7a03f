"""
Tests for L{emperor.superior.execution}.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.inherited import KEPT, PassedSockets, has_returned
from emperor.superior.execution import CannotStart, Command, again, attempt, environment, move
from emperor.superior.heritage import Passed

NO_SOCKET: Any = None


class EnvironmentTests(SynchronousTestCase):
    """
    What the next program finds.
    """

    def test_nothing_kept(self) -> None:
        """
        There is the pipe at least.
        """
        found = environment({"PATH": "/bin"}, 3, [])
        self.assertEqual(found, {"PATH": "/bin", "UWSGI_EMPEROR_FD": "3"})
        self.assertFalse(has_returned(found, os.getpid()))

    def test_sockets(self) -> None:
        """
        They are passed as systemd does, by this process to itself; a number that
        nobody has is left free, and what is below is not counted.
        """
        passed = [Passed(5, KEPT, NO_SOCKET), Passed(3, "web", NO_SOCKET), Passed(0, "", NO_SOCKET)]
        found = environment({}, 6, passed)
        self.assertEqual(found["LISTEN_PID"], str(os.getpid()))
        self.assertEqual(found["LISTEN_FDS"], "3")
        self.assertEqual(found["LISTEN_FDNAMES"], f"web::{KEPT}")
        self.assertTrue(has_returned(found, os.getpid()))
        self.assertFalse(has_returned(found, os.getpid() + 1))

    def test_standard_input_alone(self) -> None:
        """
        It needs no variables.
        """
        self.assertNotIn("LISTEN_FDS", environment({}, 3, [Passed(0, "", NO_SOCKET)]))


class MoveTests(SynchronousTestCase):
    """
    Descriptors get their numbers.
    """

    @given(st.permutations(range(5)))
    def test_any_order(self, order: list[int]) -> None:
        """
        Whichever number they had before, each leads where it led.
        """
        files = [os.memfd_create(str(number)) for number in range(5)]
        low = min(files)
        try:
            before = [os.fstat(file).st_ino for file in files]
            move({files[place]: files[source] for place, source in enumerate(order)})
            after = [os.fstat(file).st_ino for file in files]
            self.assertEqual(after, [before[source] for source in order])
            self.assertTrue(all(map(os.get_inheritable, files)))
        finally:
            os.closerange(low, max(files) + 1)
            for entry in os.listdir("/proc/self/fd"):
                _close_copy(int(entry), before)


def _close_copy(number: int, inodes: list[int]) -> None:
    """
    An exec would have closed it.
    """
    try:
        if os.fstat(number).st_ino in inodes:
            os.close(number)
    except OSError:
        return


PROGRAM = """
import json, os, socket, sys
pipe = socket.socket(fileno=int(os.environ["UWSGI_EMPEROR_FD"]))
names = {k: v for k, v in os.environ.items() if k.startswith("LISTEN")}
ports = [socket.socket(fileno=n).getsockname()[1] for n in range(3, 3 + int(names["LISTEN_FDS"]))]
told = {"pid": os.getpid(), "names": names, "ports": ports, "cwd": os.getcwd(), "argv": sys.argv}
pipe.sendall(json.dumps(told).encode())
"""


class AgainTests(SynchronousTestCase):
    """
    The whole, in a process of its own.
    """

    def fork(self, command: Command, pipe: socket.socket, passed: list[Passed]) -> int:
        """
        @return: the number of a process that executes the command.
        """
        pid = os.fork()
        if not pid:
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                again(command, pipe.fileno(), passed)
            finally:
                os._exit(9)
        return pid

    def test_again(self) -> None:
        """
        The same process is the next program, in the first directory, with the pipe
        and the sockets.
        """
        emperor, ours = socket.socketpair()
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        for each in (emperor, ours, *listeners):
            self.addCleanup(each.close)
        passed = [Passed(4, KEPT, listeners[0]), Passed(3, "web", listeners[1])]
        folder = os.path.realpath(self.mktemp())
        os.makedirs(folder)
        command = Command(folder, sys.executable, ("-c", PROGRAM, "--ini", "a.ini"))
        pid = self.fork(command, ours, passed)
        self.addCleanup(os.waitpid, pid, 0)
        told = json.loads(emperor.recv(65536))
        self.assertEqual((told["pid"], told["cwd"]), (pid, folder))
        self.assertEqual(told["argv"], ["-c", "--ini", "a.ini"])
        self.assertEqual(told["ports"], [each.getsockname()[1] for each in reversed(listeners)])
        self.assertEqual(told["names"]["LISTEN_PID"], str(pid))
        self.assertEqual(told["names"]["LISTEN_FDNAMES"], f"web:{KEPT}")

    def test_cannot(self) -> None:
        """
        A program that is not there any more ends with an error.
        """
        _, ours = socket.socketpair()
        self.addCleanup(ours.close)
        pid = self.fork(Command("/", "/nowhere/python", ()), ours, [])
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)


class AttemptTests(SynchronousTestCase):
    """
    The command, tried.
    """

    def attempt(self, program: str, patience: float = 30) -> str:
        command = Command("/", sys.executable, ("-c", program, "--ini", "a.ini"))
        return str(self.assertRaises(CannotStart, attempt, command, patience))

    def test_good(self) -> None:
        """
        It is asked to check, with its words and in its directory.
        """
        program = (
            "import os, sys; sys.exit("
            "(sys.argv[1:], os.getcwd()) != (['--ini', 'a.ini', '--check'], '/'))"
        )
        attempt(Command("/", sys.executable, ("-c", program, "--ini", "a.ini")))

    def test_bad(self) -> None:
        """
        What it says last is told.
        """
        self.assertIn("exit code 1: a.ini:1: no", self.attempt("raise SystemExit('a.ini:1: no')"))

    def test_slow(self) -> None:
        """
        It has its time.
        """
        self.assertIn("more than 0.1 s", self.attempt("import time; time.sleep(60)", 0.1))

    def test_missing(self) -> None:
        """
        A program that was removed.
        """
        command = Command("/", "/nowhere/python", ())
        error = self.assertRaises(CannotStart, attempt, command)
        self.assertIn("/nowhere/python cannot be executed: No such file", str(error))


class ReturnTests(SynchronousTestCase):
    """
    What the next program makes of it.
    """

    def test_taken(self) -> None:
        """
        L{PassedSockets} understands the variables.
        """
        found = environment({}, 3, [Passed(999, KEPT, NO_SOCKET)])
        passed = PassedSockets.of_environment(found, os.getpid())
        self.assertEqual(passed.idle(), [])
