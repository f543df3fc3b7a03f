"""
The keeper: the parent of all vassals.

Every process that comes from a vassal stays below the keeper, for the kernel
gives it those whose parents have gone.  So when a vassal's first process ends,
what is left of it is found and killed (L{emperor.keeper.family}); and when the
program is gone, however it went, all that is below the keeper is.  If the keeper
itself is killed, so are the first processes, at the same moment; what is left of
their families then comes to the program, which ends them.

It takes one order after the other and answers each at once.  A fork of so
small a process takes a fraction of a millisecond, where one of the program with
its routers would hold up requests for several.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from socket import socket

from emperor.keeper.child import REPORT_LIMIT, become
from emperor.keeper.family import Family, find_members, kill_children
from emperor.keeper.groups import Group, Groups, NoLimit
from emperor.keeper.kernel import fork
from emperor.keeper.orders import receive
from emperor.keeper.processes import Process, Table, children, look
from emperor.wire.keeping import (
    FEWEST,
    Answer,
    BadKeeping,
    Done,
    Left,
    News,
    NotStarted,
    Order,
    Over,
    Signal,
    Start,
    Started,
    decode,
    encode,
)
from emperor.wire.rights import GroupLimit

#: Seconds between two looks for what outlives its vassal.
SWEEP_INTERVAL = 0.05

#: Ends of processes, and vassals in control groups, that are looked at before orders
#: are taken again: each may take a millisecond.
BATCH = 16

#: Seconds between two looks at the end, and how many there are.
LAST_INTERVAL = 0.01
LAST_LOOKS = 500

#: What may be sent to a whole group of processes, and is for the program to decide.
_NOT_OURS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class CannotStart(Exception):
    """
    There is no process; the text says why.
    """


class Keeper:
    """
    Starts vassals and sees to their end.
    """

    def __init__(self, orders: socket, news: int, groups: Groups) -> None:
        """
        @param orders: where orders come and answers go; its end is ours.
        @param news: a pipe for what happens.
        """
        self._orders = orders
        self._news = news
        self._groups = groups
        self._first: dict[int, Family] = {}
        self._families: dict[int, Family] = {}
        # Those whose first process has gone; those that the program wants killed;
        # and what is left of this sweep, with whether it had gone.
        self._ended: list[Family] = []
        self._condemned: list[Family] = []
        self._round: list[tuple[Family, bool]] = []
        # Whether children may have ended.  It is not asked without a reason: to see that
        # none has the kernel looks at all of them.
        self._has_more = True
        # What does not do to us what it does to others.
        self._unheard: frozenset[signal.Signals] = frozenset()
        self._reports: dict[int, Family] = {}
        self._missed: set[str] = set()
        self._next_sweep = 0.0
        self._unsent = bytearray()
        self._poll = select.poll()
        self._poll.register(orders, select.POLLIN)

    def run(self) -> None:
        """
        Serve until the program has gone, then end everything.
        """
        deaths, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(deaths, False)
        os.set_blocking(self._news, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        for number in _NOT_OURS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._unheard = frozenset(
            number
            for number in signal.valid_signals()
            if signal.getsignal(number) is not signal.SIG_DFL
        )
        self._poll.register(deaths, select.POLLIN)
        with suppress(EOFError, ConnectionError):
            while True:
                self._turn(deaths)
        self._end()

    def _turn(self, deaths: int) -> None:
        for descriptor, _ in self._poll.poll(self._pause()):
            if descriptor == deaths:
                with suppress(BlockingIOError):
                    os.read(deaths, 4096)
                self._has_more = True
            elif descriptor == self._orders.fileno():
                self._take_order()
            elif descriptor in self._reports:
                self._read_report(descriptor)
        if self._has_more:
            self._reap()
        self._sweep()
        self._send()

    def _pause(self) -> float | None:
        """
        Milliseconds until there is something to do without being told.
        """
        if self._round or self._has_more:
            return 0
        waits = self._ended or self._condemned
        return max(0.0, self._next_sweep - time.monotonic()) * 1000 if waits else None

    # Orders:

    def _take_order(self) -> None:
        body, descriptors = receive(self._orders)
        try:
            order: Order = decode(body)
            answer = self._obey(order, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._orders.sendall(encode(answer))

    def _obey(self, order: Order, descriptors: list[int]) -> Answer:
        if isinstance(order, Signal):
            return self._signal(order)
        fewest = max(FEWEST, order.pipe + 1)
        if len(descriptors) < fewest:
            raise BadKeeping(f"{len(descriptors)} descriptors; this vassal has {fewest} or more")
        try:
            return Started(self._start(order, descriptors))
        except CannotStart as error:
            return NotStarted(str(error))

    def _start(self, order: Start, descriptors: list[int]) -> int:
        keeper, mark = os.getpid(), os.urandom(8).hex()
        pipe = os.fstat(descriptors[order.pipe])
        inode = pipe.st_ino if stat.S_ISSOCK(pipe.st_mode) else 0
        group = self._groups.make(order.name)
        for limit in order.rights.group:
            self._limit(group, limit)
        report, write = os.pipe()
        # A signal that comes before the child hears signals waits for it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self._unheard)
        try:
            pid = fork(order.rights.namespaces)
            if pid == 0:
                become(order, descriptors, write, keeper=keeper, mark=mark, group=group)
        except OSError as error:
            os.close(report)
            if group is not None:
                group.remove()
            raise CannotStart(_why(order, error)) from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(write)
        family = Family(order.number, pid, mark, inode, group)
        self._first[pid] = self._reports[report] = self._families[order.number] = family
        self._poll.register(report, select.POLLIN)
        return pid

    def _limit(self, group: Group | None, limit: GroupLimit) -> None:
        """
        Limit a group; what cannot be had is told once.
        """
        try:
            self._groups.limit(group, limit)
        except NoLimit as error:
            if limit.file not in self._missed:
                self._missed.add(limit.file)
                print(f"vassals run without {limit.file}: {error}", file=sys.stderr, flush=True)

    def _signal(self, order: Signal) -> Answer:
        family = self._families.get(order.number)
        if family is not None:
            # A child that is not reaped: its number is not another one's.
            with suppress(ProcessLookupError, PermissionError):
                os.kill(family.pid, order.signal)
            if order.signal == signal.SIGKILL:
                self._condemned.append(family)
        return Done()

    def _read_report(self, descriptor: int) -> None:
        """
        Hear that the program is being executed, or why it is not.
        """
        family = self._reports.pop(descriptor)
        self._poll.unregister(descriptor)
        family.trouble = os.fsdecode(os.read(descriptor, REPORT_LIMIT))
        os.close(descriptor)

    # Ends:

    def _reap(self) -> None:
        ended = list(islice(_ended_children(), BATCH))
        self._has_more = len(ended) == BATCH
        for pid, status in ended:
            family = self._first.pop(pid, None)
            if family is None:
                continue
            for descriptor in [each for each, of in self._reports.items() if of is family]:
                self._read_report(descriptor)
            del self._families[family.number]
            family.left = True
            self._ended.append(family)
            self._tell(_left(family, status))

    def _sweep(self) -> None:
        """
        Kill what has outlived its vassal, until nothing of it is left; and all of
        those that were condemned.
        """
        began = time.monotonic()
        if not self._round:
            if began < self._next_sweep or not (self._ended or self._condemned):
                return
            self._round = [(family, False) for family in self._condemned]
            self._round += [(family, True) for family in self._ended]
            self._condemned, self._ended = [], []
        # Without groups one look is for all; with them each family takes its time.
        size = BATCH if self._groups.path else len(self._round)
        batch, self._round = self._round[:size], self._round[size:]
        self._end_families(batch)
        now = time.monotonic()
        self._next_sweep = now + max(SWEEP_INTERVAL, now - began)

    def _end_families(self, batch: list[tuple[Family, bool]]) -> None:
        # One that has gone since it was condemned is among the others as well.
        batch = [(family, gone) for family, gone in batch if gone or not family.left]
        found = self._members([family for family, _ in batch if family.group is None])
        for family, gone in batch:
            lives = family.kill(found.get(family.number, ()))
            if gone and lives:
                self._ended.append(family)
            elif gone:
                self._bury(family)

    def _bury(self, family: Family) -> None:
        self._tell(Over(family.number))
        if family.group is not None:
            family.group.remove()

    def _members(self, families: list[Family]) -> dict[int, list[int]]:
        """
        Look for the processes of families without groups, if there can be any.
        """
        if not families:
            return {}
        if all(family.left for family in families):
            ours = children(os.getpid())
            # What came from a process that has gone is a child of ours by now.
            if ours is not None and ours <= self._first.keys():
                return {}
        table = look()
        return find_members(families, table, self._adopted(table))

    def _adopted(self, table: Table) -> Iterator[Process]:
        keeper = os.getpid()
        for process in table.values():
            if process.parent == keeper and process.pid not in self._first and not process.dead:
                yield process

    def _end(self) -> None:
        """
        Kill everybody.
        """
        for _ in range(LAST_LOOKS):
            for _pid, _status in _ended_children():
                pass
            if not kill_children(os.getpid()):
                break
            select.select([], [], [], LAST_INTERVAL)
        self._groups.remove()

    # News:

    def _tell(self, news: News) -> None:
        self._unsent += encode(news)

    def _send(self) -> None:
        if not self._unsent:
            return
        with suppress(BlockingIOError):
            del self._unsent[: os.write(self._news, self._unsent)]
        if self._unsent:
            self._poll.register(self._news, select.POLLOUT)
        else:
            with suppress(KeyError):
                self._poll.unregister(self._news)


def _ended_children() -> Iterator[tuple[int, int]]:
    """
    Children that have ended, reaped, and how they did.
    """
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _why(order: Start, error: OSError) -> str:
    if not order.rights.namespaces:
        return f"no process: {error.strerror}"
    return (
        f"no process with namespaces of its own ({', '.join(order.rights.namespaces)}, "
        f"emperor-use-clone): {error.strerror}"
    )


def _left(family: Family, status: int) -> Left:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
    return Left(family.number, code, number, family.trouble)
