"""
Tests for L{emperor.vassals.launcher}.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import replace

from twisted.internet.error import ProcessDone
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.doorways import Doorway
from emperor.config.launchsettings import LaunchSettings
from emperor.config.settings import EmperorSettings
from emperor.testing.vassals import MemoryDoor, MemorySpawner, make_spec
from emperor.vassals.commandline import Program
from emperor.vassals.hooks import Occasion
from emperor.vassals.keptprocess import CouldNotBecome
from emperor.vassals.launcher import PIPE, SOCKETS, Launcher, LaunchFailed
from emperor.vassals.process import OUTPUT_GRACE, Ending
from emperor.vassals.program import NoProgram
from emperor.wire.hooks import Command
from emperor.wire.rights import User
from emperor.wire.vassal import Said


class Listener:
    """
    Writes down what it hears of a process.
    """

    def __init__(self) -> None:
        self.heard: list[object] = []

    def said(self, word: Said) -> None:
        self.heard.append(word)

    def exited(self, ending: Ending) -> None:
        self.heard.append(("exited", str(ending)))

    def over(self, ending: Ending) -> None:
        self.heard.append(("over", str(ending)))


def find(binary: str) -> Program:
    return Program(binary or "/usr/bin/uwsgi")


def find_none(binary: str) -> Program:
    raise NoProgram("there is none")


class LauncherTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemorySpawner()
        self.listener = Listener()

    def launcher(self, **options: object) -> Launcher:
        arguments = {"find": find, **options}
        environ = {"HOME": "/h"}
        return Launcher(self.reactor, EmperorSettings(), environ, self.reactor, **arguments)  # type: ignore[arg-type]

    def test_what_the_vassal_finds(self) -> None:
        """
        Program, arguments, environment, directory and descriptors are those of
        a uWSGI vassal.
        """
        launched = self.launcher().launch(make_spec("a.ini", directory="/tmp"), self.listener)
        process = self.reactor.last
        self.assertEqual(["/usr/bin/uwsgi", "--ini", "a.ini"], process.argv)
        self.assertEqual({"HOME": "/h", "UWSGI_EMPEROR_FD": str(PIPE)}, process.env)
        self.assertEqual("/tmp", process.directory)
        self.assertEqual({0, 1, 2, PIPE}, set(process.fds))
        self.assertEqual(("r", "r"), (process.fds[1], process.fds[2]))
        self.assertEqual(process.pid, launched.pid)

    def test_whose_it_is(self) -> None:
        """
        It is told whose each process is.
        """
        told: list[object] = []
        launcher = self.launcher(told=lambda *each: told.append(each))
        spec = make_spec("a.ini", directory="/tmp")
        launcher.launch(spec, self.listener)
        self.assertEqual([(spec, User(os.geteuid(), os.getegid()))], told)

    def test_without_a_file(self) -> None:
        """
        A vassal without a file has the command line that it is given, and
        inherits its sockets in their order.
        """
        with socket.socket() as one, socket.socket() as two:
            spec = replace(make_spec("x"), arguments=("--set", "a=b"), sockets=(one, two))
            self.launcher().launch(spec, self.listener)
            process = self.reactor.last
            self.assertEqual(["/usr/bin/uwsgi", "--set", "a=b"], process.argv)
            self.assertEqual(one.fileno(), process.fds[SOCKETS])
            self.assertEqual(two.fileno(), process.fds[SOCKETS + 1])
            self.assertEqual({0, 1, 2, PIPE, SOCKETS, SOCKETS + 1}, set(process.fds))

    def test_proxy(self) -> None:
        """
        A vassal that hands its pipe on is asked to leave by a signal as well,
        but for the sake of those who have the pipe not if that is to be gentle.
        """
        launcher = self.launcher(is_proxy=lambda spec: spec.id.name == "p.ini")
        for name, gently, signals in (
            ("p.ini", False, ["INT"]),
            ("p.ini", True, []),
            ("a.ini", False, []),
        ):
            launched = launcher.launch(make_spec(name), self.listener)
            self.reactor.last.says(Said.READY)
            launched.stop(gently)
            self.assertEqual(
                ([2 if gently else 0], signals),
                (self.reactor.last.orders, self.reactor.last.signals),
            )

    def test_door(self) -> None:
        """
        Where the Emperor listens for it, a vassal finds the socket as its
        standard input; without the socket it is not started.
        """
        launcher = self.launcher()
        doorway = Doorway(TcpAddress("127.0.0.1", 9000))
        launcher.launch(make_spec(), self.listener, MemoryDoor(doorway))
        self.assertEqual(MemoryDoor(doorway).listening(), self.reactor.last.fds[0])
        shut = MemoryDoor(doorway, fault="cannot listen")
        error = self.assertRaises(LaunchFailed, launcher.launch, make_spec(), self.listener, shut)
        self.assertEqual("cannot listen", str(error))
        self.assertEqual(1, len(self.reactor.processes))

    def test_hooks(self) -> None:
        """
        The Emperor's commands are run when a vassal has started, and when
        nothing of it is left.
        """
        seen: list[tuple[list[str], int]] = []

        class Recorder:
            def run(self, commands: Sequence[Command], occasion: Occasion) -> None:
                seen.append(([each.name for each in commands], occasion.pid))

        launch = LaunchSettings(stop_hook="/stop", as_emperor=(Command("e", ("e",)),))
        settings = EmperorSettings(launch=launch)
        launcher = Launcher(self.reactor, settings, {}, self.reactor, find=find, hooks=Recorder())
        launcher.launch(make_spec(), self.listener)
        self.assertEqual([(["e"], self.reactor.last.pid)], seen)
        self.reactor.last.leaves()
        self.assertEqual(1, len(seen))
        self.reactor.last.hangs_up()
        self.reactor.last.protocol.processEnded(Failure(ProcessDone(0)))
        self.assertEqual((["vassals-stop-hook"], 0), seen[-1])
        self.assertEqual(("over", "exit code 0"), self.listener.heard[-1])
        launcher.launch(replace(make_spec(), arguments=("--x",)), self.listener)
        self.assertEqual(2, len(seen))

    def test_no_descriptor_stays_open(self) -> None:
        """
        After a start, and after a failed one, we hold no end of the pipe but
        the one that the reactor watches.
        """
        before = os.listdir("/proc/self/fd")
        self.launcher().launch(make_spec(), self.listener)
        self.reactor.fault = OSError(11, "Resource temporarily unavailable")
        self.assertRaises(LaunchFailed, self.launcher().launch, make_spec(), self.listener)
        self.assertEqual(before, os.listdir("/proc/self/fd"))

    def test_no_program(self) -> None:
        """
        A missing program is a failed start that says what is missing.
        """
        launcher = self.launcher(find=find_none)
        error = self.assertRaises(LaunchFailed, launcher.launch, make_spec(), self.listener)
        self.assertEqual("there is none", str(error))

    def test_no_directory(self) -> None:
        """
        So is a missing directory.
        """
        spec = make_spec(directory="/no/such/place")
        error = self.assertRaises(LaunchFailed, self.launcher().launch, spec, self.listener)
        self.assertEqual("/no/such/place: No such file or directory", str(error))

    def test_no_room(self) -> None:
        """
        So is a system that can make no further process.
        """
        self.reactor.fault = OSError(11, "Resource temporarily unavailable")
        error = self.assertRaises(LaunchFailed, self.launcher().launch, make_spec(), self.listener)
        self.assertEqual("/usr/bin/uwsgi: Resource temporarily unavailable", str(error))

    def test_no_descriptors(self) -> None:
        """
        So is a reactor that has no descriptor left for the pipe, and any other
        fault of it.
        """
        self.reactor.pipe_fault = OSError(24, "Too many open files")
        error = self.assertRaises(LaunchFailed, self.launcher().launch, make_spec(), self.listener)
        self.assertEqual("/usr/bin/uwsgi: Too many open files", str(error))
        self.reactor.pipe_fault, self.reactor.fault = None, RuntimeError("odd")
        error = self.assertRaises(LaunchFailed, self.launcher().launch, make_spec(), self.listener)
        self.assertEqual("/usr/bin/uwsgi: odd", str(error))

    def test_output(self) -> None:
        """
        What a vassal prints is logged with its name.
        """
        with capturedLogs() as events:
            self.launcher().launch(make_spec("a.ini"), self.listener)
            self.reactor.last.prints(b"spawned uWSGI master\n", 2)
        self.assertEqual(["a.ini: spawned uWSGI master"], [formatEvent(event) for event in events])


class VassalProcessTests(SynchronousTestCase):
    """
    The life of a process, as the launcher starts it.
    """

    def setUp(self) -> None:
        self.reactor = MemorySpawner()
        self.listener = Listener()
        self.program = "/usr/bin/uwsgi"
        launcher = Launcher(
            self.reactor,
            EmperorSettings(),
            {},
            self.reactor,
            find=self.find,
        )
        self.launched = launcher.launch(make_spec(), self.listener)
        self.process = self.reactor.last

    def find(self, binary: str) -> Program:
        return find(self.program) if self.program else find_none(binary)

    def test_dialogue(self) -> None:
        """
        Words come in, orders go out.
        """
        self.process.says(Said.READY, Said.ACCEPTING)
        self.assertEqual([Said.READY, Said.ACCEPTING], self.listener.heard)
        self.assertTrue(self.launched.reload())
        self.launched.stop()
        self.assertEqual([1, 0], self.process.orders)
        self.assertEqual([], self.process.signals)

    def test_flood(self) -> None:
        """
        A vassal that prints without end waits, but not when it has left.
        """
        self.process.prints(b"y\n" * 1024 * 1024)
        self.assertTrue(self.process.paused)
        self.process.leaves()
        self.assertFalse(self.process.paused)

    def test_silent(self) -> None:
        """
        A program that never spoke is not trusted to read: it cannot reload, and
        to stop it takes a signal.
        """
        self.assertFalse(self.launched.reload())
        self.launched.stop()
        self.assertEqual([0], self.process.orders)
        self.assertEqual(["TERM"], self.process.signals)

    def test_hung_up(self) -> None:
        """
        A program that closed its pipe can only be signalled.
        """
        self.process.says(Said.READY)
        self.process.hangs_up()
        self.assertFalse(self.launched.reload())
        self.launched.stop()
        self.assertEqual(["TERM"], self.process.signals)

    def test_end(self) -> None:
        """
        The end is told once, when all of it has come.
        """
        self.process.ends(code=1)
        self.assertEqual([("exited", "exit code 1"), ("over", "exit code 1")], self.listener.heard)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_others_hold_on(self) -> None:
        """
        A vassal is over when nothing of it is left, whoever has got hold of its
        pipe; until then its last words are waited for.
        """
        self.process.leaves(signal=9)
        self.assertEqual([("exited", "killed by SIGKILL")], self.listener.heard)
        self.reactor.advance(OUTPUT_GRACE / 2)
        self.process.protocol.processEnded(Failure(ProcessDone(0)))
        self.process.says(Said.LOYAL)
        self.assertEqual([Said.LOYAL], self.listener.heard[1:])
        self.assertFalse(self.process.transport.disconnecting)
        self.reactor.advance(OUTPUT_GRACE / 2)
        self.assertTrue(self.process.transport.disconnecting)
        self.process.hangs_up()
        self.assertEqual(("over", "killed by SIGKILL"), self.listener.heard[-1])
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_another_way_to_start(self) -> None:
        """
        If it would be started in another way now, a reload is not enough.
        """
        self.process.says(Said.READY)
        self.assertTrue(self.launched.reload())
        self.program = "/opt/uwsgi"
        self.assertFalse(self.launched.reload())
        self.program = ""
        self.assertFalse(self.launched.reload())

    def test_output_is_held(self) -> None:
        """
        Nor is the output waited for without end.
        """
        self.process.leaves()
        self.reactor.advance(OUTPUT_GRACE)
        self.assertTrue(self.process.transport.disconnecting)
        self.process.hangs_up()
        self.assertEqual(("over", "exit code 0"), self.listener.heard[-1])

    def test_kill(self) -> None:
        """
        To kill a vassal is to kill all of it, and it may be gone already.
        """
        self.launched.kill()
        self.assertEqual(["KILL"], self.process.signals)
        self.process.gone = True
        self.launched.kill()
        self.assertEqual(["KILL"], self.process.signals)

    def test_could_not_become(self) -> None:
        """
        What kept a process from executing its program is how it ended.
        """
        self.process.gone = True
        self.process.protocol.processExited(Failure(CouldNotBecome("/v: Permission denied")))
        self.assertEqual([("exited", "/v: Permission denied")], self.listener.heard)
