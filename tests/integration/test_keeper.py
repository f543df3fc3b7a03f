"""
The keeper with real processes: with control groups, where there are any, and
without.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, TestCase

from emperor.keeper.groups import find_place
from emperor.vassals.keeping import Keeper, NotKept
from emperor.vassals.keptprocess import CouldNotBecome
from emperor.wire.keeping import Start
from tests.integration.programs import eventually, marked, reactor

#: Escapes from session, process group, parent and pipe, in different ways.
ESCAPES = {
    "its own session": "setsid sleep 1000 &",
    "a daemon": "(setsid sh -c 'sleep 1000 & sleep 1000 3>&-' </dev/null >/dev/null 2>&1 &)",
    "a daemon without environment": "(env -i PATH=$PATH setsid sleep 1000 &)",
    "a tree": "sh -c 'sh -c \"sleep 1000 & wait\" & wait' &",
}


class KeeperWithoutGroups(Keeper):
    """
    One on a machine that has no control groups.
    """

    arguments = (
        "-P",
        "-c",
        "from emperor.keeper import __main__; __main__.find_place = str; __main__.main()",
    )


class Recorder(ProcessProtocol):
    """
    Writes down what becomes of a process.
    """

    def __init__(self) -> None:
        self.printed = b""
        self.ending: BaseException | None = None
        self.ended: Deferred[None] = Deferred()

    @property
    def pid(self) -> int:
        assert self.transport is not None
        return int(self.transport.pid or 0)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.printed += data

    def processExited(self, reason: Failure) -> None:
        self.ending = reason.value

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)


class KeeperTests(TestCase):
    """
    With control groups.
    """

    timeout = 60
    keeper_class: type[Keeper] = Keeper

    def setUp(self) -> None:
        if self.keeper_class is Keeper and not find_place():
            raise SkipTest("there are no control groups here")
        self.mark = os.urandom(8).hex()
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.keeper = self.keeper_class(reactor, os.environ)
        self.addCleanup(self.keeper.stopService)

    def start(self, script: str, program: str = "/bin/sh", directory: str = "/") -> Recorder:
        """
        Start a shell script.
        """
        recorder = Recorder()
        environ = {"PATH": os.environ["PATH"], "TXEMPEROR_TEST": self.mark}
        order = Start(
            number=0,
            name="a/b.ini",
            directory=directory,
            programs=(program,),
            argv=("-c", script),
            environ=tuple(environ.items()),
        )
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        with open(os.devnull, "rb") as nothing, theirs:
            self.keeper.start(recorder, order, nothing.fileno(), theirs.fileno())
        return recorder

    def processes(self) -> list[int]:
        """
        What runs of all scripts, and has an environment.
        """
        return list(marked(self.mark))

    async def test_start(self) -> None:
        """
        A process has its directory, its session, its signals and nothing but
        its four descriptors; its exit code is told.
        """
        recorder = self.start("pwd; ls /proc/$$/fd; ps -o sid= $$; exit 3", directory="/proc")
        pid = recorder.pid
        await recorder.ended
        self.assertEqual(["/proc", "0", "1", "2", "3", str(pid)], recorder.printed.decode().split())
        self.assertEqual(3, getattr(recorder.ending, "exitCode", None))

    async def test_signals(self) -> None:
        """
        No signal is ignored or blocked that the keeper does not hear.
        """
        recorder = self.start("grep -E '^Sig(Ign|Blk)' /proc/self/status")
        await recorder.ended
        found = {int(word, 16) for word in recorder.printed.decode().split()[1::2]}
        own = 3 << 31  # Two that belong to the C library.
        self.assertEqual({0}, {each & ~own for each in found})

    async def test_no_program(self) -> None:
        """
        Why a program cannot be executed is told.
        """
        recorder = self.start("", program="/no/such/program")
        await recorder.ended
        assert isinstance(recorder.ending, CouldNotBecome)
        self.assertEqual("/no/such/program: No such file or directory", str(recorder.ending))

    async def test_signal(self) -> None:
        """
        A signal ends the first process, and its name is told.
        """
        recorder = self.start("exec sleep 1000")
        assert recorder.transport is not None
        recorder.transport.signalProcess("TERM")
        await recorder.ended
        self.assertEqual(signal.SIGTERM, getattr(recorder.ending, "signal", None))

    async def test_escapes(self) -> None:
        """
        Whatever a vassal has started ends when its first process does, and
        before the vassal is over.
        """
        for what, script in ESCAPES.items():
            if "without" in what and self.keeper_class is not Keeper:
                continue  # It ends with the keeper: see below.
            recorder = self.start(f"{script}\nsleep 0.2\nkill -9 $$")
            await recorder.ended
            self.assertEqual([], self.processes(), what)

    async def test_kill(self) -> None:
        """
        To kill a vassal is to kill all that it has started.
        """
        recorder = self.start("trap '' TERM; sleep 1000 & setsid sleep 1000 & echo; wait; wait")
        await eventually(lambda: recorder.printed, "the script runs")
        assert recorder.transport is not None
        recorder.transport.signalProcess("KILL")
        await recorder.ended
        self.assertEqual([], self.processes())

    async def test_neighbour(self) -> None:
        """
        The end of one vassal does not concern another one's daemons.
        """
        neighbour = self.start("(setsid sleep 1000 &); exec sleep 1000")
        await eventually(lambda: len(self.processes()) == 2, "the neighbour has a daemon")
        recorder = self.start("(setsid sleep 1000 &); exit")
        await recorder.ended
        self.assertEqual(2, len(self.processes()))
        self.assertIsNone(neighbour.ending)

    async def test_stop(self) -> None:
        """
        When the keeper has gone so has everything, even what nobody could
        tell whose it is.
        """
        file = self.place / "pid"
        script = "\n".join(ESCAPES.values())
        self.start(f"{script}\n(env -i setsid sh -c 'echo $$ >{file}; exec sleep 1000' &)\nwait")
        await eventually(lambda: file.exists() and file.read_text(), "the last daemon runs")
        await self.keeper.stopService()
        self.assertEqual([], self.processes())
        self.assertRaises(ProcessLookupError, os.kill, int(file.read_text()), 0)

    async def test_keeper_is_killed(self) -> None:
        """
        If the keeper is killed all that it kept is, and the next start has
        another keeper.
        """
        file = self.place / "pid"
        script = "\n".join(ESCAPES.values())
        recorder = self.start(
            f"{script}\n(env -i setsid sh -c 'echo $$ >{file}; exec sleep 1000' &)\nwait"
        )
        await eventually(lambda: file.exists() and file.read_text(), "the last daemon runs")
        self.keeper._transport.signalProcess("KILL")
        await recorder.ended
        self.assertEqual(signal.SIGKILL, getattr(recorder.ending, "signal", None))
        self.assertEqual([], self.processes())
        self.assertRaises(ProcessLookupError, os.kill, int(file.read_text()), 0)
        again = self.start("exit 4")
        await again.ended
        self.assertEqual(4, getattr(again.ending, "exitCode", None))

    async def test_keeper_hangs(self) -> None:
        """
        A keeper that does not answer is given up.
        """
        self.patch(self.keeper, "answer_limit", 0.2)
        recorder = self.start("exec sleep 1000")
        self.keeper._transport.signalProcess("STOP")
        self.assertRaises(NotKept, self.start, "")
        await recorder.ended
        self.assertEqual([], self.processes())


class WithoutGroupsTests(KeeperTests):
    """
    Without control groups.
    """

    keeper_class = KeeperWithoutGroups
