"""
Stream transports that cost little more than the system calls they make.

A L{Stream} provides what protocols expect of a transport, so that ordinary
protocols and factories run on it unchanged.  What it does differently from
Twisted's own:

 1. C{write} sends at once what the kernel takes; only the rest is kept.
 2. To pause costs nothing: the descriptor stays watched until an event comes
    that is not wanted.
 3. The peer's end is taken from the same event as its last bytes, without
    another read.
 4. When writing fails, what the peer has sent before is still delivered: a
    server may answer and close without reading all of a request.

Like in Twisted, a protocol is never called from within its own call, a pair of
slow and fast peers costs at most C{WRITE_LIMIT} and one read of C{READ_SIZE} in
each direction, and C{connectionLost} comes exactly once and last.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from emperor.interfaces import IStream
from emperor.proxy.poller import BROKEN, ENDED, READABLE, RESET, TO_READ, WRITABLE, Poller

#: Bytes of one read: one connection's turn.
READ_SIZE = 64 * 1024

#: Bytes kept for a slow peer before its producer is paused.
WRITE_LIMIT = 64 * 1024

_RECEIVE_FLAGS = int(socket.MSG_DONTWAIT)
_SEND_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
_RESET = struct.pack("ii", 1, 0)

#: A cleanly closed connection ends for the same reason every time.
_DONE = Failure(ConnectionDone())


@implementer(IStream)
class Stream:
    """
    One connected socket.

    @ivar taken: bytes that were sent when a slow peer had made room.
    """

    _log = Logger()

    __slots__ = (
        "_family",
        "_gone",
        "_half_closing",
        "_host",
        "_kept",
        "_kept_size",
        "_losing",
        "_name",
        "_patient",
        "_paused",
        "_peer",
        "_poller",
        "_producer",
        "_protocol",
        "_pulling",
        "_read_ended",
        "_reading",
        "_reason",
        "_recv",
        "_registered",
        "_send",
        "_socket",
        "_streaming",
        "_watched",
        "_write_closed",
        "_write_failed",
        "taken",
    )

    def __init__(
        self,
        poller: Poller,
        connection: socket.SocketType,
        family: int,
        name: object,
        host: IAddress | None = None,
        *,
        patient: bool = True,
    ) -> None:
        """
        @param connection: connected; it need not be non-blocking.
        @param family: of its address; asked of the socket it would cost a call.
        @param name: the peer's address as C{accept} gave it.
        @param host: our address; L{None}: to be asked of the socket.
        @param patient: what the peer has sent is worth reading after it has
            reset the connection: a server's answer is, a client's request is
            not.
        """
        self._patient = patient
        self._poller = poller
        self._socket = connection
        self._recv = connection.recv
        self._send = connection.send
        self._family = family
        self._name = name
        self._peer: IAddress | None = None
        self._host = host
        self._kept: list[bytes | memoryview] = []
        self._kept_size = self._watched = self.taken = 0
        self._producer: Any = None
        self._reading = True
        self._streaming = self._paused = self._pulling = False
        self._losing = self._gone = self._registered = False
        self._half_closing = self._read_ended = self._write_closed = self._write_failed = False

    def start(self, protocol: IProtocol, *, read: bool) -> None:
        """
        Give the connection its protocol.

        @param read: bytes are likely to be there already.
        """
        self._protocol = protocol
        try:
            protocol.makeConnection(self)
            if read and self._reading:
                self._read(0)
        except Exception:
            self._broke()
        if self._reading and not self._watched:
            self._update()

    @property
    def disconnecting(self) -> bool:
        """
        See L{IStream}.
        """
        return self._losing and not self._gone

    # What the peer sends.

    def ready(self, event: int) -> None:
        """
        The kernel has something to say.
        """
        try:
            if event & WRITABLE:
                self._flush()
            if self._reading:
                if event & TO_READ:
                    self._read(event)
            elif event & RESET and not self._patient:
                self._end(Failure(ConnectionLost()))
            elif event & TO_READ and not self._gone:
                self._update()
        except Exception:
            self._broke()

    def _read(self, event: int) -> None:
        try:
            data = self._recv(READ_SIZE, _RECEIVE_FLAGS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(Failure(ConnectionLost(str(error))))
            return
        if data:
            self._protocol.dataReceived(data)
            if not (event & ENDED and len(data) < READ_SIZE and self._reading):
                return
            if event & BROKEN:  # the next read tells how
                return
        self._read_end()

    def _read_end(self) -> None:
        half = IHalfCloseableProtocol(self._protocol, None)
        if half is None or self._write_failed:
            reason = Failure(ConnectionLost()) if self._write_failed else _DONE
            self._end(reason)
            return
        self._read_ended = True
        self._reading = False
        self._update()
        half.readConnectionLost()

    def _broke(self) -> None:
        self._log.failure("A protocol broke; its connection is cut")
        self.abortConnection()

    def pauseProducing(self) -> None:
        """
        See L{IPushProducer.pauseProducing}.
        """
        self._reading = False

    def resumeProducing(self) -> None:
        """
        See L{IPushProducer.resumeProducing}.
        """
        if not (self._losing or self._gone or self._read_ended):
            self._reading = True
            if not self._watched & READABLE:
                self._update()

    def stopProducing(self) -> None:
        """
        See L{IPushProducer.stopProducing}.
        """
        self.loseConnection()

    # What the peer gets.

    def write(self, data: bytes) -> None:
        """
        See L{ITransport.write}.
        """
        if not data or self._gone or self._write_closed or self._write_failed:
            return
        if not self._kept:
            try:
                sent = self._send(data, _SEND_FLAGS)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self._fail_writing()
                return
            if sent == len(data):
                if self._producer is not None and not (self._streaming or self._pulling):
                    self._pulling = True
                    self._poller.later(self._pull)
                return
            data = data[sent:]
        self._kept.append(data)
        self._kept_size += len(data)
        if not self._watched & WRITABLE:
            self._update()
        if self._kept_size > WRITE_LIMIT and self._streaming and not self._paused:
            self._paused = True
            self._producer.pauseProducing()

    def _pull(self) -> None:
        self._pulling = False
        if self._producer is not None and not (self._streaming or self._kept or self._gone):
            try:
                self._producer.resumeProducing()
            except Exception:
                self._broke()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        See L{ITransport.writeSequence}.
        """
        self.write(b"".join(data))

    def _flush(self) -> None:
        kept = self._kept
        data = kept[0] if len(kept) == 1 else b"".join(kept)
        try:
            sent = self._send(data, _SEND_FLAGS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._fail_writing()
            return
        self.taken += sent
        if sent < len(data):
            self._kept, self._kept_size = [memoryview(data)[sent:]], len(data) - sent
        else:
            self._kept, self._kept_size = [], 0
            self._all_sent()

    def _all_sent(self) -> None:
        producer = self._producer
        if producer is not None and (self._paused or not self._streaming):
            # It was asked for more, so the end waits until it unregisters.
            self._paused = False
            producer.resumeProducing()
        else:
            self._close_if_sent()
        self._update()

    def _fail_writing(self) -> None:
        """
        The peer takes nothing more.  What it has sent is still to be read, and
        at its end the connection is lost.
        """
        self._write_failed = True
        self._kept, self._kept_size = [], 0
        if self._losing or not self._patient:
            self._end(Failure(ConnectionLost()))
            return
        if self._paused:
            self._paused = False
            self._producer.resumeProducing()
        if not self._gone:
            if self._read_ended:
                self._end(Failure(ConnectionLost()))
            else:
                self._update()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """
        See L{IConsumer.registerProducer}.

        @raise RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"{producer} comes beside {self._producer}, which is not done")
        if self._gone:
            producer.stopProducing()
            return
        self._producer = producer
        self._streaming = streaming
        if not streaming:
            self._producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """
        See L{IConsumer.unregisterProducer}.
        """
        self._producer = None
        self._streaming = self._paused = False
        if self._losing or self._half_closing:
            self._close_if_sent()

    # The end.

    def loseConnection(self) -> None:
        """
        See L{ITransport.loseConnection}.
        """
        if not (self._losing or self._gone):
            self._losing = True
            self._reading = False
            if self._write_failed:
                self._end(Failure(ConnectionLost()))
            else:
                self._close_if_sent()

    def _close_if_sent(self) -> None:
        producing = self._producer is not None and (self._paused or not self._streaming)
        if self._kept or producing:
            return
        if self._losing:
            self._end(_DONE)
        elif self._half_closing and not self._write_closed:
            self._close_half()

    def loseWriteConnection(self) -> None:
        """
        See L{IStream.loseWriteConnection}.
        """
        if not (self._half_closing or self._losing or self._gone):
            self._half_closing = True
            self._close_if_sent()

    def _close_half(self) -> None:
        self._write_closed = True
        with suppress(OSError):  # the peer may be gone, which reading tells
            self._socket.shutdown(socket.SHUT_WR)
        self._poller.later(self._half_closed)

    def _half_closed(self) -> None:
        if self._gone:
            return
        half = IHalfCloseableProtocol(self._protocol, None)
        try:
            if half is not None:
                half.writeConnectionLost()
        except Exception:
            self._broke()

    def abortConnection(self) -> None:
        """
        See L{IStream.abortConnection}.
        """
        if self._gone:
            return
        if self._family != socket.AF_UNIX:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._end(Failure(ConnectionAborted()))

    def _end(self, reason: Failure) -> None:
        if self._gone:
            return
        self._gone = True
        self._reading = False
        self._reason = reason
        self._kept, self._kept_size = [], 0
        self._poller.close(self._socket, self._tell_end)

    def _tell_end(self) -> None:
        producer, self._producer = self._producer, None
        protocol = self._protocol
        # Each knew the other; so neither has to wait for the garbage collector.
        del self._protocol
        if producer is not None:
            try:
                producer.stopProducing()
            except Exception:
                self._log.failure("A producer broke when its consumer was gone")
        protocol.connectionLost(self._reason)

    def _update(self) -> None:
        """
        Watch for what is wanted now.
        """
        wanted = (READABLE if self._reading else 0) | (WRITABLE if self._kept else 0)
        if self._gone or wanted == self._watched:
            return
        descriptor = self._socket.fileno()
        if not self._registered:
            self._registered = True
            self._poller.watch(descriptor, wanted, self.ready)
        elif wanted or not self._patient:
            # Of nothing else the kernel still tells that the peer has gone.
            self._poller.change(descriptor, wanted)
        else:
            self._registered = False
            self._poller.forget(descriptor)
        self._watched = wanted

    def fileno(self) -> int:
        """
        Of the socket; -1 when it is closed.
        """
        return self._socket.fileno()

    # Who is there.

    def getPeer(self) -> IAddress:
        """
        See L{ITransport.getPeer}.
        """
        if self._peer is None:
            self._peer = address_of(self._family, self._name)
        return self._peer

    def getHost(self) -> IAddress:
        """
        See L{ITransport.getHost}.
        """
        if self._host is None:
            self._host = address_of(self._family, self._socket.getsockname())
        return self._host


def address_of(family: int, name: object) -> IAddress:
    """
    A socket's name as Twisted has it.
    """
    if family == socket.AF_UNIX:
        return UNIXAddress(cast(bytes, name) or None)
    if family == socket.AF_INET6:
        return IPv6Address("TCP", *cast(tuple[str, int], name))
    return IPv4Address("TCP", *cast(tuple[str, int], name))
