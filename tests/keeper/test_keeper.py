"""
Tests for L{emperor.keeper.keeper}; with real processes they are in
tests/integration/test_keeper.py.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper import family as family_module
from emperor.keeper import keeper as module
from emperor.keeper.family import Family
from emperor.keeper.groups import Groups
from emperor.keeper.keeper import BATCH, Keeper
from emperor.keeper.processes import Process
from emperor.wire.keeping import Done, Left, Over, Reader, Signal, encode

CROWD = 3 * BATCH


class KeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        """
        A keeper of many vassals, whose processes are in memory.
        """
        self.orders, theirs = socket.socketpair()
        self.addCleanup(self.orders.close)
        self.addCleanup(theirs.close)
        news, write = os.pipe()
        self.addCleanup(os.close, news)
        self.addCleanup(os.close, write)
        self.news = news
        self.now = 100.0
        self.looks = 0
        self.ours: set[int] | None = set()
        self.left: list[tuple[int, int]] = []
        self.killed: set[int] = set()
        self.processes: dict[int, Process] = {}
        self.patch(module, "look", self.look)
        self.patch(module, "children", lambda pid: self.ours)
        self.patch(module, "_ended_children", lambda: iter(self.left))
        self.patch(family_module, "kill", self.killed.update)
        self.patch(os, "kill", lambda pid, number: None)
        self.patch(time, "monotonic", lambda: self.now)
        self.keeper: Any = Keeper(theirs, write, Groups(""))
        for number in range(1, CROWD + 1):
            family = Family(number, 1000 + number, f"m{number}", 0)
            self.keeper._first[family.pid] = self.keeper._families[number] = family
            self.processes[family.pid] = Process(family.pid, os.getpid(), family.pid, False)

    def look(self) -> dict[int, Process]:
        self.looks += 1
        return self.processes

    def turn(self) -> list[Any]:
        self.now += 1
        self.keeper._reap()
        self.keeper._sweep()
        self.keeper._send()
        try:
            os.set_blocking(self.news, False)
            return list(Reader().feed(os.read(self.news, 2**16)))
        except BlockingIOError:
            return []

    def test_nobody_has_ended(self) -> None:
        """
        The kernel is asked for ended children at the beginning and when it has said
        that there are some; not at each order.
        """
        asked: list[bool] = []

        def ask() -> Iterator[tuple[int, int]]:
            asked.append(True)
            return iter(())

        self.patch(module, "_ended_children", ask)
        deaths, wakeup = os.pipe()
        self.addCleanup(os.close, deaths)
        self.addCleanup(os.close, wakeup)
        self.keeper._poll.register(deaths, select.POLLIN)
        self.keeper._turn(deaths)
        for order in (b"", encode(Signal(1, signal.SIGTERM))):
            if order:
                self.orders.sendall(order)
            else:
                os.write(wakeup, b"\0")
            self.keeper._turn(deaths)
            self.assertEqual(2, len(asked))

    def test_many_are_killed(self) -> None:
        """
        However many are to be killed, their processes are looked for once; of
        their end nothing is told before it has come.
        """
        for number in range(1, CROWD + 1):
            self.assertEqual(Done(), self.keeper._signal(Signal(number, signal.SIGKILL)))
        self.assertEqual(0, self.looks)
        self.assertEqual([], self.turn())
        self.assertEqual((1, set(self.processes)), (self.looks, self.killed))

    def test_many_leave(self) -> None:
        """
        Ends are told some at a time, each vassal's once; nobody is looked for as
        long as the kernel says that nobody is left.
        """
        self.left = [(1000 + number, 0) for number in range(1, CROWD + 1)]
        self.keeper._signal(Signal(1, signal.SIGKILL))
        told: list[Any] = []
        while self.left:
            told += self.turn()
            self.assertEqual(0, self.keeper._pause())
            self.left = self.left[BATCH:]
        told += self.turn()
        numbers = list(range(1, CROWD + 1))
        self.assertEqual(numbers, [each.number for each in told if isinstance(each, Left)])
        self.assertEqual(numbers, [each.number for each in told if isinstance(each, Over)])
        self.assertEqual(0, self.looks)
        self.assertIsNone(self.keeper._pause())

    def test_somebody_is_left(self) -> None:
        """
        What has outlived its vassal is killed until it is gone.
        """
        for unknown in (None, {5}):
            self.ours = unknown
            self.processes = {5: Process(5, os.getpid(), 1001, False)}
            self.left = [(1001, 0)]
            self.assertEqual([Left], [type(each) for each in self.turn()])
            self.assertEqual({5}, self.killed)
            self.left, self.ours, self.processes = [], unknown and set(), {}
            self.assertEqual([Over], [type(each) for each in self.turn()])
            family = Family(1, 1001, "m1", 0)
            self.keeper._first[1001] = self.keeper._families[1] = family
