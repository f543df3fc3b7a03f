"""
The data plane's own stream transport.
"""

from __future__ import annotations

import gc
import os
import socket
import struct
import weakref
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from typing import cast
from unittest.mock import Mock

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.protocols.basic import FileSender
from twisted.trial.unittest import TestCase

from emperor.interfaces import IStream
from emperor.proxy.transport import READ_SIZE, WRITE_LIMIT, Stream
from tests.proxy.contract import MEGABYTE, StreamContract
from tests.proxy.polling import (
    HalfRecorder,
    PollingCase,
    PollingMixin,
    Recorder,
    Source,
    open_descriptors,
    shrink,
    tcp_pair,
)


class _OwnContract(PollingMixin, StreamContract):
    def setUp(self) -> None:
        self.start_poller()

    async def adopt(self, near: socket.socket, protocol: Protocol) -> IStream:
        stream = Stream(self.poller, near, near.family, near.getpeername())
        cast(TestCase, self).addCleanup(stream.abortConnection)
        stream.start(protocol, read=False)
        return stream

    async def until(self, done: Callable[[], object]) -> None:
        self.serve_until(done)

    async def turns(self) -> None:
        self.serve()


class UnixContractTests(_OwnContract, TestCase):
    """
    The contract on UNIX sockets.
    """

    is_tcp = False


class TcpContractTests(_OwnContract, TestCase):
    """
    The contract on TCP.
    """

    is_tcp = True


class WriteTests(PollingCase):
    def test_at_once(self) -> None:
        """
        What the kernel takes is on its way when C{write} returns.
        """
        stream, far = self.stream(Recorder())
        stream.write(b"hello")
        self.assertEqual(far.read(), b"hello")

    def test_blocking_socket(self) -> None:
        """
        A socket need not be non-blocking: nothing waits.
        """
        near, far = socket.socketpair()
        self.assertTrue(near.getblocking())
        stream, other = self.stream(Recorder(), (near, far), read=True)
        stream.write(MEGABYTE)
        self.serve_until(lambda: len(other.read()) == len(MEGABYTE))

    def test_failed(self) -> None:
        """
        When a node closes without reading, its answer is still delivered and
        the end is no clean one; what is written meanwhile is dropped.
        """
        for paused in (False, True):
            protocol = Recorder()
            stream, far = self.stream(protocol)
            if paused:
                stream.pauseProducing()
            far.send(b"answer")
            far.socket.close()
            stream.write(b"request")
            stream.write(b"body")
            if paused:
                self.serve()
                self.assertEqual(protocol.events, ["made"])
                stream.resumeProducing()
            self.serve()
            self.assertEqual(protocol.received, b"answer")
            self.assertEqual(protocol.reasons, [ConnectionLost])

    def test_failed_later(self) -> None:
        """
        The same when it closes while bytes are waiting for it; the producer is
        not left paused.
        """
        protocol = HalfRecorder()
        stream, far = self.stream(protocol)
        source = Source()
        stream.registerProducer(source, True)
        stream.write(MEGABYTE)
        stream.pauseProducing()
        far.send(b"answer")
        far.socket.close()
        self.serve()
        self.assertEqual(source.told, ["pause", "resume"])
        stream.resumeProducing()
        self.serve()
        self.assertEqual(protocol.received, b"answer")
        self.assertEqual(protocol.reasons, [ConnectionLost])
        self.assertEqual(protocol.nested, [])

    def test_failed_behind_end(self) -> None:
        """
        Without anything left to read, a failed write ends the connection.
        """
        protocol = HalfRecorder()
        stream, far = self.stream(protocol)
        far.end()
        self.serve()
        far.socket.close()
        stream.write(b"answer")
        self.serve()
        self.assertEqual(protocol.events, ["made", "read ended", "lost"])
        self.assertEqual(protocol.reasons, [ConnectionLost])

    def test_failed_then_end(self) -> None:
        """
        When nothing can be written any more, the peer's end is the connection's
        also for those who could bear it half-closed.
        """
        protocol = HalfRecorder()
        stream, far = self.stream(protocol)
        far.socket.shutdown(socket.SHUT_RD)
        stream.write(b"request")
        far.send(b"answer")
        far.end()
        self.serve()
        self.assertEqual(protocol.events, ["made", "data", "lost"])
        self.assertEqual(protocol.reasons, [ConnectionLost])

    def test_close_after_failed(self) -> None:
        """
        Who closes after a failed write does not wait for the peer.
        """
        protocol = Recorder()
        stream, far = self.stream(protocol)
        far.socket.shutdown(socket.SHUT_RD)
        stream.write(b"request")
        self.serve()
        self.assertEqual(protocol.events, ["made"])
        stream.loseConnection()
        self.serve()
        self.assertEqual(protocol.reasons, [ConnectionLost])

    def test_limit(self) -> None:
        """
        The producer is paused once, by the first byte over the limit.
        """
        stream, far = self.stream(Recorder())
        stream.write(MEGABYTE)  # the socket is full from here
        self.serve()
        source = Source()
        stream.registerProducer(source, True)
        far.read()
        self.serve_until(lambda: len(far.read()) == len(MEGABYTE))
        while not stream._kept:
            stream.write(b"x")
        stream.write(b"x" * (WRITE_LIMIT - stream._kept_size))
        self.assertEqual(source.told, [])
        stream.write(b"x")
        stream.write(b"x")
        self.assertEqual(source.told, ["pause"])

    def test_limit_of_the_rest(self) -> None:
        """
        Only what still waits counts: a peer that has taken nearly everything is
        no reason for a pause.
        """
        near, far = socket.socketpair()
        shrink(near)
        stream, other = self.stream(Recorder(), (near, far))
        stream.write(MEGABYTE)
        self.serve_until(lambda: len(other.read(1000)) > len(MEGABYTE) - WRITE_LIMIT)
        source = Source()
        stream.registerProducer(source, True)
        stream.write(b"x")
        self.assertTrue(stream._kept)
        self.assertEqual(source.told, [])

    def test_taken(self) -> None:
        """
        It is known how much a slow peer has taken of what was kept for it.
        """
        stream, far = self.stream(Recorder())
        stream.write(MEGABYTE)
        kept = stream._kept_size
        self.assertEqual(stream.taken, 0)
        self.serve_until(lambda: bool(far.read()) and not stream._kept)
        self.assertEqual(stream.taken, kept)

    def test_write_half_twice(self) -> None:
        """
        The sending half is closed once.
        """
        protocol = HalfRecorder()
        stream, far = self.stream(protocol)
        stream.loseWriteConnection()
        self.assertEqual(protocol.events, ["made"])
        self.serve()
        stream.loseWriteConnection()
        self.serve()
        self.assertEqual(protocol.events, ["made", "write ended"])
        far.read()
        self.assertTrue(far.ended)

    def test_write_half_then_unregister(self) -> None:
        """
        That a producer leaves does not close the sending half once more.
        """
        protocol = HalfRecorder()
        stream, _ = self.stream(protocol)
        stream.registerProducer(Source(), True)
        stream.loseWriteConnection()
        self.serve()
        stream.unregisterProducer()
        self.serve()
        self.assertEqual(protocol.events, ["made", "write ended"])

    def test_write_half_with_producer(self) -> None:
        """
        The sending half stays open until the producer has sent its file.
        """
        protocol = HalfRecorder()
        stream, far = self.stream(protocol)
        FileSender().beginFileTransfer(BytesIO(MEGABYTE), stream)
        stream.loseWriteConnection()
        self.serve_until(lambda: far.read() is None or far.ended)
        self.serve()
        self.assertTrue(far.got == MEGABYTE)
        self.assertEqual(protocol.events, ["made", "write ended"])

    def test_many_writes_in_a_pull(self) -> None:
        """
        A producer that writes twice when it is asked is asked as often as one
        that writes once.
        """

        def resumed() -> None:
            stream.write(b"a")
            stream.write(b"b")

        stream, _ = self.stream(Recorder())
        source = Source(resumed)
        stream.registerProducer(source, False)
        for turns in range(1, 8):
            self.assertEqual(len(source.told), turns)
            self.clock.turn()

    def test_broken_pull(self) -> None:
        """
        A producer that breaks when it is asked for more loses the connection.
        """
        protocol = Recorder()
        stream, _ = self.stream(protocol)
        source = Source(lambda: stream.write(b"%d" % (100 // (2 - len(source.told)))))
        stream.registerProducer(source, False)
        self.assertFalse(protocol.is_lost)
        self.serve()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(protocol.reasons, [ConnectionAborted])


class ReadTests(PollingCase):
    def test_with_accept(self) -> None:
        """
        Bytes that came before the connection was accepted need no wait.
        """
        pair = socket.socketpair()
        pair[1].sendall(b"request")
        protocol = Recorder()
        self.stream(protocol, pair, read=True)
        self.assertEqual(protocol.received, b"request")

    def test_nothing_yet(self) -> None:
        """
        A client that has not sent anything yet is waited for.
        """
        protocol = Recorder()
        _, far = self.stream(protocol, read=True)
        far.send(b"request")
        self.serve()
        self.assertEqual(protocol.received, b"request")

    def test_pause_with_accept(self) -> None:
        """
        Who pauses when the connection is made gets nothing, and later all.
        """
        pair = socket.socketpair()
        pair[1].sendall(b"request")
        protocol = Recorder(made=lambda recorder: recorder.transport.pauseProducing())
        stream, _ = self.stream(protocol, pair, read=True)
        self.serve()
        self.assertEqual(protocol.received, b"")
        stream.resumeProducing()
        self.serve()
        self.assertEqual(protocol.received, b"request")

    def test_lost_with_accept(self) -> None:
        """
        A connection can be closed in its first call.
        """
        protocol = Recorder(made=lambda recorder: recorder.transport.loseConnection())
        self.stream(protocol, read=True)
        self.assertEqual(protocol.events, ["made"])
        self.serve()
        self.assertEqual(protocol.events, ["made", "lost"])
        self.assertEqual(protocol.nested, [])

    def test_broken_with_accept(self) -> None:
        """
        A protocol that breaks in its first calls loses its connection.
        """
        for call in ("made", "data"):
            pair = socket.socketpair()
            pair[1].sendall(b"request")
            protocol = Recorder(**{call: lambda recorder: 1 / 0})
            self.stream(protocol, pair, read=True)
            self.serve()
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
            self.assertEqual(protocol.reasons, [ConnectionAborted])

    def test_one_event(self) -> None:
        """
        The last bytes and the end come together, and after a whole read's worth
        of bytes too.
        """
        for size in (1, READ_SIZE - 1, READ_SIZE, READ_SIZE + 1):
            near, far = socket.socketpair()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * READ_SIZE)
            protocol = HalfRecorder()
            stream, other = self.stream(protocol, (near, far))
            reads = Mock(side_effect=stream._recv)
            stream._recv = reads
            other.send(bytes(size))
            other.end()
            self.poller.doRead()
            self.assertEqual(len(protocol.received), size)
            self.assertEqual(protocol.events, ["made", "data", "read ended"])
            self.assertEqual(reads.call_count, 1 if size < READ_SIZE else 2)

    def test_resume_behind_end(self) -> None:
        """
        The end is told once, even if it is read on behind it.
        """
        protocol = HalfRecorder()
        stream, far = self.stream(protocol)
        far.end()
        self.serve()
        stream.resumeProducing()
        self.serve()
        self.assertEqual(protocol.events, ["made", "read ended"])

    def test_pause_is_quiet(self) -> None:
        """
        A paused connection with bytes does not wake the program again and again.
        """
        stream, far = self.stream(Recorder())
        stream.pauseProducing()
        far.send(b"x")
        self.assertTrue(self.is_ready())
        self.poller.doRead()
        self.assertFalse(self.is_ready())

    def test_end_is_quiet(self) -> None:
        """
        Neither does one whose peer has ended its half, or is gone.
        """
        stream, far = self.stream(HalfRecorder())
        far.end()
        self.serve()
        self.assertFalse(self.is_ready())
        stream.write(MEGABYTE)
        far.socket.close()
        self.serve()
        self.assertFalse(self.is_ready())

    def test_pause_within_events(self) -> None:
        """
        A connection that another one pauses in the same turn gets nothing.
        """
        protocols: list[Recorder] = []
        streams: list[Stream] = []

        def pause_others(protocol: Recorder) -> None:
            for each in streams:
                if each is not protocol.transport:
                    each.pauseProducing()

        fars = []
        for _ in range(3):
            protocol = Recorder(data=pause_others)
            stream, far = self.stream(protocol)
            protocols.append(protocol)
            streams.append(stream)
            fars.append(far)
        for far in fars:
            far.send(b"x")
        self.serve()
        self.assertEqual(sum(len(each.received) for each in protocols), 1)
        for stream in streams:
            stream.resumeProducing()
            self.serve()
        self.assertEqual([each.received for each in protocols], [b"x"] * 3)

    def test_resume_within_pause(self) -> None:
        """
        To pause and resume at once changes nothing.
        """
        protocol = Recorder()
        stream, far = self.stream(protocol)
        far.send(b"x")
        stream.pauseProducing()
        stream.resumeProducing()
        self.serve()
        self.assertEqual(protocol.received, b"x")


class EndTests(PollingCase):
    def test_never_nested(self) -> None:
        """
        However a protocol ends its connection, it hears of it later.
        """

        def lose_half(recorder: Recorder) -> None:
            recorder.transport.loseWriteConnection()
            recorder.transport.loseConnection()

        ends: list[Callable[[Recorder], object]] = [
            lambda recorder: recorder.transport.loseConnection(),
            lambda recorder: recorder.transport.abortConnection(),
            lose_half,
        ]
        for end in ends:
            for call in ("made", "data", "read ended"):
                protocol = HalfRecorder(**{call: end})
                _, far = self.stream(protocol)
                far.send(b"x")
                far.end()
                self.serve()
                self.assertEqual(protocol.nested, [])
                self.assertEqual(protocol.events[-2:], [call, "lost"])

    def test_outside(self) -> None:
        """
        A connection that is ended by a timer ends in the reactor's next turn.
        """
        protocol = Recorder()
        stream, far = self.stream(protocol)
        stream.loseConnection()
        self.assertEqual(protocol.events, ["made"])
        self.clock.turn()
        self.assertEqual(protocol.reasons, [ConnectionDone])
        far.read()
        self.assertTrue(far.ended)

    def test_broken(self) -> None:
        """
        A producer that breaks when it is stopped does not keep the protocol
        from hearing of the end, nor does one protocol keep another.
        """
        protocols = [Recorder(lost=lambda recorder: 1 / 0) for _ in range(2)]
        for protocol in protocols:
            stream, _ = self.stream(protocol)
            source = Source()
            source.stopProducing = lambda: 1 / 0  # type: ignore[assignment]
            stream.registerProducer(source, True)
            stream.abortConnection()
        self.clock.turn()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 4)
        self.assertEqual([each.reasons for each in protocols], [[ConnectionAborted]] * 2)

    def test_nothing_refers(self) -> None:
        """
        A finished connection takes no memory until the garbage collector runs.
        """
        self.addCleanup(gc.enable)
        gc.disable()
        near, far = socket.socketpair()
        self.far(far)
        protocol = HalfRecorder()
        stream = Stream(self.poller, near, near.family, b"")
        stream.start(protocol, read=False)
        gone = weakref.ref(protocol)
        far.close()
        self.serve()
        self.assertEqual(protocol.events, ["made", "read ended"])
        stream.loseConnection()
        self.serve()
        self.assertTrue(protocol.is_lost)
        del protocol, stream
        self.assertIsNone(gone())

    def test_many(self) -> None:
        """
        One connection after the other ends without a descriptor left.
        """
        before = open_descriptors()
        for _ in range(20):
            protocol = Recorder()
            _, far = self.stream(protocol, tcp_pair())
            far.send(b"x")
            far.socket.close()
            self.serve_until(protocol.reasons.copy)
        self.assertEqual(open_descriptors(), before)


class ImpatientTests(PollingCase):
    """
    A client's connection: what it has sent is of no use when it has gone.
    """

    def reset(self) -> tuple[Recorder, Stream, Callable[[], None]]:
        protocol = Recorder()
        near, far = tcp_pair()
        stream, _ = self.stream(protocol, (near, far), patient=False)

        def reset() -> None:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            far.close()

        return protocol, stream, reset

    def test_reset_while_paused(self) -> None:
        """
        A reset is noticed although nothing is read.
        """
        protocol, stream, reset = self.reset()
        stream.pauseProducing()
        reset()
        self.serve_until(protocol.reasons.copy)
        self.assertEqual(protocol.reasons, [ConnectionLost])

    def test_reset_behind_bytes(self) -> None:
        """
        Also where an unwanted byte came before, and nothing is watched for.
        """
        near, far = tcp_pair()
        protocol = Recorder()
        stream, _ = self.stream(protocol, (near, far), patient=False)
        stream.pauseProducing()
        far.send(b"x")
        self.serve()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()
        self.serve_until(protocol.reasons.copy)

    def test_failed_write(self) -> None:
        """
        So is one that writing finds.
        """
        protocol, stream, reset = self.reset()
        stream.pauseProducing()
        reset()
        stream.write(b"x")
        self.serve_until(protocol.reasons.copy)

    def test_end_while_paused(self) -> None:
        """
        The peer's end alone is none: it may still read.
        """
        near, far = tcp_pair()
        protocol = HalfRecorder()
        stream, other = self.stream(protocol, (near, far), patient=False)
        stream.pauseProducing()
        far.shutdown(socket.SHUT_WR)
        self.serve()
        self.assertEqual(protocol.reasons, [])
        stream.write(b"answer")
        self.assertEqual(other.read(), b"answer")


class AddressTests(PollingCase):
    def test_tcp(self) -> None:
        """
        Both addresses of a TCP connection are known.
        """
        near, far = tcp_pair()
        stream, _ = self.stream(Recorder(), (near, far))
        self.assertEqual(stream.getPeer(), IPv4Address("TCP", *far.getsockname()))
        self.assertEqual(stream.getHost(), IPv4Address("TCP", *far.getpeername()))

    def test_tcp6(self) -> None:
        """
        The same for IPv6, with flow and scope as Twisted has them.
        """
        try:
            near, far = tcp_pair("::1")
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        stream, _ = self.stream(Recorder(), (near, far))
        self.assertEqual(stream.getPeer(), IPv6Address("TCP", *far.getsockname()))
        self.assertEqual(stream.getHost(), IPv6Address("TCP", *far.getpeername()))
        near, far = tcp_pair("::1")
        self.far(far)
        with closing(near):
            local = Stream(self.poller, near, near.family, ("fe80::1", 80, 0, 2))
            self.assertEqual(local.getPeer(), IPv6Address("TCP", "fe80::1", 80, 0, 2))

    def test_unix(self) -> None:
        """
        A UNIX socket has a path, an abstract name, or none.
        """
        names: list[bytes] = [os.fsencode(os.path.relpath(self.mktemp())), b"\0txemperor-a\0"]
        for name in names:
            os.makedirs(os.path.dirname(self.mktemp()), exist_ok=True)
            with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as far:
                listener.bind(name)
                listener.listen(1)
                far.connect(name)
                near, _ = listener.accept()
                stream, _ = self.stream(Recorder(), (near, far))
                self.assertEqual(stream.getHost(), UNIXAddress(name))
                self.assertEqual(stream.getPeer(), UNIXAddress(None))


class AnySequenceTests(PollingCase):
    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("write"), st.integers(0, 200_000)),
                st.tuples(st.just("take"), st.integers(1, 200_000)),
                st.tuples(st.just("send"), st.integers(1, 400)),
                st.tuples(st.sampled_from(["pause", "resume", "serve", "turn"]), st.just(0)),
            ),
            max_size=40,
        ),
        st.booleans(),
        st.sampled_from(["", "lose", "half"]),
    )
    def test_delivered(self, steps: list[tuple[str, int]], tcp: bool, end: str) -> None:
        """
        In whatever order both sides write, read and pause: what was written
        arrives, whole and in order, on both sides, and nothing during a pause.
        """
        self.protocol = HalfRecorder()
        pair = tcp_pair() if tcp else socket.socketpair()
        shrink(pair[0])
        self.connection, self.other = self.stream(self.protocol, pair)
        self.source = Source()
        self.connection.registerProducer(self.source, True)
        self.written = self.sent = b""
        self.paused_at: int | None = None
        for step, size in steps:
            getattr(self, f"do_{step}")(size)
            if self.paused_at is not None:
                self.assertEqual(len(self.protocol.received), self.paused_at)
        self.finish(end)
        self.assertTrue(self.other.got == self.written)
        self.assertTrue(self.protocol.received == self.sent)
        self.assertEqual(self.protocol.nested, [])
        told = self.source.told
        self.assertEqual(told, (["pause", "resume"] * len(told))[: len(told)])
        self.assertEqual(self.protocol.is_lost, end == "lose")
        self.connection.abortConnection()
        self.serve()
        self.other.socket.close()

    def do_write(self, size: int) -> None:
        data = MEGABYTE[len(self.written) % 251 :][:size]
        self.connection.write(data)
        self.written += data

    def do_take(self, size: int) -> None:
        self.other.read(size)

    def do_send(self, size: int) -> None:
        data = MEGABYTE[len(self.sent) % 251 :][:size]
        self.other.send(data)
        self.sent += data

    def do_pause(self, size: int) -> None:
        self.connection.pauseProducing()
        self.paused_at = len(self.protocol.received)

    def do_resume(self, size: int) -> None:
        self.connection.resumeProducing()
        self.paused_at = None

    def do_serve(self, size: int) -> None:
        self.poller.doRead()

    def do_turn(self, size: int) -> None:
        self.clock.turn()

    def finish(self, end: str) -> None:
        self.connection.resumeProducing()
        self.serve_until(lambda: len(self.protocol.received) == len(self.sent))
        if end == "lose":
            self.connection.loseConnection()
        elif end == "half":
            self.connection.loseWriteConnection()
        self.connection.unregisterProducer()
        self.serve_until(
            lambda: len(self.other.read()) >= len(self.written) and (not end or self.other.ended)
        )
        self.serve()
