"""
Tests for L{emperor.proxy.processes}.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from emperor.addresses import UnixAddress
from emperor.config.settings import HttpSettings
from emperor.interfaces import IRouterState, ISubscriptionNews, IVassalNews
from emperor.proxy.listeners import open_listeners
from emperor.proxy.processes import LATENESS, LONGEST_WAIT, STEADY, RouterProcesses
from emperor.proxy.watching import PATIENCE
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.testing.vassals import MemoryProcess, MemorySpawner
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase
from emperor.wire.control import (
    Configure,
    Counts,
    Cut,
    Drain,
    FixedCount,
    Message,
    MessageReader,
    NodeNews,
    Progress,
    Ready,
    RefusalCount,
    Subscriptions,
    VassalNews,
    Vassals,
    Wanted,
    encode,
)
from tests.proxy.dialogue import NODE
from tests.wire.announcements import announcement

WHOLE = Vassals(True, (VassalNews("m", "a", Phase.STARTING, 0, ()),))
CHANGE = Vassals(False, (VassalNews("m", "a", Phase.ACCEPTING, 0, ()),))
ONE, TWO = NodeNews(announcement(key="one")), NodeNews(announcement(key="two"))
GRACE = 5


@implementer(IVassalNews)
class News:
    """
    News that a test makes.
    """

    def __init__(self) -> None:
        self.listeners: list[Callable[[Vassals], object]] = []
        self.woken: list[VassalId] = []

    def wake(self, id: VassalId) -> None:
        self.woken.append(id)

    def whole(self) -> Vassals:
        return WHOLE

    def watch(self, listener: Callable[[Vassals], object]) -> None:
        self.listeners.append(listener)

    def tell(self) -> None:
        for listener in self.listeners:
            listener(CHANGE)


@implementer(ISubscriptionNews)
class SubscriptionNews:
    """
    Nodes that a test subscribes.
    """

    def __init__(self) -> None:
        self.known: list[Subscriptions] = []
        self.listeners: list[Callable[[Subscriptions], object]] = []

    def whole(self) -> Sequence[Subscriptions]:
        return self.known

    def watch(self, listener: Callable[[Subscriptions], object]) -> None:
        self.listeners.append(listener)

    def tell(self, *nodes: NodeNews) -> Subscriptions:
        news = Subscriptions(False, nodes)
        for listener in self.listeners:
            listener(news)
        return news


def told(process: MemoryProcess) -> list[Message]:
    """
    What a process was told since the last time.
    """
    data = process.transport.value()
    process.transport.clear()
    return list(MessageReader(1 << 20).feed(data))


class ProcessesTests(SynchronousTestCase):
    """
    Two processes behind a UNIX socket.
    """

    def setUp(self) -> None:
        self.path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.settings = HttpSettings(listen=(UnixAddress(self.path),), processes=2, to=(NODE,))
        self.order = Configure(self.settings, "machine", GRACE, "epoll")
        self.reactor = MemorySpawner()
        self.news = News()
        self.subscriptions = SubscriptionNews()
        self.rows = open_listeners(self.settings).rows
        self.addCleanup(self.rows[0][0].close)
        self.service = RouterProcesses(
            self.reactor,
            self.order,
            self.rows,
            self.news,
            {"HOME": "/h"},
            subscriptions=self.subscriptions,
            registry=Registry(RegistrySettings()),
            rejected=lambda: {"stale": 1},
        )

    def start(self) -> list[MemoryProcess]:
        self.service.startService()
        return self.reactor.processes

    def stop(self) -> Deferred[None]:
        return ensureDeferred(self.service.stopService())

    def log(self, do: Callable[[], Any]) -> list[str]:
        with capturedLogs() as logs:
            do()
        return [formatEvent(event) for event in logs]

    def test_start(self) -> None:
        """
        Each is told of the vassals before it may serve, and has the sockets.
        """
        one, two = self.start()
        verifyObject(IRouterState, self.service)
        self.assertEqual({"stale": 1}, self.service.rejected())
        self.assertEqual("http", self.service.name)
        for process in (one, two):
            self.assertEqual([WHOLE, self.order], told(process))
            self.assertEqual(["-P", "-m", "emperor.proxy.worker"], process.argv[1:])
            self.assertEqual("/h", process.env["HOME"])
            self.assertIn(sys.path[-1], process.env["PYTHONPATH"])
            self.assertEqual({0, 1, 2, 3, 4}, set(process.fds))
            self.assertEqual(self.rows[0][0].fileno(), process.fds[4])

    def test_news(self) -> None:
        """
        Both hear of each change.
        """
        processes = self.start()
        for process in processes:
            told(process)
        self.news.tell()
        self.assertEqual([[CHANGE], [CHANGE]], [told(process) for process in processes])

    def test_wanted(self) -> None:
        """
        The Emperor hears which vassal a request waits for.
        """
        one, _ = self.start()
        one.link.dataReceived(encode(Wanted("dir:///v", "a.ini")))
        self.assertEqual([VassalId("dir:///v", "a.ini")], self.news.woken)

    def test_subscriptions(self) -> None:
        """
        Each is told of all nodes before it may serve, and of each announcement
        from then on.
        """
        self.subscriptions.known = [Subscriptions(True, (ONE,))]
        processes = self.start()
        for process in processes:
            self.assertEqual([WHOLE, Subscriptions(True, (ONE,)), self.order], told(process))
        news = self.subscriptions.tell(TWO)
        self.assertEqual([[news], [news]], [told(process) for process in processes])

    def test_slow_subscriber(self) -> None:
        """
        One that does not read is told what it missed when it reads again.
        """
        slow, _ = self.start()
        told(slow)
        slow.link.pauseProducing()
        self.subscriptions.tell(ONE, TWO)
        self.subscriptions.tell(ONE)
        self.assertEqual([], told(slow))
        slow.link.resumeProducing()
        self.assertEqual([Subscriptions(False, (TWO, ONE))], told(slow))
        slow.link.resumeProducing()
        self.assertEqual([], told(slow))

    def test_slow_listener(self) -> None:
        """
        What one does not take is not kept for it: it gets the whole later.
        """
        slow, quick = self.start()
        for process in (slow, quick):
            told(process)
        slow.link.pauseProducing()
        self.news.tell()
        self.news.tell()
        self.assertEqual(([], [CHANGE] * 2), (told(slow), told(quick)))
        slow.link.resumeProducing()
        self.assertEqual([WHOLE], told(slow))
        slow.link.resumeProducing()
        self.assertEqual([], told(slow))

    def test_replaced_at_once(self) -> None:
        """
        One that dies is replaced, with the same sockets; the other one stays.
        """
        one, _ = self.start()
        said = self.log(lambda: one.ends(signal=9))
        self.assertIn("http process 1 died after 0.0 s; another one takes its place", said)
        self.reactor.advance(0)
        _, _, new = self.reactor.processes
        self.assertEqual(one.fds[4], new.fds[4])
        self.assertEqual([WHOLE, self.order], told(new))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path)

    def test_keeps_dying(self) -> None:
        """
        The wait doubles while they do not live, and is forgotten when one does.
        """
        self.start()
        waits = []
        for _ in range(7):
            before = self.reactor.seconds()
            count = len(self.reactor.processes)
            self.reactor.last.ends(1)
            while len(self.reactor.processes) == count:
                self.reactor.advance(0.25)
            waits.append(self.reactor.seconds() - before)
        self.assertEqual([0.25, 0.5, 1, 2, 4, LONGEST_WAIT, LONGEST_WAIT], waits)
        self.reactor.advance(STEADY)
        self.reactor.last.ends(1)
        self.reactor.advance(0)
        self.assertEqual(10, len(self.reactor.processes))

    def test_no_room_for_a_process(self) -> None:
        """
        A system that is full is asked again.
        """
        self.reactor.fault = OSError(11, "Resource temporarily unavailable")
        said = self.log(self.service.startService)
        self.assertIn("http process 1 cannot be started: Resource temporarily unavailable", said)
        self.reactor.fault = None
        self.reactor.advance(1)
        self.assertEqual(2, len(self.reactor.processes))

    def test_log(self) -> None:
        """
        What they print is in the log with their name, also the last line.
        """
        one, two = self.start()
        self.assertEqual(["http process 1: hello"], self.log(lambda: one.prints(b"hello\nwor")))
        self.assertIn("http process 1: wor", self.log(lambda: one.ends(1)))
        self.assertEqual(["http process 2: x"], self.log(lambda: two.prints(b"x\n", 2)))

    def test_state(self) -> None:
        """
        A line for each, with what it has counted.
        """
        one, _ = self.start()
        one.link.dataReceived(encode(Ready()) + encode(Counts(7)))
        self.assertEqual(
            [
                "http process 1 is ready (pid 1000, 7 connections)",
                "http process 2 is starting (pid 1001, 0 connections)",
                "http has accepted 7 connections",
            ],
            self.log(self.service.log_state),
        )

    def test_sum(self) -> None:
        """
        What was counted is a sum, also over a process that was replaced.
        """
        one, two = self.start()
        refused = (RefusalCount("node-absent", 2),)
        one.link.dataReceived(encode(Counts(7, refused, 5, open=3)))
        two.link.dataReceived(encode(Counts(1, refused, 1, open=1)))
        together = (RefusalCount("node-absent", 4),)
        self.assertEqual(Counts(8, together, 6, open=4), self.service.counts())
        one.ends(signal=9)
        self.assertEqual(Counts(8, together, 6, open=1), self.service.counts())
        self.reactor.advance(0)
        self.reactor.last.link.dataReceived(encode(Counts(1, open=1)))
        self.assertEqual(Counts(9, together, 6, open=2), self.service.counts())
        self.assertEqual(
            {1001: Counts(1, refused, 1, open=1), 1002: Counts(1, open=1)},
            self.service.counts_by_process(),
        )

    def test_last_words(self) -> None:
        """
        What is read of a process after its end is not counted twice.
        """
        one, _ = self.start()
        one.link.dataReceived(encode(Counts(7)))
        one.ends(1)
        one.link.dataReceived(encode(Counts(8)))
        self.assertEqual(7, self.service.counts().connections)

    def test_nodes(self) -> None:
        """
        What a process tells of the configured nodes is shown.
        """
        one, two = self.start()
        for process in (one, two):
            process.link.dataReceived(encode(Progress(fixed=(FixedCount(0, 2, 0),))))
        (node,) = self.service.fixed()
        self.assertEqual((NODE, 4), (node.node, node.hits))
        self.assertEqual([], list(self.service.pools()))

    def test_stuck(self) -> None:
        """
        One that does not report any more is killed, and replaced; the other one
        is left alone.
        """
        one, two = self.start()
        for process in (one, two):
            process.link.dataReceived(encode(Ready()))

        def pass_time() -> None:
            for _ in range(PATIENCE):
                self.reactor.advance(1)
                two.link.dataReceived(encode(Counts(1)))

        said = self.log(pass_time)
        self.assertEqual((["KILL"], []), (one.signals, two.signals))
        self.assertEqual(
            [
                "http process 1 has not reported for 10 s",
                "http process 1 has not reported for 30 s: it is killed",
            ],
            said,
        )
        one.ends(signal=9)
        self.reactor.advance(0)
        self.assertEqual(3, len(self.reactor.processes))

    def test_file_that_stays(self) -> None:
        """
        The file of a socket where somebody goes on to listen is not removed.
        """
        one, two = self.start()
        self.service.kept = frozenset(self.settings.listen)
        stopping = self.stop()
        self.assertTrue(os.path.exists(self.path))
        one.ends()
        two.ends()
        self.successResultOf(stopping)

    def test_stop(self) -> None:
        """
        It is over when both have left; the port is closed at once, nobody is
        replaced and no timer is left.
        """
        one, two = self.start()
        stopping = self.stop()
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(-1, self.rows[0][0].fileno())
        self.assertEqual([Drain(), Drain()], [told(one)[-1], told(two)[-1]])
        one.ends()
        self.assertNoResult(stopping)
        two.ends()
        self.successResultOf(stopping)
        self.assertEqual([], self.reactor.getDelayedCalls())
        self.assertEqual(2, len(self.reactor.processes))

    def test_cut(self) -> None:
        """
        The impatient can cut requests.
        """
        processes = self.start()
        self.stop()
        self.service.cut()
        self.assertEqual([Cut(), Cut()], [told(process)[-1] for process in processes])

    def test_late(self) -> None:
        """
        One that does not leave is killed, some time after the grace.
        """
        one, two = self.start()
        stopping = self.stop()
        two.ends()
        self.reactor.advance(GRACE + LATENESS - 1)
        self.assertEqual([], one.signals)
        self.reactor.advance(1)
        self.assertEqual(["KILL"], one.signals)
        one.ends(signal=9)
        self.successResultOf(stopping)

    def test_stop_while_one_is_missing(self) -> None:
        """
        One that has just died is not waited for, and not replaced any more.
        """
        one, two = self.start()
        one.ends(1)
        stopping = self.stop()
        two.ends()
        self.successResultOf(stopping)
        self.reactor.advance(100)
        self.assertEqual(2, len(self.reactor.processes))

    def test_hangs_up(self) -> None:
        """
        A process whose link is closed is left to leave by itself.
        """
        one, _ = self.start()
        one.hangs_up()
        self.news.tell()
        self.assertEqual([], one.signals)
        self.assertEqual(2, len(self.reactor.processes))
