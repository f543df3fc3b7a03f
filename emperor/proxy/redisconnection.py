"""
One connection to a Redis: txredisapi's protocol with bounds, with a reason when
it ends, and with the messages of channels.

txredisapi imports the reactor, so import this, and what imports it, only where
a router has a Redis.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from txredisapi import BaseRedisProtocol, ResponseError

#: Bytes of one reply, or elements of one list, that are taken.
REPLY_LIMIT = 64 * 1024

_SAYINGS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "it does not answer in time"),
    (WaitedTooLong, "it does not answer in time"),
    # An attempt that takes too long is given up.
    (CancelledError, "it does not answer in time"),
    (ConnectingCancelledError, "it does not answer in time"),
    (ConnectionDone, "it closed the connection"),
    (ConnectionLost, "the connection broke"),
    (DNSLookupError, "its name has no address"),
)

#: What somebody publishes: the channel, and the message.
Noticed = Callable[[bytes, bytes], object]


class RedisTrouble(Exception):
    """
    A Redis cannot be asked; the message says why.
    """


class RedisConnection(BaseRedisProtocol):  # type: ignore[misc]  # has no annotations
    """
    A client's side.

    @ivar over: fires with the reason when the connection is over.
    @ivar reason: why it is over, or about to be; empty before.
    """

    def __init__(self, clock: IReactorTime, noticed: Noticed) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self.callLater = clock.callLater
        self.over: Deferred[str] = Deferred()
        self._clock = clock
        self._noticed = noticed
        self.reason = ""

    def ask(self, *words: str | bytes | int) -> Deferred[Any]:
        """
        Send a command.

        @return: fires with the reply, or fails with L{ResponseError}, or with
            L{RedisError} if the connection ends before.
        """
        if not self.connected:
            return fail(RedisTrouble(self.reason or "it is not connected"))
        asking: Deferred[Any] = self.execute_command(*words)
        return asking

    async def ask_within(self, seconds: float, *words: str | bytes | int) -> Any:
        """
        Send a command and wait so long for the reply.
        """
        return await self.ask(*words).addTimeout(seconds, self._clock)

    def drop(self, reason: str) -> None:
        """
        End the connection at once.
        """
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """
        Read replies, unless the connection is being dropped.
        """
        if not self.reason:
            super().dataReceived(data, unpause)

    def lineReceived(self, line: str) -> None:
        """
        Refuse what would not fit before it comes.
        """
        count = line[1:]
        sized = line[:1] in ("$", "*") and count.isdecimal()
        if sized and (len(count) > 9 or int(count) > REPLY_LIMIT):
            self.drop(f"it sent a reply of more than {REPLY_LIMIT} bytes or elements")
        else:
            super().lineReceived(line)

    def replyReceived(self, reply: Any) -> None:
        """
        Take messages of channels out of the replies.
        """
        if isinstance(reply, list) and len(reply) > 2 and reply[0] in (b"message", b"pmessage"):
            if all(isinstance(word, bytes) for word in reply):
                self._noticed(reply[-2], reply[-1])
        elif self.replyQueue.waiting:
            super().replyReceived(reply)
        else:
            self.drop("it sent a reply that nobody asked for")

    def connectionLost(self, reason: Failure) -> None:
        """
        Fail what waits for replies, and tell why.
        """
        self.reason = self.reason or explain(reason.value)
        super().connectionLost(reason)
        self.over.callback(self.reason)


class RedisConnections(Factory):
    """
    Makes the protocols.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, noticed: Noticed) -> None:
        self._clock = clock
        self._noticed = noticed

    def buildProtocol(self, addr: IAddress | None) -> RedisConnection:
        """
        See L{twisted.internet.interfaces.IProtocolFactory}.
        """
        return RedisConnection(self._clock, self._noticed)


def explain(error: BaseException | None) -> str:
    """
    Why a connection failed, as the end of a sentence.
    """
    for kind, saying in _SAYINGS:
        if isinstance(error, kind):
            return saying
    if isinstance(error, TLSError | VerificationError):
        return f"its certificate is not accepted ({_tls_reason(error)})"
    if isinstance(error, ResponseError):
        return f"it answers: {str(error).strip()}"
    number = getattr(error, "osError", None)
    return os.strerror(number) if isinstance(number, int) else str(error).strip(". ")


def _tls_reason(error: BaseException) -> str:
    if isinstance(error, VerificationError):
        return "it is for another name"
    reasons = [part[-1] for part in error.args[0]] if error.args else []
    return ", ".join(map(str, reasons)) or "the handshake failed"
