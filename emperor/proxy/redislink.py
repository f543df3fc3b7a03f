"""
A connection to a Redis that comes back.

It counts as made when the server has accepted the login and what else must be
said first; it is tried again with growing pauses, for ever.  A server that is
there but does not answer is found out by a ping, and its connection dropped.

This is not L{twisted.application.internet.ClientService}, whose machine has no
place for a connection that is lost while it is being prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

from twisted.application.internet import backoffPolicy
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from txredisapi import ResponseError

from emperor.config.redisurl import RedisSource
from emperor.proxy.redisconnection import (
    Noticed,
    RedisConnection,
    RedisConnections,
    RedisTrouble,
    explain,
)

#: Seconds without a word after which the server is asked whether it is there.
PING_INTERVAL = 15.0

#: Why nothing is asked any more.
STOPPING = "the router is stopping"

#: Seconds until the next attempt, from how many failed.
PAUSE = backoffPolicy(0.1, 5.0, 2.0)

#: What is said first on a connection, before it counts as made.
Prepare = Callable[[RedisConnection], Coroutine[Deferred[Any], Any, None]]


async def log_in(connection: RedisConnection, source: RedisSource) -> None:
    """
    Say who we are and which database is meant, and hear an answer: the system
    accepts connections for a server that hangs.  Let only a master pass where
    Sentinels led to the server.

    @raise RedisTrouble: it is no master.
    @raise ResponseError: the server does not accept one of them.
    """
    if source.password:
        await connection.ask("AUTH", *filter(None, (source.username, source.password)))
    if source.db:
        await connection.ask("SELECT", source.db)
    await connection.ask("PING")
    if source.service:
        role = await connection.ask("ROLE")
        if not (isinstance(role, list) and role[:1] == [b"master"]):
            raise RedisTrouble("it is no master")


class RedisLink:
    """
    One connection, kept up.

    @ivar connection: that may be asked now, or L{None}.
    @ivar trouble: why there is none, as a sentence; empty while the first
        attempt goes on.
    """

    _log = Logger()

    def __init__(
        self,
        source: RedisSource,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        *,
        purpose: str,
        prepare: Prepare,
        noticed: Noticed = lambda channel, message: None,
        changed: Callable[[], object],
        pause: Callable[[int], float] = PAUSE,
    ) -> None:
        """
        @param purpose: what becomes of its absence, for the log.
        @param changed: called when L{connection} or L{trouble} has changed.
        @param pause: seconds until the next attempt, from how many failed.
        """
        self.connection: RedisConnection | None = None
        self.trouble = ""
        self._source = source
        self._endpoint = endpoint
        self._clock = clock
        self._purpose = purpose
        self._prepare = prepare
        self._noticed = noticed
        self._changed = changed
        self._pause = pause
        self._keeping: Deferred[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """
        Begin to connect.
        """
        self._keeping = Deferred.fromCoroutine(self._keep())

    async def stop(self) -> None:
        """
        End the connection, or the attempts.
        """
        self._stopping = True
        if self._keeping is None:
            return
        if self.connection is not None:
            self.connection.drop(STOPPING)
        else:
            self._keeping.cancel()
        await self._keeping

    async def _keep(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                connection = await self._connect()
            except Exception as error:
                failures += 1
                self._away(STOPPING if self._stopping else explain(error))
            else:
                failures = 0
                self._there(connection)
                self._away(await self._until_over(connection))
            await self._rest(failures)

    async def _rest(self, failures: int) -> None:
        if not self._stopping:
            with suppress(CancelledError):
                await deferLater(self._clock, self._pause(failures))

    async def _connect(self) -> RedisConnection:
        """
        @raise Exception: whatever an endpoint fails with, or L{RedisTrouble}.
        """
        timeout = self._source.timeout
        factory = RedisConnections(self._clock, self._noticed)
        connecting = cast("Deferred[RedisConnection]", self._endpoint.connect(factory))
        # Each Sentinel may take the time of a connection and of an answer.
        steps = 1 + 2 * len(self._source.hosts) if self._source.service else 1
        connection = await connecting.addTimeout(steps * timeout, self._clock)
        try:
            preparing = Deferred.fromCoroutine(self._prepare(connection))
            await preparing.addTimeout(timeout, self._clock)
        except Exception as error:
            connection.drop(explain(error))
            raise RedisTrouble(await connection.over) from error
        return connection

    async def _until_over(self, connection: RedisConnection) -> str:
        pings = LoopingCall(lambda: Deferred.fromCoroutine(self._ping(connection)))
        pings.clock = self._clock
        pings.start(PING_INTERVAL, now=False)
        try:
            return await connection.over
        finally:
            pings.stop()

    async def _ping(self, connection: RedisConnection) -> None:
        try:
            await connection.ask_within(self._source.timeout, "PING")
        except ResponseError:
            pass  # An answer is an answer.
        except Exception as error:
            connection.drop(explain(error))

    def _there(self, connection: RedisConnection) -> None:
        if self.trouble:
            self._log.info(
                "{source} is back ({purpose})", source=self._source, purpose=self._purpose
            )
        self.connection, self.trouble = connection, ""
        self._changed()

    def _away(self, reason: str) -> None:
        trouble = f"{self._source} cannot be asked: {reason}"
        if trouble != self.trouble and not self._stopping:
            self._log.warn("{trouble} ({purpose})", trouble=trouble, purpose=self._purpose)
        self.connection, self.trouble = None, trouble
        self._changed()
