"""
Tests for L{emperor.vassals.keeping}; with real processes they are in
tests/integration/test_keeper.py.
"""

import os
import socket
from typing import Any

from twisted.internet.error import ProcessExitedAlready
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper.__main__ import NEWS, ORDERS
from emperor.keeper.orders import receive
from emperor.vassals import keeping
from emperor.vassals.keeping import LATENESS, ORPHAN_INTERVAL, Keeper, NotKept
from emperor.wire.keeping import (
    Answer,
    Done,
    Left,
    News,
    NotStarted,
    Over,
    Signal,
    Start,
    Started,
    decode,
    encode,
)
from tests.vassals.test_keptprocess import ReadingClock, Recorder

ORDER = Start(0, "a.ini", "/", ("/bin/true",), (), ())


class FakeKeeper:
    """
    The process of a keeper, whose answers a test writes before it is asked.
    """

    def __init__(self, protocol: Any, orders: int) -> None:
        self.protocol = protocol
        self.orders = socket.socket(fileno=os.dup(orders))
        self.killed = False
        self.pid = 7

    def answers(self, *answers: Answer) -> None:
        self.orders.sendall(b"".join(map(encode, answers)))

    def tells(self, *news: News) -> None:
        self.protocol.childDataReceived(NEWS, b"".join(map(encode, news)))

    def asked(self) -> Any:
        body, descriptors = receive(self.orders)
        for descriptor in descriptors:
            os.close(descriptor)
        return decode(body)

    def signalProcess(self, name: str) -> None:
        if self.killed:
            raise ProcessExitedAlready
        self.killed = name == "KILL"

    def ends(self) -> None:
        self.orders.close()
        self.protocol.processEnded(Failure(ProcessExitedAlready()))


class FakeReactor(ReadingClock):
    """
    One that starts fake keepers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keepers: list[FakeKeeper] = []

    def spawnProcess(self, protocol: Any, *arguments: Any, childFDs: Any, **more: Any) -> Any:
        self.keepers.append(FakeKeeper(protocol, childFDs[ORDERS]))
        return self.keepers[-1]


class KeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.adopting: list[bool] = []
        self.orphans: list[list[int]] = []
        self.patch(keeping, "adopt_orphans", lambda on=True: self.adopting.append(on))
        self.patch(keeping, "kill_children", self.kill_children)
        self.reactor = FakeReactor()
        self.keeper = Keeper(self.reactor, {})
        self.keeper.startService()
        self.addCleanup(self.end)

    def kill_children(self, parent: int, spared: object) -> list[int]:
        return self.orphans.pop(0) if self.orphans else []

    def end(self) -> None:
        self.keeper.stopService()
        for each in self.reactor.keepers:
            each.orders.close()
        self.reactor.read()

    @property
    def process(self) -> FakeKeeper:
        return self.reactor.keepers[-1]

    def start(self) -> Recorder:
        recorder = Recorder()
        with open(os.devnull, "rb") as nothing:
            self.keeper.start(recorder, ORDER, [nothing.fileno()] * 2)
        self.order = self.process.asked()
        return recorder

    def test_dialogue(self) -> None:
        """
        A process is started, signalled, and its end is told.
        """
        self.process.answers(Started(7), Done())
        recorder = self.start()
        self.assertEqual(1, self.order.number)
        assert recorder.transport is not None
        recorder.transport.signalProcess("TERM")
        self.assertEqual(Signal(1, 15), self.process.asked())
        self.reactor.read()
        self.process.tells(Left(1, 0, 0, ""), Over(1))
        self.assertEqual([1, 2, "exited", "ended"], recorder.heard)

    def test_made(self) -> None:
        """
        Whoever wants to change the keeper's process knows it before a vassal
        is started.
        """
        made: list[int] = []
        keeper = Keeper(self.reactor, {}, made.append)
        keeper.startService()
        self.addCleanup(keeper.stopService)
        self.assertEqual([self.process.pid], made)

    def test_same_pid(self) -> None:
        """
        A number that the system gives a second time is another process.
        """
        self.process.answers(Started(7), Started(7))
        first, second = self.start(), self.start()
        self.reactor.read()
        self.process.tells(Left(1, 0, 0, ""), Over(1))
        self.assertEqual(("ended", 2), (first.heard[-1], second.heard[-1]))

    def test_refused(self) -> None:
        """
        A start that is refused says why, and leaves no descriptor open.
        """
        before = os.listdir("/proc/self/fd")
        self.process.answers(NotStarted("no room"), Done())
        self.assertEqual("no room", str(self.assertRaises(NotKept, self.start)))
        self.assertRaises(NotKept, self.start)
        self.assertEqual(before, os.listdir("/proc/self/fd"))

    def test_dead_keeper(self) -> None:
        """
        With the keeper all vassals are dead, when their orphans are; the next
        one is started by another keeper.
        """
        self.process.answers(Started(7))
        recorder = self.start()
        self.reactor.read()
        self.orphans = [[2**30], []]
        self.process.ends()
        self.assertEqual([1, 2], recorder.heard)
        self.reactor.advance(ORPHAN_INTERVAL)
        self.assertEqual([1, 2, "exited", "ended"], recorder.heard)
        self.keeper._be_ready()
        self.assertEqual(2, len(self.reactor.keepers))

    def test_no_answer(self) -> None:
        """
        A keeper that hangs up, or babbles, is killed.
        """
        self.process.orders.close()
        self.assertRaises(NotKept, self.start)
        self.assertTrue(self.process.killed)
        self.process.ends()
        self.keeper._be_ready()
        self.process.protocol.childDataReceived(NEWS, b"\xff" * 8)
        self.assertTrue(self.process.killed)

    def test_news_of_nobody(self) -> None:
        """
        So is one that tells of a process that was never started.
        """
        self.process.tells(Over(5))
        self.assertTrue(self.process.killed)

    def test_dying_keeper(self) -> None:
        """
        While a keeper dies nothing is started, by it or by another one; what
        is signalled is dead anyway.
        """
        self.process.answers(Started(7))
        recorder = self.start()
        self.process.protocol.childDataReceived(NEWS, b"\xff" * 8)
        error = self.assertRaises(NotKept, self.start)
        self.assertIn("about to leave", str(error))
        assert recorder.transport is not None
        recorder.transport.signalProcess("TERM")
        self.assertEqual(1, len(self.reactor.keepers))
        self.process.ends()
        self.reactor.read()
        self.assertEqual("ended", recorder.heard[-1])
        self.keeper._be_ready()
        self.process.answers(Started(8))
        self.assertEqual([], self.start().heard)

    def test_next_keeper(self) -> None:
        """
        What another keeper has started lives on while the orphans of the one
        before are ended.
        """
        self.process.answers(Started(7))
        self.start()
        self.orphans = [[2**30], []]
        self.process.ends()
        self.keeper._be_ready()
        self.process.answers(Started(8))
        second = self.start()
        self.reactor.advance(ORPHAN_INTERVAL)
        self.assertEqual([], second.heard)

    def test_no_room(self) -> None:
        """
        If there is no room for a keeper there is none for a vassal.
        """
        self.process.ends()
        self.patch(self.reactor, "spawnProcess", self.refuse)
        error = self.assertRaises(NotKept, self.start)
        self.assertEqual("no keeper of processes: no room", str(error))

    def refuse(self, *arguments: Any, **more: Any) -> None:
        raise OSError(11, "no room")

    def test_late(self) -> None:
        """
        A keeper that does not leave in the end is killed.
        """
        gone = self.keeper.stopService()
        self.reactor.advance(LATENESS)
        self.assertTrue(self.process.killed)
        self.process.ends()
        self.successResultOf(gone)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_stop(self) -> None:
        """
        To stop is to hang up, and to wait until the keeper has gone.
        """
        gone = self.keeper.stopService()
        self.assertNoResult(gone)
        self.assertRaises(EOFError, self.process.asked)
        self.process.ends()
        self.assertIsNone(self.successResultOf(gone))
        self.assertEqual([True, False], self.adopting)
        self.assertIsNone(self.successResultOf(self.keeper.stopService()))
