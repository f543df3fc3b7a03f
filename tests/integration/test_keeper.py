"""
The keeper with real processes: with control groups, where there are any, and
without.
"""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import socket
import tempfile
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import FailTest, SkipTest, TestCase

from emperor.keeper.groups import find_place
from emperor.vassals import keeping
from emperor.vassals.keeping import Keeper, NotKept
from emperor.vassals.keptprocess import CouldNotBecome
from emperor.wire.hooks import Command, Hooks
from emperor.wire.keeping import PIPE, Start
from emperor.wire.rights import Capabilities, GroupLimit, ResourceLimit, Rights, User
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


class KeeperWithoutNamespaces(Keeper):
    """
    One that is nobody, whom the kernel gives no namespaces.
    """

    arguments = (
        "-P",
        "-c",
        "import os; from emperor.keeper import __main__; os.setuid(65534); __main__.main()",
    )


class KeeperTestCase(TestCase):
    """
    A test with a keeper.
    """

    timeout = 60
    keeper_class: type[Keeper] = Keeper

    def setUp(self) -> None:
        self.mark = os.urandom(8).hex()
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.keeper = self.keeper_class(reactor, os.environ)
        self.addCleanup(self.keeper.stopService)

    def start(
        self,
        script: str,
        program: str = "/bin/sh",
        directory: str = "/",
        rights: Rights | None = None,
        hooks: Hooks | None = None,
        *,
        listens: bool = False,
    ) -> Recorder:
        """
        Start a shell script; C{listens}: with a socket before its pipe.
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
            rights=rights or Rights(),
            hooks=hooks or Hooks(),
            pipe=PIPE + listens,
            listens=listens,
        )
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        with open(os.devnull, "rb") as nothing, theirs, socket.socket() as listening:
            given = [listening.fileno()] if listens else []
            self.keeper.start(recorder, order, [nothing.fileno(), *given, theirs.fileno()])
        return recorder

    def processes(self) -> list[int]:
        """
        What runs of all scripts, and has an environment.
        """
        return list(marked(self.mark))


class KeeperTests(KeeperTestCase):
    """
    With control groups.
    """

    def setUp(self) -> None:
        if self.keeper_class is Keeper and not find_place():
            raise SkipTest("there are no control groups here")
        super().setUp()

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

    async def test_listens(self) -> None:
        """
        A process that gets a socket knows that it is meant, also after hooks, which
        have neither socket nor pipe.
        """
        line = "echo hook $LISTEN_PID; ls /proc/$$/fd"
        hooks = Hooks((), (Command("h", ("sh", "-c", line)),))
        script = "echo $LISTEN_PID; ls /proc/$$/fd"
        recorder = self.start(script, hooks=hooks, listens=True)
        pid = recorder.pid
        await recorder.ended
        expected = ["hook", "0", "1", "2", str(pid), "0", "1", "2", "3", "4"]
        self.assertEqual(expected, recorder.printed.decode().split())

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
        recorder = self.start("exec sleep 1000")
        assert self.keeper._orders is not None
        self.keeper._orders.settimeout(0.2)
        self.keeper._transport.signalProcess("STOP")
        self.assertRaises(NotKept, self.start, "")
        await recorder.ended
        self.assertEqual([], self.processes())

    async def test_hooks(self) -> None:
        """
        Hooks come before the program, in the same process tree, without the
        pipe, and find what is theirs in their environment.
        """
        line = 'echo "$0 $WORD"; ls /proc/self/fd'
        hooks = Hooks(
            (Command("before", ("/bin/sh", "-c", line, "before")),),
            (Command("after", ("sh", "-c", "exit 5"), fatal=False),),
            10,
            (("WORD", "word"),),
        )
        recorder = self.start('echo "program $WORD"', hooks=hooks)
        await recorder.ended
        words = recorder.printed.decode()
        self.assertEqual(["before", "word", "0", "1", "2", "3"], words.split()[:6])
        self.assertIn("after: exit code 5\n", words)
        self.assertTrue(words.endswith("program \n"), words)

    async def test_fatal_hook(self) -> None:
        """
        Without a fatal hook there is no vassal.
        """
        hooks = Hooks((), (Command("the hook", ("false",)),))
        recorder = self.start("echo started", hooks=hooks)
        await recorder.ended
        self.assertEqual(b"", recorder.printed)
        self.assertEqual("the hook: exit code 1", str(recorder.ending))

    async def test_slow_hook(self) -> None:
        """
        A hook that takes too long keeps nobody waiting, and leaves nothing.
        """
        line = "setsid sleep 1000 & exec sleep 1000"
        hooks = Hooks((Command("slow", ("sh", "-c", line)),), (), 0.3)
        slow = self.start("", hooks=hooks)
        quick = self.start("exit")
        await quick.ended
        self.assertIsNone(slow.ending)
        await slow.ended
        self.assertEqual("slow: killed, it took longer than 0.3 s", str(slow.ending))
        self.assertEqual([], self.processes())


class WithoutGroupsTests(KeeperTests):
    """
    Without control groups.
    """

    keeper_class = KeeperWithoutGroups


class RightsTests(KeeperTestCase):
    """
    What a process may do; only root can give and take that.
    """

    def setUp(self) -> None:
        if os.geteuid():
            raise SkipTest("only root can become somebody else")
        super().setUp()

    async def says(self, script: str, rights: Rights) -> list[str]:
        """
        What a script prints that has these rights.
        """
        recorder = self.start(script, rights=rights)
        await recorder.ended
        self.assertNotIsInstance(recorder.ending, CouldNotBecome)
        return recorder.printed.decode().split()

    async def test_user(self) -> None:
        """
        It is its user's, in one group, can do nothing of root's, and dies with
        its parent all the same.
        """
        rights = Rights(User(12345, 12346))
        words = await self.says("id -u; id -G; grep -E '^Cap(Prm|Eff)' /proc/self/status", rights)
        self.assertEqual(["12345", "12346"], words[:2])
        self.assertEqual(["0000000000000000"] * 2, words[3::2])
        recorder = self.start("exec sleep 1000", rights=rights)
        self.keeper._transport.signalProcess("KILL")
        await recorder.ended
        self.assertEqual([], self.processes())

    async def test_dies_with_the_keeper(self) -> None:
        """
        The kernel itself kills it when the keeper is killed, also if it has
        become somebody else.
        """
        self.patch(keeping, "kill_children", lambda *_: [])
        for user in (None, User(12345, 12345)):
            recorder = self.start("echo; exec sleep 1000", rights=Rights(user))
            await eventually(lambda: recorder.printed, "it runs")  # noqa: B023
            self.keeper._transport.signalProcess("KILL")
            await recorder.ended
            await eventually(lambda: not self.processes(), "it is killed")

    async def test_groups(self) -> None:
        """
        If asked it is in all groups that the system knows for its user.
        """
        entry = next(each for each in pwd.getpwall() if each.pw_uid and each.pw_gid)
        gid = entry.pw_gid + 1
        words = await self.says("id -G", Rights(User(entry.pw_uid, gid, with_groups=True)))
        wanted = {gid, *os.getgrouplist(entry.pw_name, entry.pw_gid)}
        self.assertEqual(wanted, set(map(int, words)))
        words = await self.says("id -G", Rights(User(12345, 12346, with_groups=True)))
        self.assertEqual(["12346"], words)

    async def test_limits(self) -> None:
        """
        Limits are set; a user gets never more than the program has.
        """
        limits = (ResourceLimit("nofile", 2**40), ResourceLimit("core", 4096))
        highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        rights = Rights(User(12345, 12345), resources=limits)
        words = await self.says("ulimit -Hn; ulimit -Hc; ulimit -Sc", rights)
        self.assertEqual([str(highest), "8", "8"], words)

    async def test_capabilities(self) -> None:
        """
        Root keeps the capabilities that are named, and the one to give up more.
        """
        rights = Rights(capabilities=Capabilities((6, 7)))
        words = await self.says("grep -E '^Cap(Bnd|Eff)' /proc/self/status", rights)
        self.assertEqual({(1 << 6) | (1 << 7) | (1 << 8)}, {int(each, 16) for each in words[1::2]})

    async def test_namespaces(self) -> None:
        """
        In namespaces of its own it is process 1, and all of it ends with it.
        """
        rights = Rights(namespaces=("pid", "uts", "mount", "ipc", "net"))
        script = "(setsid sleep 1000 &); echo $$; hostname inside; hostname; ls /proc/self/ns"
        recorder = self.start(f"{script}; exec sleep 1000", rights=rights)
        try:
            await eventually(lambda: b"uts" in recorder.printed, "it runs")
        except FailTest:
            raise SkipTest(f"no namespaces here: {recorder.ending}") from None
        self.assertEqual([b"1", b"inside"], recorder.printed.split()[:2])
        self.assertNotEqual("inside", socket.gethostname())
        assert recorder.transport is not None
        recorder.transport.signalProcess("KILL")
        await recorder.ended
        self.assertEqual([], self.processes())

    async def test_no_namespaces(self) -> None:
        """
        Where they are forbidden there is no process, and it says so.
        """
        await self.keeper.stopService()
        self.keeper = KeeperWithoutNamespaces(reactor, os.environ)
        self.addCleanup(self.keeper.stopService)
        error = self.assertRaises(NotKept, self.start, "", rights=Rights(namespaces=("pid",)))
        self.assertIn("emperor-use-clone): Operation not permitted", str(error))

    async def test_limit_that_cannot_be_had(self) -> None:
        """
        Without control groups a limit of theirs is missed aloud, once.
        """
        await self.keeper.stopService()
        self.keeper = KeeperWithoutGroups(reactor, os.environ)
        self.addCleanup(self.keeper.stopService)
        rights = Rights(group=(GroupLimit("memory.max", "5"),))
        with capturedLogs() as events:
            for _ in range(2):
                await self.says("exit", rights)
            await self.keeper.stopService()
        texts = [formatEvent(event) for event in events if event["log_level"].name == "warn"]
        self.assertEqual(
            [
                "Keeper of processes: vassals run without memory.max: control groups (cgroup v2) "
                "cannot be used here"
            ],
            texts,
        )
