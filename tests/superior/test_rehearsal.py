"""
Tests for L{emperor.superior.rehearsal}.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.config.settings import (
    EmperorSettings,
    RouterSettings,
    Settings,
    SubscriptionSettings,
)
from emperor.config.statssettings import StatsSettings
from emperor.proxy.binding import CannotListen
from emperor.superior.rehearsal import rehearse


def settings(
    stats: tuple[SocketAddress, ...] = (), servers: tuple[SocketAddress, ...] = ()
) -> Settings:
    """
    A configuration with one router: the first statistics are the Emperor's.
    """
    subscriptions = SubscriptionSettings(servers=servers)
    router = RouterSettings(
        kind="http",
        listen=(),
        stats=StatsSettings(addresses=stats[1:]),
        subscriptions=subscriptions,
    )
    emperor = EmperorSettings(stats=StatsSettings(addresses=stats[:1]))
    return Settings(emperor=emperor, routers=(router,))


class RehearsalTests(SynchronousTestCase):
    """
    Sockets that are tried.
    """

    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.path = UnixAddress(os.fsencode(self.place / "a"))
        self.other = UnixAddress(os.fsencode(self.place / "b"))

    def taken(self, kind: socket.SocketKind) -> TcpAddress:
        """
        An address that somebody has.
        """
        owner = socket.socket(socket.AF_INET, kind)
        self.addCleanup(owner.close)
        owner.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            owner.listen()
        return TcpAddress("127.0.0.1", owner.getsockname()[1])

    def test_free(self) -> None:
        """
        What can be opened is not left open.
        """
        rehearse(Settings(), settings((self.path,), (self.other, TcpAddress("127.0.0.1", 0))))
        self.assertEqual(list(self.place.iterdir()), [])

    def test_taken(self) -> None:
        """
        What cannot be is told, and the rest is not left open.
        """
        for changed in (
            settings((self.path, self.taken(socket.SOCK_STREAM))),
            settings((self.path,), (self.other, self.taken(socket.SOCK_DGRAM))),
        ):
            self.assertRaises(CannotListen, rehearse, Settings(), changed)
            self.assertEqual(list(self.place.iterdir()), [])

    def test_ours(self) -> None:
        """
        What we have ourselves is not tried, nor what has its port.
        """
        stats, server = self.taken(socket.SOCK_STREAM), self.taken(socket.SOCK_DGRAM)
        before = settings((stats, self.path), (server,))
        rehearse(before, before)
        everywhere = settings((TcpAddress("", stats.port), self.path), (server,))
        rehearse(before, everywhere)
