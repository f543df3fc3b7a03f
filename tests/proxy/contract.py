"""
What every stream transport promises the routers: checked on ours and, with the
real reactor, on Twisted's.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from io import BytesIO
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.protocols.basic import FileSender
from zope.interface.verify import verifyObject

from emperor.interfaces import IStream
from tests.proxy.polling import Far, HalfRecorder, Recorder, Source, shrink, tcp_pair

MEGABYTE = bytes(range(256)) * 4096


class StreamContract:
    """
    The tests; who inherits says how a transport is made and how it is served.
    """

    timeout = 30

    #: Whether the sockets are TCP and not UNIX.
    is_tcp: bool

    async def adopt(self, near: socket.socket, protocol: Protocol) -> IStream:
        """
        Make the transport of a connected socket.
        """
        raise NotImplementedError

    async def until(self, done: Callable[[], object]) -> None:
        """
        Serve until something has come true.
        """
        raise NotImplementedError

    async def turns(self) -> None:
        """
        Serve for a while.
        """
        raise NotImplementedError

    async def connect(self: Any, protocol: Protocol, *, small: bool = False) -> tuple[IStream, Far]:
        """
        A transport and the far side.
        """
        near, far = tcp_pair() if self.is_tcp else socket.socketpair()
        if small:
            shrink(near)
        self.addCleanup(far.close)
        return await self.adopt(near, protocol), Far(far)

    async def gets(self: Any, far: Far, data: bytes) -> None:
        """
        The far side gets these bytes, all of them and no others.
        """
        await self.until(lambda: len(far.read()) >= len(data) or far.ended)
        self.assertEqual(len(far.got), len(data))
        self.assertTrue(far.got == data, "other bytes, or in another order")

    async def is_over(self: Any, protocol: Recorder, reason: type[Exception]) -> None:
        """
        The connection ends for this reason, once.
        """
        await self.until(lambda: protocol.is_lost)
        await self.turns()
        self.assertEqual(protocol.reasons, [reason])
        self.assertEqual(protocol.events[-1], "lost")

    async def test_interface(self: Any) -> None:
        """
        It is what the routers need of a connection.
        """
        stream, _ = await self.connect(Recorder())
        verifyObject(IStream, stream, tentative=True)  # Twisted's do not say so

    async def test_order(self: Any) -> None:
        """
        Bytes arrive in the order of the writes, also those that had to wait for
        a slow peer.
        """
        stream, far = await self.connect(Recorder(), small=True)
        chunks = [b"%d" % number * 1000 for number in range(100)]
        for chunk in chunks[:98]:
            stream.write(chunk)
        stream.writeSequence(chunks[98:])
        await self.gets(far, b"".join(chunks))

    async def test_received(self: Any) -> None:
        """
        All that the peer sends is received.
        """
        protocol = Recorder()
        _, far = await self.connect(protocol)
        far.send(b"a request")
        await self.until(lambda: protocol.received == b"a request")

    async def test_pause(self: Any) -> None:
        """
        Who pauses gets nothing until it resumes, and then everything.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol)
        for pauses in (1, 2):
            for _ in range(pauses):
                stream.pauseProducing()
            far.send(b"later")
            await self.turns()
            self.assertEqual(protocol.received, b"")
            stream.resumeProducing()
            await self.until(lambda: protocol.received == b"later")
            protocol.received = b""

    async def test_pause_at_once(self: Any) -> None:
        """
        A pause when the connection is made counts.
        """
        protocol = Recorder(made=lambda recorder: recorder.transport.pauseProducing())
        stream, far = await self.connect(protocol)
        far.send(b"later")
        await self.turns()
        if "made" in protocol.events:
            self.assertEqual(protocol.received, b"")
        stream.resumeProducing()
        await self.until(lambda: protocol.received == b"later")

    async def test_pause_before_end(self: Any) -> None:
        """
        The end of the peer waits as its bytes do.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol)
        stream.pauseProducing()
        far.send(b"last")
        far.end()
        await self.turns()
        self.assertEqual(protocol.events, ["made"])
        stream.resumeProducing()
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(protocol.received, b"last")

    async def test_pause_with_last_bytes(self: Any) -> None:
        """
        Who pauses on the last bytes hears of the end when it resumes.
        """
        protocol = Recorder(data=lambda recorder: recorder.transport.pauseProducing())
        stream, far = await self.connect(protocol)
        far.send(b"last")
        far.end()
        await self.until(lambda: protocol.received)
        await self.turns()
        self.assertEqual(protocol.events, ["made", "data"])
        stream.resumeProducing()
        await self.is_over(protocol, ConnectionDone)

    async def test_write_while_paused(self: Any) -> None:
        """
        Writing goes on while reading is paused.
        """
        stream, far = await self.connect(Recorder(), small=True)
        stream.pauseProducing()
        far.send(b"x")
        stream.write(MEGABYTE)
        await self.gets(far, MEGABYTE)

    async def test_lose(self: Any) -> None:
        """
        A connection that is closed is closed once, and clean.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol)
        stream.loseConnection()
        stream.loseConnection()
        await self.is_over(protocol, ConnectionDone)
        stream.abortConnection()
        stream.loseConnection()
        stream.write(b"too late")
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(far.read(), b"")
        self.assertTrue(far.ended)

    async def test_lose_with_bytes(self: Any) -> None:
        """
        What is written before closing arrives, also at a slow peer.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        stream.write(MEGABYTE)
        stream.loseConnection()
        await self.turns()
        self.assertTrue(stream.disconnecting)
        self.assertEqual(protocol.events, ["made"])
        await self.gets(far, MEGABYTE)
        await self.is_over(protocol, ConnectionDone)
        far.read()
        self.assertTrue(far.ended)

    async def test_lose_stops_reading(self: Any) -> None:
        """
        Who closes gets no bytes any more, even if it resumes.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        stream.write(MEGABYTE)
        stream.loseConnection()
        stream.resumeProducing()
        far.send(b"x")
        await self.gets(far, MEGABYTE)
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(protocol.received, b"")

    async def test_lose_while_paused(self: Any) -> None:
        """
        A paused connection can be closed.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol)
        stream.pauseProducing()
        far.send(b"x")
        await self.turns()
        stream.stopProducing()
        await self.is_over(protocol, ConnectionDone)

    async def test_lose_in_call(self: Any) -> None:
        """
        Who closes when it receives hears of the end after that.
        """
        protocol = Recorder(data=lambda recorder: recorder.transport.loseConnection())
        _, far = await self.connect(protocol)
        far.send(b"x")
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(protocol.nested, [])

    async def test_peer_gone_while_closing(self: Any) -> None:
        """
        A peer that resets instead of taking the last bytes has lost them.
        """
        if not self.is_tcp:
            return
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        stream.write(MEGABYTE)
        stream.loseConnection()
        await self.turns()
        far.reset()
        await self.is_over(protocol, ConnectionLost)

    async def test_abort(self: Any) -> None:
        """
        An abort drops what is not sent; a TCP peer sees a reset.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        stream.write(MEGABYTE)
        await self.turns()
        stream.abortConnection()
        stream.abortConnection()
        stream.loseConnection()
        await self.is_over(protocol, ConnectionAborted)
        await self.until(lambda: far.read() is None or far.ended or far.was_reset)
        self.assertEqual(far.was_reset, self.is_tcp)
        self.assertLess(len(far.got), len(MEGABYTE))

    async def test_abort_in_call(self: Any) -> None:
        """
        Who aborts when it receives hears of the end after that.
        """
        protocol = Recorder(data=lambda recorder: recorder.transport.abortConnection())
        _, far = await self.connect(protocol)
        far.send(b"x")
        far.end()
        await self.is_over(protocol, ConnectionAborted)
        self.assertEqual(protocol.nested, [])

    async def test_peer_ends(self: Any) -> None:
        """
        The peer's end is the connection's, after the last bytes.
        """
        protocol = Recorder()
        _, far = await self.connect(protocol)
        far.send(MEGABYTE[:1000])
        far.end()
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(protocol.received, MEGABYTE[:1000])
        self.assertEqual(protocol.events, ["made", "data", "lost"])

    async def test_peer_resets(self: Any) -> None:
        """
        A reset is no clean end; what came before it is received.
        """
        if not self.is_tcp:
            return
        for data in (b"", b"last"):
            protocol = Recorder()
            _, far = await self.connect(protocol)
            far.send(data)
            far.reset()
            await self.is_over(protocol, ConnectionLost)
            self.assertEqual(protocol.received, data)

    async def test_peer_does_not_read(self: Any) -> None:
        """
        A peer that closes without reading all has reset the connection; its
        answer is received.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol)
        stream.write(b"a long request")
        await self.turns()
        far.send(b"answer")
        far.socket.close()
        await self.is_over(protocol, ConnectionLost)
        self.assertEqual(protocol.received, b"answer")

    async def test_read_half(self: Any) -> None:
        """
        Who can bear it may go on sending after the peer's end.
        """
        protocol = HalfRecorder()
        stream, far = await self.connect(protocol)
        far.send(b"request")
        far.end()
        await self.until(lambda: "read ended" in protocol.events)
        await self.turns()
        self.assertEqual(protocol.events, ["made", "data", "read ended"])
        stream.write(b"answer")
        await self.gets(far, b"answer")
        stream.loseConnection()
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(protocol.events.count("read ended"), 1)

    async def test_write_half(self: Any) -> None:
        """
        The sending half is closed when all is sent; receiving goes on.
        """
        protocol = HalfRecorder()
        stream, far = await self.connect(protocol, small=True)
        stream.write(MEGABYTE)
        stream.loseWriteConnection()
        await self.turns()
        self.assertEqual(protocol.events, ["made"])
        await self.gets(far, MEGABYTE)
        await self.until(lambda: "write ended" in protocol.events)
        stream.write(b"too late")
        far.read()
        self.assertTrue(far.ended)
        far.send(b"answer")
        await self.until(lambda: protocol.received == b"answer")
        self.assertEqual(protocol.events, ["made", "write ended", "data"])
        far.end()
        await self.until(lambda: "read ended" in protocol.events)
        stream.loseConnection()
        await self.is_over(protocol, ConnectionDone)

    async def test_write_half_unknown(self: Any) -> None:
        """
        The sending half can be closed also where nobody wants to know.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol)
        stream.loseWriteConnection()
        await self.until(lambda: far.read() is None or far.ended)
        far.send(b"answer")
        far.end()
        await self.is_over(protocol, ConnectionDone)
        self.assertEqual(protocol.received, b"answer")

    async def test_broken_protocol(self: Any) -> None:
        """
        A protocol that breaks is logged and loses its connection; others go on.
        """
        for call in ("data", "read ended", "write ended"):
            protocol = HalfRecorder(**{call: lambda recorder: 1 / 0})
            stream, far = await self.connect(protocol)
            other = Recorder()
            _, other_far = await self.connect(other)
            stream.loseWriteConnection()
            far.send(b"x")
            far.end()
            other_far.send(b"x")
            await self.until(lambda protocol=protocol: protocol.is_lost)
            await self.until(lambda other=other: other.received)
            self.assertNotIn(ConnectionDone, protocol.reasons)
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1, call)
            self.assertFalse(other.is_lost)

    async def test_broken_producer(self: Any) -> None:
        """
        A producer that breaks loses the connection.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        source = Source(lambda: 1 / 0)
        stream.registerProducer(source, True)
        stream.write(MEGABYTE)
        await self.until(lambda: far.read() is None or protocol.is_lost)
        self.assertEqual(source.told, ["pause", "resume", "stop"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_streaming(self: Any) -> None:
        """
        A producer is paused when more than 64 KiB wait for the peer, and
        resumed when they are sent.
        """
        stream, far = await self.connect(Recorder(), small=True)
        source = Source()
        stream.registerProducer(source, True)
        stream.write(MEGABYTE[: 1 << 15])
        await self.turns()
        self.assertEqual(source.told, [])
        stream.write(MEGABYTE[1 << 15 :])
        await self.turns()
        self.assertEqual(source.told, ["pause"])
        await self.gets(far, MEGABYTE)
        await self.until(lambda: source.told == ["pause", "resume"])
        stream.write(b"x")
        await self.gets(far, MEGABYTE + b"x")
        self.assertEqual(source.told, ["pause", "resume"])
        stream.write(MEGABYTE)
        await self.turns()
        self.assertEqual(source.told, ["pause", "resume", "pause"])

    async def test_pull(self: Any) -> None:
        """
        A file is sent as fast as the peer takes it.
        """
        stream, far = await self.connect(Recorder(), small=True)
        sent = FileSender().beginFileTransfer(BytesIO(MEGABYTE), stream)
        await self.gets(far, MEGABYTE)
        await self.until(lambda: sent.called)

    async def test_lose_with_pull(self: Any) -> None:
        """
        A file that is being sent is sent whole before the connection closes.
        """
        for small in (False, True):
            protocol = Recorder()
            stream, far = await self.connect(protocol, small=small)
            FileSender().beginFileTransfer(BytesIO(MEGABYTE), stream)
            stream.loseConnection()
            await self.gets(far, MEGABYTE)
            await self.is_over(protocol, ConnectionDone)

    async def test_lose_with_streaming(self: Any) -> None:
        """
        A paused producer may write the rest before the connection closes.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)

        def go_on() -> None:
            stream.write(b"the rest")
            stream.unregisterProducer()

        stream.registerProducer(Source(go_on), True)
        stream.write(MEGABYTE)
        stream.loseConnection()
        await self.gets(far, MEGABYTE + b"the rest")
        await self.is_over(protocol, ConnectionDone)

    async def test_lose_with_resumed(self: Any) -> None:
        """
        A producer that was resumed may take its time until it unregisters.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        source = Source()
        stream.registerProducer(source, True)
        stream.write(MEGABYTE)
        stream.loseConnection()
        await self.gets(far, MEGABYTE)
        await self.until(lambda: source.told == ["pause", "resume"])
        await self.turns()
        self.assertEqual(protocol.events, ["made"])
        stream.unregisterProducer()
        await self.is_over(protocol, ConnectionDone)

    async def test_lost_with_producer(self: Any) -> None:
        """
        A producer is stopped when its consumer is gone; one that comes later,
        at once.
        """
        protocol = Recorder()
        stream, _ = await self.connect(protocol)
        source, late = Source(), Source()
        stream.registerProducer(source, True)
        stream.abortConnection()
        await self.is_over(protocol, ConnectionAborted)
        self.assertEqual(source.told, ["stop"])
        stream.registerProducer(late, True)
        self.assertEqual(late.told, ["stop"])

    async def test_two_producers(self: Any) -> None:
        """
        There is one producer at a time.
        """
        stream, _ = await self.connect(Recorder())
        stream.registerProducer(Source(), True)
        self.assertRaises(RuntimeError, stream.registerProducer, Source(), True)
        stream.unregisterProducer()
        stream.registerProducer(Source(), True)

    async def test_unregistered(self: Any) -> None:
        """
        A producer that has left is told nothing.
        """
        protocol = Recorder()
        stream, far = await self.connect(protocol, small=True)
        source = Source()
        stream.registerProducer(source, True)
        stream.write(MEGABYTE)
        stream.unregisterProducer()
        await self.gets(far, MEGABYTE)
        stream.abortConnection()
        await self.is_over(protocol, ConnectionAborted)
        self.assertEqual(source.told, ["pause"])
