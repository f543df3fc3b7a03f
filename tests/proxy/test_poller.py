"""
Many descriptors watched as one.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.main import CONNECTION_DONE
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from emperor.proxy.poller import EVENTS, READABLE, ROUNDS, WRITABLE
from tests.proxy.polling import Far, PollingCase, Recorder


class PollerTests(PollingCase):
    def watched(self) -> tuple[socket.socket, Far, list[int]]:
        """
        A watched socket, its far side, and the events that were reported.
        """
        near, far = socket.socketpair()
        self.addCleanup(near.close)
        events: list[int] = []
        self.poller.watch(near.fileno(), READABLE, events.append)
        return near, self.far(far), events

    def test_reactor(self) -> None:
        """
        The reactor reads it as one descriptor as long as it serves.
        """
        verifyObject(IReadDescriptor, self.poller)
        self.assertEqual(self.clock.readers, {self.poller})
        self.assertEqual(self.poller.logPrefix(), "routers")
        self.poller.connectionLost(Failure(CONNECTION_DONE))

    def test_events(self) -> None:
        """
        An event wakes the reactor and reaches its descriptor, and no other.
        """
        _, far, events = self.watched()
        _, _, others = self.watched()
        self.assertFalse(self.is_ready())
        far.send(b"x")
        self.assertTrue(self.is_ready())
        self.poller.doRead()
        self.assertTrue(events)
        self.assertEqual(others, [])

    def test_change(self) -> None:
        """
        What is waited for can change.
        """
        near, far, events = self.watched()
        self.poller.change(near.fileno(), WRITABLE)
        far.send(b"x")
        self.poller.doRead()
        self.assertEqual(set(events), {WRITABLE})

    def test_forget(self) -> None:
        """
        A descriptor that is forgotten wakes nobody, and can be watched again.
        """
        near, far, events = self.watched()
        self.poller.forget(near.fileno())
        far.send(b"x")
        self.assertFalse(self.is_ready())
        self.poller.watch(near.fileno(), READABLE, events.append)
        self.poller.doRead()
        self.assertTrue(events)

    def test_not_watchable(self) -> None:
        """
        A descriptor that the kernel cannot watch leaves no trace.
        """
        read, write = os.pipe()
        os.close(read)
        os.close(write)
        self.assertRaises(OSError, self.poller.watch, read, READABLE, lambda event: None)
        self.assertNotIn(read, self.poller._ready)

    def test_broken(self) -> None:
        """
        Code that breaks is logged; the other events, and all later work, go on.
        """

        def broken(event: int) -> None:
            near.recv(10)
            raise ZeroDivisionError

        near, far = socket.socketpair()
        self.addCleanup(near.close)
        self.poller.watch(near.fileno(), READABLE, broken)
        _, other, events = self.watched()
        self.far(far).send(b"x")
        other.send(b"x")
        self.poller.doRead()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(events)
        calls: list[str] = []
        self.poller.later(lambda: calls.append("later"))
        self.clock.turn()
        self.assertEqual(calls, ["later"])


class LaterTests(PollingCase):
    def test_outside(self) -> None:
        """
        What is asked for by a timer happens in the reactor's next turn.
        """
        calls: list[str] = []
        self.poller.later(lambda: calls.append("a"))
        self.poller.later(lambda: calls.append("b"))
        self.assertEqual(calls, [])
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.turn()
        self.assertEqual(calls, ["a", "b"])

    def test_within(self) -> None:
        """
        What is asked for by an event happens behind the events at hand, without
        a timer.
        """
        calls: list[str] = []
        near, far = socket.socketpair()
        self.addCleanup(near.close)

        def ready(event: int) -> None:
            near.recv(10)
            self.poller.later(lambda: calls.append("later"))
            calls.append("event")

        self.poller.watch(near.fileno(), READABLE, ready)
        self.far(far).send(b"x")
        self.poller.doRead()
        self.assertEqual(calls, ["event", "later"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """
        What asks for itself again and again leaves the reactor its turns.
        """
        calls: list[str] = []

        def again() -> None:
            if len(calls) < 1000:
                calls.append("again")
                self.poller.later(again)

        self.poller.later(again)
        self.clock.turn()
        self.assertEqual(calls, ["again"])
        self.poller.doRead()
        self.clock.turn()
        self.assertLessEqual(len(calls), 2 + ROUNDS)
        while len(calls) < 1000:
            self.clock.turn()

    def test_broken(self) -> None:
        """
        A call that breaks is logged and does not keep the others.
        """
        calls: list[str] = []
        self.poller.later(lambda: 1 / 0)
        self.poller.later(lambda: calls.append("b"))
        self.clock.turn()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(calls, ["b"])


class FairnessTests(PollingCase):
    def test_rounds(self) -> None:
        """
        A connection that always has bytes leaves the reactor its turns, and
        another one its bytes.
        """
        busy, quiet = Recorder(), Recorder()
        _, far = self.stream(busy)
        _, other = self.stream(quiet)
        busy.on["data"] = lambda recorder: far.send(b"x")
        far.send(b"x")
        other.send(b"hello")
        self.poller.doRead()
        self.assertEqual(quiet.received, b"hello")
        self.assertEqual(len(busy.received), ROUNDS)
        self.assertTrue(self.is_ready())
        busy.on.clear()

    def test_many(self) -> None:
        """
        More connections than fit into one round are all served.
        """
        protocols = [Recorder() for _ in range(EVENTS + 10)]
        for each in [self.stream(protocol)[1] for protocol in protocols]:
            each.send(b"x")
        self.poller.doRead()
        self.assertEqual({each.received for each in protocols}, {b"x"})


class ReuseTests(PollingCase):
    def test_within_events(self) -> None:
        """
        When one connection is closed and another opened while events wait, none
        of them reaches the new one, whatever its number.
        """
        opened: list[Recorder] = []
        victims: list[Any] = []

        def replace(recorder: Recorder) -> None:
            if opened:
                return
            for stream in victims:
                if stream is not recorder.transport:
                    stream.abortConnection()
            for _ in victims:
                opened.append(Recorder())
                near, far = socket.socketpair()
                numbers.append(near.fileno())
                self.stream(opened[-1], (near, far))

        numbers: list[int] = []
        protocols = [Recorder(data=replace) for _ in range(4)]
        fars = []
        for protocol in protocols:
            stream, far = self.stream(protocol)
            victims.append(stream)
            fars.append(far)
        before = [each._socket.fileno() for each in victims]
        for far in fars:
            far.send(b"old")
            far.end()
        self.poller.doRead()
        self.assertEqual(set(numbers) & set(before), set())
        self.assertEqual([each.events for each in opened], [["made"]] * 4)
        self.serve()
        self.assertEqual([each.events for each in opened], [["made"]] * 4)
        self.assertEqual(sum(each.received == b"old" for each in protocols), 1)

    def test_closed_in_the_end(self) -> None:
        """
        The number is free as soon as the events at hand are served.
        """
        stream, _ = self.stream(Recorder())
        number = stream._socket.fileno()
        stream.abortConnection()
        os.fstat(number)
        self.clock.turn()
        self.assertRaises(OSError, os.fstat, number)

    def test_child(self) -> None:
        """
        While a vassal is being started, it has copies of all descriptors: what
        happens to a closed connection does not reach the next one that has its
        number, and wakes nobody.
        """
        for served in (False, True):
            near, far = socket.socketpair()
            copy = os.dup(near.fileno())
            self.addCleanup(os.close, copy)
            number = near.fileno()
            protocol = Recorder()
            stream, other = self.stream(protocol, (near, far))
            if served:
                protocol.on["data"] = lambda each: each.transport.abortConnection()
                other.send(b"x")
            else:
                stream.abortConnection()
            self.serve()
            other.end()
            self.assertFalse(self.is_ready())
            events: list[int] = []
            read, write = os.pipe()
            for each in (read, write):
                self.addCleanup(os.close, each)
            if read != number:
                os.dup2(read, number)
                self.addCleanup(os.close, number)
            self.poller.watch(number, READABLE, events.append)
            self.poller.doRead()
            self.assertEqual(events, [])
            self.poller.forget(number)


class StopTests(PollingCase):
    def test_abort(self) -> None:
        """
        What is open when the poller stops can still be aborted.
        """
        protocol = Recorder()
        stream, far = self.stream(protocol)
        self.poller.stop()
        self.assertEqual(self.clock.readers, set())
        stream.abortConnection()
        self.clock.turn()
        self.assertTrue(protocol.is_lost)
        far.read()
        self.assertTrue(far.ended)

    def test_stop_by_the_last(self) -> None:
        """
        The end of the last connection may end everything.
        """
        protocol = Recorder()
        self.patch(protocol, "connectionLost", lambda reason: self.poller.stop())
        _, far = self.stream(protocol)
        far.socket.close()
        self.poller.doRead()
        self.assertEqual(self.clock.readers, set())
