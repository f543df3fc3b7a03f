"""
The service that announces nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from secrets import token_bytes
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.announcing.sending import CannotSend, Sender
from emperor.announcing.servers import Server
from emperor.wire.seals import Sealer
from emperor.wire.signatures import Signer
from emperor.wire.subscription import Announcement, Sealing, build_announcement

#: Seconds between two announcements; uWSGI's servers forget a node after 17.
FREQUENCY = 10.0

#: Seconds after which the first announcement is said again: it may get lost, and
#: then nobody would know the node for a whole period.
REPEATED_AFTER = 1.0

#: Seconds that the last words may take.
LEAVING_TIMEOUT = 3.0

_NONCE_SIZE = 16
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Proofs:
    """
    How announcements are proven; by nothing, or one of these, or both.

    @ivar sign: makes uWSGI's signatures.
    @ivar sealer: makes ours.
    """

    sign: Signer | None = None
    sealer: Sealer | None = None

    def build(self, announcement: Announcement, now: float, nonce: bytes) -> bytes:
        """
        The datagram that says it now.

        @raise BadAnnouncement: no server would take it.
        """
        sealing = None
        if self.sealer:
            time = int(now * _MICROSECONDS)
            sealing = Sealing(self.sealer.scheme, time, nonce, self.sealer.make)
        if self.sign:
            # As uWSGI does it: so the last word is always a new one.
            announcement = replace(announcement, sent=int(now) + announcement.leaving)
        return build_announcement(announcement, sealing=sealing, sign=self.sign)


UNPROVEN = Proofs()


class Announcer(Service):
    """
    Announces to every server while it runs, and takes leave when it stops.

    A server that cannot be reached is tried again each time; the log says so
    when it begins and when it is over.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        servers: Sequence[Server],
        announcements: Sequence[Announcement],
        *,
        frequency: float = FREQUENCY,
        proofs: Proofs = UNPROVEN,
        random: Callable[[int], bytes] = token_bytes,
    ) -> None:
        """
        @param reactor: knows UDP, UNIX datagrams, names and the time of the
            epoch.
        @param announcements: whether they leave does not matter.
        @param frequency: seconds between two announcements.
        @raise BadAnnouncement: no server would take one of them.
        """
        self._reactor = reactor
        self._servers = tuple(servers)
        self._announcements = tuple(announcements)
        self._frequency = frequency
        self._proofs = proofs
        self._random = random
        self._sender = Sender(reactor)
        self._troubles: dict[Server, str] = {}
        self._busy: set[Server] = set()
        self._loop = LoopingCall(self._announce)
        self._loop.clock = reactor
        self._again: IDelayedCall | None = None
        self._datagrams(leaving=True)

    def startService(self) -> None:
        """
        Announce for the first time.
        """
        Service.startService(self)
        self._loop.start(self._frequency).addErrback(self._broken)
        if self._frequency > REPEATED_AFTER:
            self._again = self._reactor.callLater(REPEATED_AFTER, self._announce)

    def stopService(self) -> Deferred[None]:
        """
        Take leave.
        """
        Service.stopService(self)
        if self._again and self._again.active():
            self._again.cancel()
        if self._loop.running:
            self._loop.stop()
        leaving = self.say(leaving=True)
        leaving.addTimeout(LEAVING_TIMEOUT, self._reactor, onTimeoutCancel=lambda *_: list[str]())
        return ensureDeferred(self._close_after(leaving))

    def say(self, *, leaving: bool) -> Deferred[list[str]]:
        """
        Say it once, to every server.

        @return: fires with a sentence for each server that could not be told.
        """
        datagrams = self._datagrams(leaving=leaving)
        told = [ensureDeferred(self._tell(server, datagrams)) for server in self._servers]
        return gatherResults(told, consumeErrors=True).addCallback(
            lambda troubles: [text for text in troubles if text]
        )

    async def close(self) -> None:
        """
        Close the sockets, if it never was started.
        """
        await self._sender.close()

    async def _close_after(self, leaving: Deferred[list[str]]) -> None:
        await leaving
        await self._sender.close()

    def _announce(self) -> None:
        datagrams = self._datagrams(leaving=False)
        for server in self._servers:
            if server not in self._busy:
                self._busy.add(server)
                telling = ensureDeferred(self._tell(server, datagrams))
                telling.addErrback(self._broken)
                telling.addCallback(self._told, server)

    def _told(self, trouble: str | None, server: Server) -> None:
        self._busy.discard(server)

    def _datagrams(self, *, leaving: bool) -> list[bytes]:
        now = self._reactor.seconds()
        return [
            self._proofs.build(
                replace(announcement, leaving=leaving), now, self._random(_NONCE_SIZE)
            )
            for announcement in self._announcements
        ]

    async def _tell(self, server: Server, datagrams: Sequence[bytes]) -> str:
        """
        @return: why it could not be told; empty: it was.
        """
        trouble = ""
        try:
            for datagram in datagrams:
                await self._sender.send(server, datagram)
        except CannotSend as error:
            trouble = str(error)
        self._note(server, trouble)
        return trouble

    def _note(self, server: Server, trouble: str) -> None:
        if trouble == self._troubles.get(server, ""):
            return
        self._troubles[server] = trouble
        if trouble:
            self._log.warn("Cannot announce to {trouble}", trouble=trouble)
        else:
            self._log.info("Announcing to {server} again", server=server)

    def _broken(self, failure: Failure) -> None:
        self._log.failure("An announcement went wrong", failure=failure)
